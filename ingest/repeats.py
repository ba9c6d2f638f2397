"""Which rows were told before, and the largest packet that told each.

Histories repeat from packet to packet: the next packet of the same object tells the same rows again. A row is known
by 64 bits that stand for its cells; in a tarball of ten million rows two different ones meet with a chance of 3e-6.

Memory is for objects, and four bytes for each row. The bits of the rows wait on disk, where each row also says which
one of its object came before it. They are read again only where a packet of the same object comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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

ROWS, SLOTS, PACKETS = range(3)  # what Memory.counts counts


class Memory(NamedTuple):
    """What is kept of rows in memory, each array longer than what is in it."""

    keys: Index  # an object in each slot, or a single row
    heads: Numbers  # the last row of each slot's object, NONE where the slot is empty
    tellers: Numbers  # of each row, the number of the largest packet that told it
    packets: Index  # candids by these numbers
    counts: Index  # shape (3,): how many rows, slots taken and packets there are


class Batch(NamedTuple):
    """Rows that come: bits that stand for the object of each and for all its cells, and the packet that told it."""

    objects: Index
    words: Index
    packets: Index


MEMORY_TYPE = types.NamedTuple(
    (types.int64[::1], types.int32[::1], types.int32[::1], types.int64[::1], types.int64[::1]), Memory
)
BATCH_TYPE = types.NamedUniTuple(INDEX_TYPE, 3, Batch)
TOLD_TYPE = types.Array(types.int64, 2, "C", readonly=True)


class Repeats:
    """The rows that were told, numbered as they come.

    Parameters
    ----------
    path
        Of the file in which the bits of the rows wait.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._memory = Memory(
            keys=np.empty(FIRST_SLOTS, np.int64),
            heads=np.full(FIRST_SLOTS, NONE, np.int32),
            tellers=np.empty(0, np.int32),
            packets=np.empty(0, np.int64),
            counts=np.zeros(3, np.int64),
        )

    @property
    def count(self) -> int:
        """How many different rows there were."""
        return int(self._memory.counts[ROWS])

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
        # numba takes tuples of arrays as they are: one that may be written to is none of those that may not
        batch = Batch(*(_readonly(array.view(np.int64)) for array in (objects, words, packets)))
        _note(self._memory, self._rows(0, before), batch, rows, fresh)
        with spooling(self._path.parent), self._path.open("ab" if before else "wb") as file:
            file.write(rows[: self.count - before].data)
        return fresh.view(np.bool_)

    def words(self, first: int, end: int) -> Words:
        """Return the bits of some rows, shape (end - first,)."""
        return self._rows(first, end)[:, WORD].view(np.uint64)

    def packets(self, first: int, end: int) -> Index:
        """Return the candid of the largest packet that told each of some rows, shape (end - first,)."""
        return self._memory.packets[self._memory.tellers[first:end]]

    def _rows(self, first: int, end: int) -> Index:
        """Look at the file; what is looked at stays in memory only as long as this."""
        if first == end:
            return _readonly(np.empty((0, 2), np.int64))
        return np.asarray(np.memmap(self._path, np.int64, "r", 16 * first, (end - first, 2)))

    def _make_room(self, coming: int) -> None:
        rows, slots, packets = self._memory.counts.tolist()
        for array, needed in ((self._memory.tellers, rows + coming), (self._memory.packets, packets + coming)):
            if needed > len(array):
                array.resize(needed + needed // 8, refcheck=False)
        room = len(self._memory.keys)
        while room * FILLED < slots + coming:
            room *= 2
        if room > len(self._memory.keys):
            keys, heads = np.empty(room, np.int64), np.full(room, NONE, np.int32)
            larger = self._memory._replace(keys=keys, heads=heads)
            _move(self._memory, larger)
            self._memory = larger


def _readonly(array: Index) -> Index:
    array.flags.writeable = False
    return array


@part
def _slot(memory: Memory, key: int) -> int:
    """Return the slot of this key, or the empty one where it belongs."""
    last = len(memory.keys) - 1
    slot = int((np.uint64(key) * SPREAD) >> np.uint64(32)) & last
    while memory.heads[slot] != NONE and memory.keys[slot] != key:
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


@compiled(types.void(MEMORY_TYPE, TOLD_TYPE, BATCH_TYPE, types.int64[:, ::1], types.uint8[::1]))
def _note(memory: Memory, told: Index, batch: Batch, rows: Index, fresh: Bytes) -> None:
    """Note a batch; those that are not among the rows `told` on disk become `rows` behind them, and are `fresh`."""
    heads, tellers, candids = memory.heads, memory.tellers, memory.packets
    count, taken, n_candids = memory.counts[ROWS], memory.counts[SLOTS], memory.counts[PACKETS]
    for number in range(len(batch.words)):
        key, word, packet = batch.objects[number], batch.words[number], batch.packets[number]
        if n_candids == 0 or candids[n_candids - 1] != packet:
            candids[n_candids] = packet
            n_candids += 1
        slot = _slot(memory, key)
        row, seen = _find(told, rows, heads[slot], word)
        if row == NONE and seen >= LONGEST:
            key ^= word
            slot = _slot(memory, key)
            row, seen = _find(told, rows, heads[slot], word)
        fresh[number] = row == NONE
        if row == NONE:
            taken += heads[slot] == NONE
            rows[count - len(told), WORD], rows[count - len(told), BEFORE] = word, heads[slot]
            memory.keys[slot], heads[slot], tellers[count] = key, count, n_candids - 1
            count += 1
        elif packet > candids[tellers[row]]:
            tellers[row] = n_candids - 1
    memory.counts[ROWS], memory.counts[SLOTS], memory.counts[PACKETS] = count, taken, n_candids


@compiled(types.void(MEMORY_TYPE, MEMORY_TYPE))
def _move(smaller: Memory, larger: Memory) -> None:
    """Put what is in slots into others that are all empty."""
    for old in range(len(smaller.heads)):
        if smaller.heads[old] != NONE:
            slot = _slot(larger, smaller.keys[old])
            larger.keys[slot], larger.heads[slot] = smaller.keys[old], smaller.heads[old]
