"""The two loops over the bytes of a result: where its rows begin, and their values into columns. Compiled by numba."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
from numba import njit
from numba import types as numba_types

from alertdb.compiling import compile_once
from alertdb.wire.codes import (
    DATETIME,
    EIGHT,
    ENDED,
    FOUR,
    FULL,
    HUGE,
    INT8,
    INT16,
    MORE,
    NOTHING,
    TEXT,
    TIME,
    UINT8,
    UINT16,
)

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["find_rows", "read_rows"]

types: Any = numba_types

Function = TypeVar("Function", bound="Callable[..., Any]")
Bytes = npt.NDArray[np.uint8]

_HEADER = 4
_LARGEST = 0xFFFFFF
_DAY_US = 86_400_000_000

_bytes, _numbers = types.Array(types.uint8, 1, "C"), types.Array(types.int64, 1, "C")
_OPTIONS: dict[str, Any] = {"_nrt": False}


def _compiled(signature: Any) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        return compile_once(function, signature, _OPTIONS)

    return decorate


def _part(function: Function) -> Function:
    return cast("Function", njit(function, **_OPTIONS))


@_compiled(types.UniTuple(types.int64, 3)(_bytes, types.int64, types.int64, _numbers, types.int64))
def find_rows(data: Bytes, at: int, end: int, starts: npt.NDArray[np.int64], count: int) -> tuple[int, int, int]:
    """Note where the payloads of rows begin, after `count` that are noted.

    Entry `count` of `starts` is set as well, to where the next payload would begin; so a row's payload ends four bytes
    before the next begins.

    Returns
    -------
    count, at, why
        How many are noted now, where the first packet after them begins, and why no more.
    """
    most, why = len(starts) - 1, MORE
    while end - at >= _HEADER:
        size = int(data[at]) | int(data[at + 1]) << 8 | int(data[at + 2]) << 16
        if size == _LARGEST:
            why = HUGE
            break
        if end - at < _HEADER + size:
            break
        if data[at + _HEADER] != 0:
            why = ENDED
            break
        if count == most:
            why = FULL
            break
        starts[count] = at + _HEADER
        count += 1
        at += _HEADER + size
    starts[count] = at + _HEADER
    return count, at, why


@_part
def _whole(data: Bytes, at: int, size: int) -> Any:
    """Return the number in the next bytes."""
    value = np.uint64(0)
    for place in range(size):
        value |= np.uint64(data[at + place]) << np.uint64(8 * place)
    return value


@_part
def _days(data: Bytes, at: int) -> Any:
    """Return the days since 1970-01-01 of a date of year (2 bytes), month and day (Howard Hinnant's algorithm)."""
    month, day = np.int64(data[at + 2]), np.int64(data[at + 3])
    year = np.int64(_whole(data, at, 2)) - np.int64(month <= 2)
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


@_part
def _microseconds(data: Bytes, at: int, size: Any) -> Any:
    """Return hour, minute, second and, where there are any, microseconds as microseconds."""
    if size < 3:
        return np.int64(0)
    seconds = (np.int64(data[at]) * 60 + np.int64(data[at + 1])) * 60 + np.int64(data[at + 2])
    return seconds * 1_000_000 + (np.int64(_whole(data, at + 3, 4)) if size >= 7 else np.int64(0))


@_part
def _small(data: Bytes, at: int, kind: int) -> Any:
    """Return a value for four bytes, how many bytes it took, and whether it is one: 0000-00-00 is none."""
    if kind == FOUR:
        return np.uint32(_whole(data, at, 4)), np.int64(4), True
    if kind == INT8:
        return np.uint32(np.int8(data[at])), np.int64(1), True
    if kind == UINT8:
        return np.uint32(data[at]), np.int64(1), True
    if kind == INT16:
        return np.uint32(np.int16(_whole(data, at, 2))), np.int64(2), True
    if kind == UINT16:
        return np.uint32(_whole(data, at, 2)), np.int64(2), True
    size = np.int64(data[at])
    if size < 4 or not data[at + 3]:
        return np.uint32(0), 1 + size, False
    return np.uint32(_days(data, at + 1)), 1 + size, True


@_part
def _large(data: Bytes, at: int, kind: int) -> Any:
    """Return a value for eight bytes, how many bytes it took, and whether it is one: 0000-00-00 is none."""
    if kind == EIGHT:
        return _whole(data, at, 8), np.int64(8), True
    size, at = np.int64(data[at]), at + 1
    value = np.int64(0)
    if kind == TIME:
        if size >= 8:
            value = np.int64(_whole(data, at + 1, 4)) * _DAY_US + _microseconds(data, at + 5, size - 5)
        return np.uint64(-value if size and data[at] else value), 1 + size, True
    if size < 4 or not data[at + 2]:
        return np.uint64(0), 1 + size, False
    value = _days(data, at) * _DAY_US + _microseconds(data, at + 4, size - 4)
    return np.uint64(value), 1 + size, True


@_part
def _copy_text(data: Bytes, at: int, end: int, texts: Bytes, text: int, first: int) -> Any:
    """Copy a text into its column; return where it ends there and in the data, beyond `end` if it is no text."""
    size: Any = np.int64(data[at])
    at += 1
    if size > 0xFB:
        width = 2 if size == 0xFC else 3 if size == 0xFD else 8
        size, at = np.int64(_whole(data, at, width)), at + width
    if size > end - at:
        return first, end + 1
    for place in range(size):
        texts[text, first + place] = data[at + place]
    return first + size, at + size


@_compiled(
    types.int64(
        *(_bytes, _numbers, types.int64, _numbers, types.Array(types.uint8, 2, "C")),
        *(types.Array(types.uint32, 2, "C"), types.Array(types.uint64, 2, "C")),
        *(types.Array(types.int32, 2, "C"), types.Array(types.uint8, 2, "C")),
    )
)
def read_rows(  # noqa: C901 (one loop over rows and columns: a call per value would cost more than the value)
    data: Bytes,
    starts: npt.NDArray[np.int64],
    rows: int,
    layout: npt.NDArray[np.int64],
    valid: npt.NDArray[np.uint8],
    fours: npt.NDArray[np.uint32],
    eights: npt.NDArray[np.uint64],
    ends: npt.NDArray[np.int32],
    texts: npt.NDArray[np.uint8],
) -> int:
    """Write the values of rows into columns; return the first row that is not as the protocol says, or -1.

    Parameters
    ----------
    data, starts
        The bytes, and what `find_rows` noted. `SLACK` bytes after the last row may be looked at.
    layout
        How each column stands in a row, shape (columns,).
    valid
        Out: 0 where a value is NULL, shape (columns, rows).
    fours, eights
        Out: values of four and of eight bytes, shape (columns of that size, rows).
    ends, texts
        Out: ends of texts behind a 0, shape (columns of texts, rows + 1), and their bytes, (columns of texts, bytes).
    """
    nulls = (len(layout) + 9) // 8
    for row in range(rows):
        at, end = starts[row] + 1 + nulls, starts[row + 1] - _HEADER
        four = eight = text = 0
        for column, kind in enumerate(layout):
            is_value = not data[starts[row] + 1 + (column + 2) // 8] >> ((column + 2) % 8) & 1
            if at + is_value > end:
                return row
            if kind == TEXT:
                ends[text, row + 1] = ends[text, row]
                if is_value:
                    ends[text, row + 1], at = _copy_text(data, at, end, texts, text, ends[text, row])
                text += 1
            elif kind in (EIGHT, DATETIME, TIME):
                if is_value:
                    eights[eight, row], size, is_value = _large(data, at, kind)
                    at += size
                eight += 1
            elif kind != NOTHING:
                if is_value:
                    fours[four, row], size, is_value = _small(data, at, kind)
                    at += size
                four += 1
            valid[column, row] = is_value
        if at != end:
            return row
    return -1
