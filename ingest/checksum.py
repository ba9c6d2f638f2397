"""Checksums of rows that do not depend on their order, so that they can be kept per table and compared later.

A row's hash is the sum of the mixed bits of its cells; a table's checksum is the sum of its rows' hashes modulo 2^64.
The mixing function is the finaliser of splitmix64 (Steele, Lea & Flood 2014, OOPSLA, "Fast splittable pseudorandom
number generators"); a text counts as its 64-bit FNV-1a hash (Fowler, Noll & Vo).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ingest.cells import VALIDITY_TYPES, columns_of, has_value, numbers_of, texts_of, validity_of
from ingest.compiling import BYTES_TYPE, INDEX_TYPE, Bytes, Index, compiled, part, types

if TYPE_CHECKING:
    import numpy.typing as npt
    import polars as pl

    from ingest.cells import Cells

    Words = npt.NDArray[np.uint64]

__all__ = ["MODULUS", "cell_sums", "checksum", "finish_hashes", "row_hashes", "total"]

MODULUS = 2**64
NULL_HASH = np.uint64(0x9E3779B97F4A7C15)
FNV_OFFSET, FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
WORDS_TYPE = types.Array(types.uint64, 1, "C", readonly=True)
SUMS_TYPE = types.uint64[::1]


def checksum(frame: pl.DataFrame) -> int:
    """Return the checksum (0 to 2^64 - 1) of a frame's rows; floats count bit for bit, -0.0 as 0.0."""
    return total(row_hashes(frame))


def row_hashes(frame: pl.DataFrame) -> Words:
    """Return one hash for each row of a frame, shape (n,); the order of columns does not matter."""
    return finish_hashes(cell_sums(frame))


def cell_sums(frame: pl.DataFrame) -> Words:
    """Return the sum of each row's mixed cells, shape (n,): sums of several frames add up to those of their columns."""
    sums = np.zeros(frame.height, np.uint64)
    for name, column in columns_of(frame):
        _add_cells(sums, _words(column), *validity_of(column), _hash_name(name))
    return sums


def finish_hashes(sums: Words) -> Words:
    """Return the hashes of rows whose cells sum up to this."""
    hashes = sums.copy()
    _mix_rows(hashes)
    return hashes


def total(hashes: Words) -> int:
    """Return the checksum of rows with these hashes: their sum modulo 2^64."""
    with np.errstate(over="ignore"):
        return int(hashes.sum(dtype=np.uint64))


def _words(column: Cells) -> Words:
    """Return what each cell counts as; the words of cells without a value mean nothing."""
    if pa.types.is_large_string(column.type):
        words = np.empty(len(column), np.uint64)
        _hash_texts(*texts_of(column), words)
        return words
    values = numbers_of(column)
    if pa.types.is_floating(column.type):
        return (values.astype(np.float64) + 0.0).view(np.uint64)
    return values.astype(np.int64).view(np.uint64)


def _hash_name(name: str) -> np.uint64:
    word = np.empty(1, np.uint64)
    text = np.frombuffer(name.encode(), np.uint8)
    _hash_texts(np.array([0, len(text)]), text, word)
    return np.uint64(word[0])


@part
def _mix(bits: np.uint64) -> np.uint64:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


@compiled(types.void(SUMS_TYPE, WORDS_TYPE, *VALIDITY_TYPES, types.uint64))
def _add_cells(rows: Words, words: Words, valid: Bytes, offset: int, seed: np.uint64) -> None:
    """Add the cells of a column to the rows' sums. `valid` are bits, from bit number `offset` on."""
    for row in range(len(rows)):
        bits = words[row] if has_value(valid, offset + row) else NULL_HASH
        rows[row] += _mix(bits + seed)


@compiled(types.void(SUMS_TYPE))
def _mix_rows(rows: Words) -> None:
    for row in range(len(rows)):
        rows[row] = _mix(rows[row])


@compiled(types.void(INDEX_TYPE, BYTES_TYPE, SUMS_TYPE))
def _hash_texts(ends: Index, text: Bytes, words: Words) -> None:
    """Hash each text: text number i ends where text i + 1 begins, at `ends[i + 1]`."""
    for number in range(len(words)):
        word = FNV_OFFSET
        for place in range(ends[number], ends[number + 1]):
            word = (word ^ np.uint64(text[place])) * FNV_PRIME
        words[number] = word
