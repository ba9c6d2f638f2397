"""Compiled: the smallest pieces of Avro, the records of packets whose header is known, and text for Arrow.

A position is never negative: where one is returned, minus a fault says what is wrong instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.compiling import BYTES_TYPE, INDEX_TYPE, Bytes, Index, compiled, part, types

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["BAD_LENGTH", "TRUNCATED", "find_records", "gather_text", "is_utf8", "read_bits", "read_long", "read_span"]

TRUNCATED, BAD_LENGTH = 1, 2
MAX_LONG = 10  # bytes of a variable-length integer
PIECE = 1024  # bytes compared at once
SYNC = 16  # bytes of a sync marker


@part
def read_long(buffer: Bytes, position: int, end: int) -> tuple[int, int]:
    """Return a variable-length integer and the position behind it."""
    value, shift = np.uint64(0), np.uint64(0)
    for at in range(position, min(end, position + MAX_LONG)):
        byte = np.uint64(buffer[at])
        value |= (byte & np.uint64(0x7F)) << shift
        if byte < 0x80:
            return int(np.int64(value >> np.uint64(1)) ^ -np.int64(value & np.uint64(1))), at + 1
        shift += np.uint64(7)
    return 0, -TRUNCATED


@part
def read_span(buffer: Bytes, position: int, end: int) -> tuple[int, int]:
    """Return where the bytes that follow their length begin and end."""
    length, position = read_long(buffer, position, end)
    if position < 0:
        return position, position
    if length < 0 or length > end - position:
        return -BAD_LENGTH, -BAD_LENGTH
    return position, position + length


@part
def read_bits(buffer: Bytes, position: int, count: int) -> Any:
    """Return `count` bytes, the low one first, as an unsigned integer."""
    bits = np.uint64(0)
    for place in range(count):
        bits |= np.uint64(buffer[position + place]) << np.uint64(8 * place)
    return bits


@part
def is_utf8(buffer: Bytes, start: int, end: int) -> bool:
    """Whether the bytes are valid UTF-8."""
    position = start
    while position < end:
        first = buffer[position]
        position += 1
        if first < 0x80:
            continue
        if first < 0xC2 or first > 0xF4:
            return False
        stop = position + 1 + (first >= 0xE0) + (first >= 0xF0)
        # The second byte tells overlong forms, surrogates, and what lies beyond Unicode.
        low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
        high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
        if stop > end or buffer[position] < low or buffer[position] > high:
            return False
        for at in range(position + 1, stop):
            if buffer[at] & 0xC0 != 0x80:
                return False
        position = stop
    return True


@part
def _is_same(buffer: Bytes, position: int, other: Bytes) -> bool:
    """Whether the bytes at `position` are those of `other`."""
    for first in range(0, len(other), PIECE):
        piece = other[first : first + PIECE]
        found = buffer[position + first : position + first + len(piece)]
        difference = np.uint8(0)
        for at in range(len(piece)):
            difference |= found[at] ^ piece[at]
        if difference != 0:
            return False
    return True


@part
def _find_record(buffer: Bytes, position: int, end: int) -> tuple[int, int]:
    """Return where the record begins and ends in a packet whose sync marker is at `position`; -1 if it is not plain."""
    marker = position
    count, position = read_long(buffer, position + SYNC, end)
    if position < 0 or count != 1:
        return -1, -1
    size, position = read_long(buffer, position, end)
    if position < 0 or size != end - position - SYNC:
        return -1, -1
    for at in range(SYNC):
        if buffer[marker + at] != buffer[position + size + at]:
            return -1, -1
    return position, position + size


@compiled(types.void(BYTES_TYPE, INDEX_TYPE, INDEX_TYPE, BYTES_TYPE, types.int64[::1], types.int64[::1]))
def find_records(
    buffer: Bytes, starts: Index, ends: Index, prologue: Bytes, found_starts: Index, found_ends: Index
) -> None:
    """Find the records of the packets that begin with `prologue` and are as most are: one block with one record.

    `found_starts` and `found_ends`, both shape (n,), get where each record lies, or -1; those of packets that begin
    otherwise are left as they are.
    """
    for index in range(len(starts)):
        start, end = starts[index], ends[index]
        inside = start >= 0 and end <= len(buffer) and end - start >= len(prologue) + 2 * SYNC
        if inside and _is_same(buffer, start, prologue):
            found_starts[index], found_ends[index] = _find_record(buffer, start + len(prologue), end)


@compiled(types.void(BYTES_TYPE, BYTES_TYPE, types.int64[:, ::1], types.int32[::1], types.uint8[::1]))
def gather_text(buffer: Bytes, pool: Bytes, spans: Index, offsets: npt.NDArray[np.int32], text: Bytes) -> None:
    """Bring the text of a column together, as Arrow keeps it.

    Parameters
    ----------
    buffer, pool
        What the spans point into.
    spans
        Shape (n, 2): start in `buffer`, or -1 minus the start in `pool`; the length is not looked at.
    offsets
        Shape (n + 1,): where each text begins and ends in `text`.
    text
        Gets the texts, one behind the other.
    """
    for row in range(len(spans)):
        start = spans[row, 0]
        for place in range(offsets[row + 1] - offsets[row]):
            text[offsets[row] + place] = buffer[start + place] if start >= 0 else pool[-1 - start + place]
