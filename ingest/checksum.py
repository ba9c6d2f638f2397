"""Checksums of rows that do not depend on their order, so that they can be kept per table and compared later.

A row's hash is the sum of the mixed bits of its cells; a table's checksum is the sum of its rows' hashes modulo 2^64.
The mixing function is the finaliser of splitmix64 (Steele, Lea & Flood 2014, OOPSLA, "Fast splittable pseudorandom
number generators").
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MODULUS", "checksum", "row_hashes", "total"]

MODULUS = 2**64
NULL_HASH = np.uint64(0x9E3779B97F4A7C15)


def checksum(frame: pl.DataFrame) -> int:
    """Return the checksum (0 to 2^64 - 1) of a frame's rows; floats count bit for bit, -0.0 as 0.0."""
    return total(row_hashes(frame))


def row_hashes(frame: pl.DataFrame) -> npt.NDArray[np.uint64]:
    """Return one hash for each row of a frame, shape (n,); the order of columns does not matter."""
    rows = np.zeros(frame.height, np.uint64)
    with np.errstate(over="ignore"):  # arithmetic modulo 2^64 is meant
        for column in frame:
            seed = np.uint64(_hash_text(column.name))
            rows += _mix(_bits(column) + seed)
        return _mix(rows)


def total(hashes: npt.NDArray[np.uint64]) -> int:
    """Return the checksum of rows with these hashes: their sum modulo 2^64."""
    with np.errstate(over="ignore"):
        return int(hashes.sum(dtype=np.uint64))


def _bits(column: pl.Series) -> npt.NDArray[np.uint64]:
    missing = column.is_null().to_numpy()
    if column.dtype == pl.String:
        words = column.unique().drop_nulls()
        hashes = pl.Series([_hash_text(word) for word in words], dtype=pl.UInt64)
        bits = column.replace_strict(words, hashes, default=0, return_dtype=pl.UInt64).fill_null(0).to_numpy()
    elif column.dtype.is_float():
        bits = (column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0).view(np.uint64)
    else:
        bits = column.cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64)
    return np.where(missing, NULL_HASH, bits)


def _mix(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))


def _hash_text(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
