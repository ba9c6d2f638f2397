"""Which rows were told before, and the largest packet that told each.

Histories repeat from packet to packet: the next packet of the same object tells the same rows again. A row is known
by 64 bits that stand for its cells; in a tarball of ten million rows two different ones meet with a chance of 3e-6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.compiling import INDEX_TYPE, Bytes, Index, compiled, part, types

if TYPE_CHECKING:
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.int32]

__all__ = ["Repeats"]

FIRST_SLOTS = 2**12
EMPTY = -1
FILLED = 0.75  # part of the slots that may be taken: more would make the searches long

WORDS_TYPE, PLACES_TYPE = types.uint64[::1], types.int32[::1]


class Repeats:
    """A hash table of rows. Rows are numbered as they come; about 25 bytes each.

    Attributes
    ----------
    count
        How many different rows there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._slots: Places = np.full(FIRST_SLOTS, EMPTY, np.int32)  # which row is in each
        self._words: Words = np.empty(0, np.uint64)
        self._packets: Index = np.empty(0, np.int64)

    def note(self, words: Words, packets: Index) -> npt.NDArray[np.bool_]:
        """Note rows, and the candid of the packet that told each; return which of them had not come before."""
        self._make_room(len(words))
        fresh = np.empty(len(words), np.uint8)
        self.count = int(_note(self._slots, self._words, self._packets, self.count, words, packets, fresh))
        return fresh.view(np.bool_)

    def words(self) -> Words:
        """Return the bits of each row, shape (count,)."""
        return self._words[: self.count]

    def packets(self) -> Index:
        """Return the candid of the largest packet that told each row, shape (count,)."""
        return self._packets[: self.count]

    def _make_room(self, coming: int) -> None:
        needed = self.count + coming
        if needed > len(self._words):
            for array in (self._words, self._packets):  # in place: the system moves large ones without copying
                array.resize(needed + needed // 8, refcheck=False)
        slots = len(self._slots)
        while slots * FILLED < needed:
            slots *= 2
        if slots > len(self._slots):
            self._slots = np.full(slots, EMPTY, np.int32)
            _place(self._slots, self._words, self.count)


@part
def _slot(slots: Places, words: Words, word: np.uint64) -> np.uint64:
    """Return the slot of the row with these bits, or the empty one where it belongs."""
    last = np.uint64(len(slots) - 1)
    slot = word & last
    while slots[slot] != EMPTY and words[slots[slot]] != word:
        slot = (slot + np.uint64(1)) & last
    return slot


@compiled(
    types.int64(
        *(PLACES_TYPE, WORDS_TYPE, types.int64[::1], types.int64),
        *(WORDS_TYPE, INDEX_TYPE, types.uint8[::1]),
    )
)
def _note(slots: Places, known: Words, largest: Index, count: int, words: Words, packets: Index, fresh: Bytes) -> int:
    for number in range(len(words)):
        slot = _slot(slots, known, words[number])
        row = slots[slot]
        fresh[number] = row == EMPTY
        if row == EMPTY:
            slots[slot], known[count], largest[count] = count, words[number], packets[number]
            count += 1
        elif packets[number] > largest[row]:
            largest[row] = packets[number]
    return count


@compiled(types.void(PLACES_TYPE, WORDS_TYPE, types.int64))
def _place(slots: Places, words: Words, count: int) -> None:
    """Put rows into slots that are all empty."""
    for row in range(count):
        slots[_slot(slots, words, words[row])] = row
