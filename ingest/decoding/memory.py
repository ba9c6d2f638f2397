"""What the kernel works on: a program, and the memory that it fills. Both are tuples of arrays, as numba takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ingest.compiling import types
from ingest.decoding.limits import MAX_DEPTH

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ingest.compiling import Bytes, Index

__all__ = ["BITS", "CELLS", "MAX_NESTED", "MEMORY_TYPE", "PROGRAM_TYPE", "Memory", "Program"]

CELLS, BITS = range(2)  # columns of Memory.bases
MAX_NESTED = MAX_DEPTH + 2  # arrays and maps within each other


class Program(NamedTuple):
    """A writer's schema as instructions, shape (n, 4), and the targets of its unions' branches."""

    instructions: Index
    jumps: Index


class Memory(NamedTuple):
    """Where columns are filled: one stretch of memory, seen as several types, and one of bits.

    The cell of the column `slot` in a row is number ``bases[slot, CELLS] + row`` of the array of its type, and bit
    number ``bases[slot, BITS] + row`` says that it is not null. Texts and blobs are two cells of int64: start and
    length. The first slots are no fields: they hold, for each table, the packet of each row.
    """

    int32: npt.NDArray[np.int32]
    int64: Index
    float32: npt.NDArray[np.float32]
    float64: npt.NDArray[np.float64]
    bits: Bytes
    bases: Index  # shape (slots, 2)
    tables: Index  # the table of each slot
    rows: Index  # rows filled of each table
    before: Index  # of these, the rows filled before the record at hand
    left: Index  # items to come, of each array and map that we are in
    capacity: Index  # rows that each table has room for
    symbols: Index  # shape (any, 2): start in the pool and length, the symbols of an enum behind their number


PROGRAM_TYPE = types.NamedTuple((types.int64[:, ::1], types.int64[::1]), Program)
MEMORY_TYPE = types.NamedTuple(
    (
        types.int32[::1],
        types.int64[::1],
        types.float32[::1],
        types.float64[::1],
        types.uint8[::1],
        types.int64[:, ::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[::1],
        types.int64[:, ::1],
    ),
    Memory,
)
