"""Which rows were told before, and the largest packet that told each.

Histories repeat from packet to packet: the next packet of the same object tells the same rows again. A row is known
by 64 bits that stand for its cells; in a tarball of ten million rows two different ones meet with a chance of 3e-6.

Memory is for objects, and four bytes for each row. The bits of the rows wait on disk, where each row also says which
one of its object came before it. They are read again only where a packet of the same object comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.compiling import INDEX_TYPE, Bytes, Index, compiled, part, types
from ingest.spool import spooling

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int32]

__all__ = ["Repeats"]

FIRST_SLOTS = 2**12
FILLED = 0.75  # part of the slots that may be taken: more would make the searches long
LONGEST = 64  # rows that are looked through for one; an object's further rows are found by a slot of their own
NONE = -1
WORD, BEFORE = 0, 1  # what the file has of each row: its bits, and the row before it
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # 2^64 over the golden ratio

PLACES_TYPE, NUMBERS_TYPE = types.int64[::1], types.int32[::1]
ROWS_TYPE = types.Array(types.int64, 2, "C", readonly=True)


class Repeats:
    """The rows that were told, numbered as they come.

    Parameters
    ----------
    path
        Of the file in which the bits of the rows wait.

    Attributes
    ----------
    count
        How many different rows there were.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        self._path = path
        self._taken = 0  # slots
        self._keys: Index = np.empty(FIRST_SLOTS, np.int64)  # an object in each slot, or a single row
        self._heads: Numbers = np.full(FIRST_SLOTS, NONE, np.int32)  # and the last row of it
        self._tellers: Numbers = np.empty(0, np.int32)  # of each row, the number of the largest packet that told it
        self._packets: Index = np.empty(0, np.int64)  # candids by these numbers
        self._n_packets = 0

    def note(self, objects: Words, words: Words, packets: Index) -> npt.NDArray[np.bool_]:
        """Note rows; return which of them had not come before.

        Parameters
        ----------
        objects
            Bits that stand for the object of each row.
        words
            Bits that stand for all its cells.
        packets
            The candid of the packet that told it.

        Raises
        ------
        SpoolNotWritten
            If there is no room on the disk.
        """
        self._make_room(len(words))
        fresh = np.empty(len(words), np.uint8)
        rows = np.empty((len(words), 2), np.int64)
        before = self.count
        self.count, self._taken, self._n_packets = _note(
            self._keys,
            self._heads,
            self._taken,
            self._tellers,
            self._packets,
            self._n_packets,
            self._rows(0, before),
            rows,
            before,
            objects.view(np.int64),
            words.view(np.int64),
            packets,
            fresh,
        )
        with spooling(self._path.parent), self._path.open("ab" if before else "wb") as file:
            file.write(rows[: self.count - before].data)
        return fresh.view(np.bool_)

    def words(self, first: int, end: int) -> Words:
        """Return the bits of some rows, shape (end - first,)."""
        return self._rows(first, end)[:, WORD].view(np.uint64)

    def packets(self, first: int, end: int) -> Index:
        """Return the candid of the largest packet that told each of some rows, shape (end - first,)."""
        return self._packets[self._tellers[first:end]]

    def _rows(self, first: int, end: int) -> Index:
        """Look at the file; what is looked at stays in memory only as long as this."""
        if first == end:
            return np.empty((0, 2), np.int64)
        return np.asarray(np.memmap(self._path, np.int64, "r", 16 * first, (end - first, 2)))

    def _make_room(self, coming: int) -> None:
        for array, needed in ((self._tellers, self.count + coming), (self._packets, self._n_packets + coming)):
            if needed > len(array):
                array.resize(needed + needed // 8, refcheck=False)
        slots = len(self._keys)
        while slots * FILLED < self._taken + coming:
            slots *= 2
        if slots > len(self._keys):
            keys, heads = np.empty(slots, np.int64), np.full(slots, NONE, np.int32)
            _move(self._keys, self._heads, keys, heads)
            self._keys, self._heads = keys, heads


@part
def _slot(keys: Index, heads: Numbers, key: int) -> int:
    """Return the slot of this key, or the empty one where it belongs."""
    last = len(keys) - 1
    slot = int((np.uint64(key) * SPREAD) >> np.uint64(32)) & last
    while heads[slot] != NONE and keys[slot] != key:
        slot = (slot + 1) & last
    return slot


@part
def _find(told: Index, rows: Index, last: int, word: int) -> tuple[int, int]:
    """Look for a row among the `last` of an object and those before it; return its number, and how many one saw."""
    row, seen = last, 0
    while row != NONE:
        if row < len(told):
            found, before = told[row, WORD], told[row, BEFORE]
        else:
            found, before = rows[row - len(told), WORD], rows[row - len(told), BEFORE]
        if found == word:
            break
        row, seen = before, seen + 1
    return row, seen


@compiled(
    types.UniTuple(types.int64, 3)(
        *(PLACES_TYPE, NUMBERS_TYPE, types.int64, NUMBERS_TYPE, PLACES_TYPE, types.int64),
        *(ROWS_TYPE, types.int64[:, ::1], types.int64),
        *(INDEX_TYPE, INDEX_TYPE, INDEX_TYPE, types.uint8[::1]),
    )
)
def _note(
    keys: Index,
    heads: Numbers,
    taken: int,
    tellers: Numbers,
    candids: Index,
    n_candids: int,
    told: Index,
    rows: Index,
    count: int,
    objects: Index,
    words: Index,
    packets: Index,
    fresh: Bytes,
) -> tuple[int, int, int]:
    """Note rows behind those `told`; return the new numbers of rows, of slots taken and of packets."""
    for number in range(len(words)):
        if n_candids == 0 or candids[n_candids - 1] != packets[number]:
            candids[n_candids] = packets[number]
            n_candids += 1
        key = objects[number]
        slot = _slot(keys, heads, key)
        row, seen = _find(told, rows, heads[slot], words[number])
        if row == NONE and seen >= LONGEST:
            key ^= words[number]
            slot = _slot(keys, heads, key)
            row, seen = _find(told, rows, heads[slot], words[number])
        fresh[number] = row == NONE
        if row == NONE:
            taken += heads[slot] == NONE
            rows[count - len(told), WORD], rows[count - len(told), BEFORE] = words[number], heads[slot]
            keys[slot], heads[slot], tellers[count] = key, count, n_candids - 1
            count += 1
        elif packets[number] > candids[tellers[row]]:
            tellers[row] = n_candids - 1
    return count, taken, n_candids


@compiled(types.void(PLACES_TYPE, NUMBERS_TYPE, PLACES_TYPE, NUMBERS_TYPE))
def _move(old_keys: Index, old_heads: Numbers, keys: Index, heads: Numbers) -> None:
    """Put what is in slots into others that are all empty."""
    for old in range(len(old_keys)):
        if old_heads[old] != NONE:
            slot = _slot(keys, heads, old_keys[old])
            keys[slot], heads[slot] = old_keys[old], old_heads[old]
