"""Frames as values for the places of a prepared INSERT, in the bytes that MariaDB's protocol has for them.

The server needs for them a third of the time that LOAD DATA needs for the same numbers as text
(benchmarks/loading_ways.py). A value is a byte 0 and its bytes, little-endian, or a byte 1 where there is none; texts
stand behind their length.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ingest.cells import VALIDITY_TYPES, columns_of, has_value, numbers_of, texts_of, validity_of
from ingest.compiling import BYTES_TYPE, INDEX_TYPE, Bytes, Index, compiled, types

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from ingest.cells import Cells

__all__ = ["Bound", "bind"]

# The protocol's numbers for types, and 0x80 after them for what has no sign.
KINDS = {
    pa.int32(): b"\x03\x00",
    pa.int64(): b"\x08\x00",
    pa.uint64(): b"\x08\x80",
    pa.float32(): b"\x04\x00",
    pa.float64(): b"\x05\x00",
    pa.large_string(): b"\xfd\x00",
}
LONG, LONGEST = 0xFB, 0xFFFF  # bytes: from here on a text's length takes three; more than that cannot be bound
NULL, VALUE = 1, 0

OUT_TYPE, PLACES_TYPE = types.uint8[::1], types.int64[::1]


@dataclass(frozen=True)
class Bound:
    """The rows of a frame.

    Attributes
    ----------
    kinds
        The type of each column, two bytes each.
    values
        The bytes of all rows.
    ends
        Where each row ends in them, shape (n,).
    """

    kinds: bytes
    values: Bytes
    ends: Index

    def pieces(self, limit: int) -> Iterator[Bytes]:
        """Yield the values of some whole rows at a time, not more than `limit` bytes unless one row has more."""
        row = first = 0
        while row < len(self.ends):
            after = max(int(np.searchsorted(self.ends, first + limit, side="right")), row + 1)
            yield self.values[first : self.ends[after - 1]]
            row, first = after, int(self.ends[after - 1])


def bind(frame: pl.DataFrame) -> Bound:
    """Return the rows of a frame of numbers and texts as values to be bound.

    Raises
    ------
    ValueError
        If a text has more than 65,535 bytes.
    """
    columns = [column for _, column in columns_of(frame)]
    sizes = np.zeros(frame.height, np.int64)
    for column in columns:
        if _is_text(column):
            _add_sizes_of_texts(sizes, texts_of(column)[0], *validity_of(column))
        else:
            _add_sizes(sizes, column.type.bit_width // 8, *validity_of(column))
    ends = np.cumsum(sizes)
    values = np.empty(int(ends[-1]) if len(ends) else 0, np.uint8)
    places = ends - sizes
    for column in columns:
        if _is_text(column):
            if not _put_texts(values, places, *texts_of(column), *validity_of(column)):
                raise ValueError(f"a text has more than {LONGEST} bytes")
        else:
            size = column.type.bit_width // 8
            bytes_ = numbers_of(column).view(np.uint8)
            _put_numbers(values, places, bytes_, size, *validity_of(column))
    return Bound(b"".join(KINDS[column.type] for column in columns), values, ends)


def _is_text(column: Cells) -> bool:
    return pa.types.is_large_string(column.type)


@compiled(types.void(PLACES_TYPE, types.int64, *VALIDITY_TYPES))
def _add_sizes(sizes: Index, size: int, valid: Bytes, offset: int) -> None:
    for row in range(len(sizes)):
        sizes[row] += 1 + size if has_value(valid, offset + row) else 1


@compiled(types.void(PLACES_TYPE, INDEX_TYPE, *VALIDITY_TYPES))
def _add_sizes_of_texts(sizes: Index, ends: Index, valid: Bytes, offset: int) -> None:
    for row in range(len(sizes)):
        sizes[row] += 1
        if has_value(valid, offset + row):
            length = ends[row + 1] - ends[row]
            sizes[row] += length + (1 if length < LONG else 3)


@compiled(types.void(OUT_TYPE, PLACES_TYPE, BYTES_TYPE, types.int64, *VALIDITY_TYPES))
def _put_numbers(out: Bytes, places: Index, numbers: Bytes, size: int, valid: Bytes, offset: int) -> None:
    """Put a column's numbers, `size` bytes each, to where their rows go on, and move these places on."""
    for row in range(len(places)):
        place = places[row]
        if has_value(valid, offset + row):
            out[place] = VALUE
            for byte in range(size):
                out[place + 1 + byte] = numbers[row * size + byte]
            places[row] = place + 1 + size
        else:
            out[place] = NULL
            places[row] = place + 1


@compiled(types.boolean(OUT_TYPE, PLACES_TYPE, INDEX_TYPE, BYTES_TYPE, *VALIDITY_TYPES))
def _put_texts(out: Bytes, places: Index, ends: Index, text: Bytes, valid: Bytes, offset: int) -> bool:
    """Put a column's texts to where their rows go on, and move these places on; return whether none is too long."""
    for row in range(len(places)):
        place = places[row]
        if has_value(valid, offset + row):
            length = ends[row + 1] - ends[row]
            out[place] = VALUE
            if length < LONG:
                out[place + 1] = length
                place += 2
            elif length <= LONGEST:
                out[place + 1], out[place + 2], out[place + 3] = 0xFC, length & 0xFF, length >> 8
                place += 4
            else:
                return False
            for byte in range(length):
                out[place + byte] = text[ends[row] + byte]
            places[row] = place + length
        else:
            out[place] = NULL
            places[row] = place + 1
    return True
