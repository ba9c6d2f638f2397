"""Checksums of rows, against the same sums in Python's integers."""

from __future__ import annotations

import struct
from typing import Any

import polars as pl
import pytest

from ingest.checksum import cell_sums, checksum, finish_hashes, row_hashes

MASK = 2**64 - 1
FRAME = pl.DataFrame({
    "objectId": ["ZTF18abc", None, "", "ß☆"],
    "candid": [1, -5, None, 2**62],
    "magpsf": pl.Series([17.5, None, -0.0, 3.4028235e38], dtype=pl.Float32),
    "jd": [2458353.6, 0.0, -1.5, None],
    "fid": pl.Series([1, 2, None, -3], dtype=pl.Int32),
})  # fmt: skip


def mixed(bits: int) -> int:
    """Return the finaliser of splitmix64."""
    bits = ((bits ^ bits >> 30) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ bits >> 27) * 0x94D049BB133111EB) & MASK
    return bits ^ bits >> 31


def fnv(text: str) -> int:
    """Return the 64-bit FNV-1a hash."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def bits_of(value: Any) -> int:
    """Return what a cell counts as."""
    if value is None:
        return 0x9E3779B97F4A7C15
    if isinstance(value, str):
        return fnv(value)
    if isinstance(value, float):
        return int.from_bytes(struct.pack("<d", value + 0.0), "little")
    return int(value) & MASK


def plain_hash(row: dict[str, Any]) -> int:
    """Return the hash of a row."""
    return mixed(sum(mixed((bits_of(value) + fnv(name)) & MASK) for name, value in row.items()) & MASK)


def test_hashes_are_those_of_plain_integers() -> None:
    assert row_hashes(FRAME).tolist() == [plain_hash(row) for row in FRAME.iter_rows(named=True)]


def test_a_slice_counts_like_rows_of_its_own() -> None:
    assert row_hashes(FRAME[1:3]).tolist() == row_hashes(FRAME)[1:3].tolist()


def test_the_order_of_rows_and_columns_does_not_matter() -> None:
    assert checksum(FRAME.reverse().select(sorted(FRAME.columns))) == checksum(FRAME)


def test_no_rows_have_the_checksum_zero() -> None:
    assert checksum(FRAME.clear()) == 0


@pytest.mark.parametrize("column", FRAME.columns)
def test_sums_of_parts_are_those_of_the_whole(column: str) -> None:
    parts = cell_sums(FRAME.select(column)) + cell_sums(FRAME.drop(column))
    assert finish_hashes(parts).tolist() == row_hashes(FRAME).tolist()


@pytest.mark.parametrize("column", FRAME.columns)
def test_a_value_that_moves_to_another_row_is_noticed(column: str) -> None:
    moved = FRAME.with_columns(pl.col(column).shift(1, fill_value=FRAME[column][-1]))
    assert checksum(moved) != checksum(FRAME)
