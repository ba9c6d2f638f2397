"""Which rows were told before, and the largest packet that told each.

Histories repeat from packet to packet: the next packet of the same object tells the same rows again. A row is known
by 64 bits that stand for its cells; in a tarball of ten million rows two different ones meet with a chance of 3e-6.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.compiling import INDEX_TYPE, Bytes, Index, compiled, types

if TYPE_CHECKING:
    import numpy.typing as npt

    Words = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.int32]

__all__ = ["Repeats"]

FIRST_SLOTS = 2**12
FILLED = 0.75  # part of the slots that may be taken: more would make the searches long

WORDS_TYPE, PLACES_TYPE = types.uint64[::1], types.int32[::1]
PACKETS_TYPE, FLAGS_TYPE = types.int64[::1], types.uint8[::1]


class Repeats:
    """A hash table of rows. Rows are numbered as they come; about 40 bytes each.

    Attributes
    ----------
    count
        How many different rows there were.
    """

    def __init__(self) -> None:
        self.count = 0
        self._words: Words = np.empty(FIRST_SLOTS, np.uint64)
        self._rows: Places = np.full(FIRST_SLOTS, -1, np.int32)
        self._packets: Index = np.empty(0, np.int64)
        self._grown: Bytes = np.empty(0, np.uint8)

    def note(self, words: Words, packets: Index) -> npt.NDArray[np.bool_]:
        """Note rows, and the candid of the packet that told each; return which of them had not come before."""
        self._make_room(len(words))
        fresh = np.empty(len(words), np.uint8)
        table = (self._words, self._rows, self._packets, self._grown)
        self.count = int(_note(*table, self.count, words, packets, fresh))
        return fresh.view(np.bool_)

    def words(self) -> Words:
        """Return the bits of each row, shape (count,)."""
        words = np.empty(self.count, np.uint64)
        taken = self._rows >= 0
        words[self._rows[taken]] = self._words[taken]
        return words

    def packets(self) -> Index:
        """Return the candid of the largest packet that told each row, shape (count,)."""
        return self._packets[: self.count]

    def grown(self) -> Index:
        """Return the numbers of the rows that a larger packet told again."""
        return np.flatnonzero(self._grown[: self.count])

    def _make_room(self, coming: int) -> None:
        needed = self.count + coming
        if needed > len(self._packets):
            more = needed + needed // 4 - len(self._packets)
            self._packets = np.concatenate([self._packets, np.empty(more, np.int64)])
            self._grown = np.concatenate([self._grown, np.zeros(more, np.uint8)])
        slots = len(self._words)
        while slots * FILLED < needed:
            slots *= 2
        if slots > len(self._words):
            words, rows = np.empty(slots, np.uint64), np.full(slots, -1, np.int32)
            _move(self._words, self._rows, words, rows)
            self._words, self._rows = words, rows


@compiled(
    types.int64(
        WORDS_TYPE,
        PLACES_TYPE,
        types.int64[::1],
        types.uint8[::1],
        types.int64,
        WORDS_TYPE,
        INDEX_TYPE,
        types.uint8[::1],
    )
)
def _note(
    table: Words, rows: Places, largest: Index, grown: Bytes, count: int, words: Words, packets: Index, fresh: Bytes
) -> int:
    last = np.uint64(len(table) - 1)
    for number in range(len(words)):
        slot = words[number] & last
        while rows[slot] >= 0 and table[slot] != words[number]:
            slot = (slot + np.uint64(1)) & last
        row = rows[slot]
        fresh[number] = row < 0
        if row < 0:
            table[slot], rows[slot], largest[count] = words[number], count, packets[number]
            count += 1
        elif packets[number] > largest[row]:
            largest[row], grown[row] = packets[number], 1
    return count


@compiled(types.void(WORDS_TYPE, PLACES_TYPE, WORDS_TYPE, PLACES_TYPE))
def _move(words: Words, rows: Places, new_words: Words, new_rows: Places) -> None:
    """Put the rows of a hash table into a larger one."""
    last = np.uint64(len(new_words) - 1)
    for old in range(len(words)):
        if rows[old] >= 0:
            slot = words[old] & last
            while new_rows[slot] >= 0:
                slot = (slot + np.uint64(1)) & last
            new_words[slot], new_rows[slot] = words[old], rows[old]
