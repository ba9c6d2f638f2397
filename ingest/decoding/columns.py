"""The columns that the columnar decoder fills: where they lie in memory, and how they become Arrow tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa

from ingest.decoding import PACKET_INDEX, Offsets
from ingest.decoding.fields import BLOB
from ingest.decoding.memory import BITS, CELLS, MAX_NESTED, Memory
from ingest.decoding.reading import gather_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from ingest.decoding import Wanted
    from ingest.decoding.fields import Purpose

__all__ = ["Columns", "Layout", "Slot", "Symbols"]

ALIGNMENT = 64  # bytes, as Arrow recommends
SPAN = 16  # bytes of a cell that says where text or a blob lies
WIDTHS = {pa.int32(): 4, pa.float32(): 4, pa.int64(): 8, pa.float64(): 8, pa.string(): SPAN}


class Slot(NamedTuple):
    """A column: the number of its table, its path in it, and what it holds."""

    table: int
    path: str
    purpose: Purpose


class Layout:
    """Numbers all wanted columns; the same for all schemas. Table 0 is that of the packets."""

    def __init__(self, wanted: Wanted) -> None:
        self.tables = ["", *wanted.arrays]
        fields: list[Mapping[str, Any]] = [{**wanted.scalars, **dict.fromkeys(wanted.blobs, BLOB)}]
        fields += wanted.arrays.values()
        self.slots = [Slot(table, PACKET_INDEX, pa.int32()) for table in range(len(self.tables))]
        for table, columns in enumerate(fields):
            self.slots += [Slot(table, path, purpose) for path, purpose in columns.items()]
        self._numbers = {(slot.table, slot.path): number for number, slot in enumerate(self.slots)}

    def number(self, path: str, arrays: tuple[str, ...]) -> int:
        """Return the number of the column for the wanted leaf at `path` in `arrays`."""
        if not arrays:
            return self._numbers[0, path]
        return self._numbers[self.tables.index(arrays[0]), path[len(arrays[0]) + 1 :]]


class Symbols:
    """The words of all enums met, in one pool of bytes."""

    def __init__(self) -> None:
        self._pool = bytearray()
        self._places: list[tuple[int, int]] = []

    def add(self, symbols: Sequence[str]) -> int:
        """Take in the words of an enum; return the row of `places` that has their number, before their places."""
        first = len(self._places)
        self._places.append((len(symbols), 0))
        for symbol in symbols:
            self._places.append((len(self._pool), len(symbol)))
            self._pool += symbol.encode("ascii")
        return first

    def __len__(self) -> int:
        return len(self._pool)

    @property
    def pool(self) -> npt.NDArray[np.uint8]:
        """The words, one behind the other."""
        return np.frombuffer(bytes(self._pool), dtype=np.uint8)

    @property
    def places(self) -> npt.NDArray[np.int64]:
        """Shape (any, 2): for each enum a row with its number of words, then start and length of each word."""
        return np.array(self._places, dtype=np.int64).reshape(-1, 2)


class Columns:
    """Memory for the columns of one batch.

    Parameters
    ----------
    capacity
        Rows that each table has room for.
    """

    def __init__(self, layout: Layout, capacity: Sequence[int], symbols: Symbols) -> None:
        self._layout = layout
        self._pool = symbols.pool
        self._starts = np.zeros(len(layout.slots), dtype=np.int64)  # where cells begin, in bytes of their memory
        bases = np.zeros((len(layout.slots), 2), dtype=np.int64)
        cells = bits = 0
        for number, slot in enumerate(layout.slots):
            rows, bitmap = capacity[slot.table], _aligned(-(-capacity[slot.table] // 8))
            bases[number, BITS], bits = bits * 8, bits + bitmap
            if slot.purpose == pa.bool_():
                self._starts[number], bases[number, CELLS], bits = bits, bits * 8, bits + bitmap
            else:
                width = WIDTHS.get(slot.purpose, SPAN)
                self._starts[number], bases[number, CELLS] = cells, cells // width
                cells += _aligned(rows * width)
        self._cells = np.empty(cells, dtype=np.uint8)
        self.memory = self._make_memory(np.zeros(bits, dtype=np.uint8), bases, capacity, symbols)

    def _make_memory(
        self, bits: npt.NDArray[np.uint8], bases: npt.NDArray[np.int64], capacity: Sequence[int], symbols: Symbols
    ) -> Memory:
        tables = len(self._layout.tables)
        return Memory(
            self._cells.view(np.int32),
            self._cells.view(np.int64),
            self._cells.view(np.float32),
            self._cells.view(np.float64),
            bits,
            bases,
            tables=np.array([slot.table for slot in self._layout.slots], dtype=np.int64),
            rows=np.zeros(tables, dtype=np.int64),
            before=np.zeros(tables, dtype=np.int64),
            left=np.zeros(MAX_NESTED, dtype=np.int64),
            capacity=np.array(capacity, dtype=np.int64),
            symbols=symbols.places,
        )

    def make_tables(self, buffer: npt.NDArray[np.uint8]) -> list[pa.Table]:
        """Make the Arrow tables, in the order of the layout; numbers are not copied. Text is taken from `buffer`."""
        cells, bits = _arrow(self._cells), _arrow(self.memory.bits)
        columns: list[dict[str, Any]] = [{} for _ in self._layout.tables]
        for number, slot in enumerate(self._layout.slots):
            if isinstance(slot.purpose, pa.DataType):
                rows = int(self.memory.rows[slot.table])
                valid = None if slot.path == PACKET_INDEX else bits.slice(int(self.memory.bases[number, BITS]) // 8)
                if slot.purpose == pa.string():
                    values = self._gather(number, rows, buffer)
                else:
                    values = [(bits if slot.purpose == pa.bool_() else cells).slice(int(self._starts[number]))]
                columns[slot.table][slot.path] = pa.Array.from_buffers(slot.purpose, rows, [valid, *values])
        return [pa.table(table) for table in columns]

    def _gather(self, number: int, rows: int, buffer: npt.NDArray[np.uint8]) -> list[pa.Buffer]:
        spans, offsets = self._spans(number, rows), np.zeros(rows + 1, dtype=np.int32)
        np.cumsum(np.where(self._valid(number, rows), spans[:, 1], 0), out=offsets[1:])
        text = np.empty(offsets[-1], dtype=np.uint8)
        gather_text(buffer, self._pool, spans, offsets, text)
        return [_arrow(offsets), _arrow(text)]

    def _spans(self, number: int, rows: int) -> npt.NDArray[np.int64]:
        start = int(self._starts[number])
        return self._cells[start : start + rows * SPAN].view(np.int64).reshape(rows, 2)

    def find_blobs(self) -> dict[str, Offsets]:
        """Return where the blobs of each packet lie."""
        return {
            slot.path: self._offsets(number) for number, slot in enumerate(self._layout.slots) if slot.purpose == BLOB
        }

    def _offsets(self, number: int) -> Offsets:
        rows = int(self.memory.rows[0])
        valid, (starts, lengths) = self._valid(number, rows), self._spans(number, rows).T
        return Offsets(np.where(valid, starts, -1), np.where(valid, starts + lengths, -1))

    def _valid(self, number: int, rows: int) -> npt.NDArray[np.bool_]:
        bits = self.memory.bits[self.memory.bases[number, BITS] // 8 :]
        return np.unpackbits(bits, count=rows, bitorder="little").view(bool)


def _arrow(array: npt.NDArray[Any]) -> pa.Buffer:
    return pa.py_buffer(array.data)


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
