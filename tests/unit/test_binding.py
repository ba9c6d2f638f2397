"""Rows as the bytes of the protocol, against bytes put together by hand and by struct."""

from __future__ import annotations

import struct
from typing import Any

import polars as pl
import pytest

from ingest.binding import bind

SCHEMA: dict[str, Any] = {
    "i": pl.Int32, "b": pl.Int64, "u": pl.UInt64, "f": pl.Float32, "d": pl.Float64, "s": pl.String
}  # fmt: skip
FORMATS = {"i": "<i", "b": "<q", "u": "<Q", "f": "<f", "d": "<d"}
TEXTS = ["", "a", "é" * 125, "x" * 250, "x" * 251, "x" * 65_535, None]


def length_of(text: bytes) -> bytes:
    return bytes([len(text)]) if len(text) < 251 else b"\xfc" + struct.pack("<H", len(text))


def plainly(row: dict[str, Any]) -> bytes:
    """Return a row as the protocol has it, value by value."""
    told = b""
    for name, value in row.items():
        if value is None:
            told += b"\x01"
        elif name == "s":
            told += b"\x00" + length_of(value.encode()) + value.encode()
        else:
            told += b"\x00" + struct.pack(FORMATS[name], value)
    return told


def rows() -> pl.DataFrame:
    numbers = [0, 1, -1, 2**31 - 1, -(2**31), None, 7]
    return pl.DataFrame(
        {
            "i": numbers,
            "b": [None if number is None else number * 2**32 for number in numbers],
            "u": [0, 2**64 - 1, None, 2**63, 1, 2, 3],
            "f": [0.5, None, -0.0, 1e-45, 3.4028234663852886e38, 1.0, 2.0],
            "d": [0.1, 1e308, None, 5e-324, -0.0, 1.0, 2.0],
            "s": TEXTS,
        },
        schema=SCHEMA,
    )


@pytest.mark.parametrize("chosen", [slice(0, 7), slice(2, 6), slice(5, 6)])
def test_rows_are_what_the_protocol_says(chosen: slice) -> None:
    frame = rows()[chosen]  # a slice: its cells begin in the middle of Arrow's memory
    bound = bind(frame)
    expected = [plainly(row) for row in frame.iter_rows(named=True)]
    assert bound.values.tobytes() == b"".join(expected)
    assert bound.ends.tolist() == [len(b"".join(expected[: number + 1])) for number in range(len(expected))]
    assert bound.kinds == bytes([3, 0, 8, 0, 8, 0x80, 4, 0, 5, 0, 0xFD, 0])


@pytest.mark.parametrize("limit", [1, 40, 400, 10**6])
def test_pieces_are_whole_rows_within_the_limit(limit: int) -> None:
    bound = bind(rows())
    sizes = [len(plainly(row)) for row in rows().iter_rows(named=True)]
    pieces = [piece.tobytes() for piece in bound.pieces(limit)]
    assert b"".join(pieces) == bound.values.tobytes()
    ends = set(bound.ends.tolist())
    end = 0
    for piece in pieces:
        end += len(piece)
        assert end in ends
        assert len(piece) <= limit or len(piece) in sizes


def test_no_rows_are_no_pieces() -> None:
    assert list(bind(rows().clear()).pieces(100)) == []


def test_a_text_that_the_protocol_would_take_for_another_is_refused() -> None:
    with pytest.raises(ValueError, match="more than 65535 bytes"):
        bind(pl.DataFrame({"s": ["x" * 65_536]}))
