"""From a writer's schema to the program that the kernel runs; see `ingest.decoding.kernel` for the instructions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from ingest.decoding import kernel
from ingest.decoding.fields import BLOB, find_purpose
from ingest.decoding.memory import Program
from ingest.decoding.schema import NULL, Array, Enum, Fixed, Map, RecordType, Union, join

if TYPE_CHECKING:
    from ingest.decoding import Wanted
    from ingest.decoding.columns import Layout, Symbols
    from ingest.decoding.fields import Purpose
    from ingest.decoding.schema import Node

__all__ = ["write_program"]

SKIPS = {
    "null": (kernel.SKIP, 0),
    "boolean": (kernel.SKIP, 1),
    "float": (kernel.SKIP, 4),
    "double": (kernel.SKIP, 8),
    "int": (kernel.SKIP_LONG, 0),
    "long": (kernel.SKIP_LONG, 0),
    "enum": (kernel.SKIP_LONG, 0),
    "bytes": (kernel.SKIP_BYTES, 0),
    "string": (kernel.SKIP_BYTES, 0),
}
FROM_LONG: dict[Purpose, int] = {
    pa.int32(): kernel.LONG_TO_INT32,
    pa.int64(): kernel.LONG_TO_INT64,
    pa.float32(): kernel.LONG_TO_FLOAT32,
    pa.float64(): kernel.LONG_TO_FLOAT64,
}
TEXT: dict[Purpose, int] = {pa.string(): kernel.TEXT, BLOB: kernel.BYTES}
STORES: dict[str, dict[Purpose, int]] = {
    "int": FROM_LONG,
    "long": FROM_LONG,
    "float": {pa.float32(): kernel.FLOAT_TO_FLOAT32, pa.float64(): kernel.FLOAT_TO_FLOAT64},
    "double": {pa.float32(): kernel.DOUBLE_TO_FLOAT32, pa.float64(): kernel.DOUBLE_TO_FLOAT64},
    "boolean": {pa.bool_(): kernel.BOOLEAN},
    "string": TEXT,
    "bytes": TEXT,
    "fixed": {BLOB: kernel.FIXED},
    "enum": {pa.string(): kernel.ENUM},
}


def write_program(tree: RecordType, wanted: Wanted, layout: Layout, symbols: Symbols) -> tuple[Program, list[str]]:
    """Write the program for records of a schema; return it and the path of the field of each instruction.

    The schema is one that `ingest.decoding.fields.find_unknown` has accepted.
    """
    writer = _Writer(wanted, layout, symbols)
    writer.write(tree, "", ())
    instructions = np.array(writer.instructions, dtype=np.int64).reshape(-1, 4)
    return Program(instructions, np.array(writer.jumps, dtype=np.int64)), writer.paths


class _Writer:
    def __init__(self, wanted: Wanted, layout: Layout, symbols: Symbols) -> None:
        self._wanted = wanted
        self._layout = layout
        self._symbols = symbols
        self.instructions: list[list[int]] = []
        self.jumps: list[int] = []
        self.paths: list[str] = []

    def write(self, node: Node, path: str, arrays: tuple[str, ...]) -> None:
        """Write the instructions for `node`, which stands at `path` in `arrays`."""
        match node:
            case RecordType(fields):
                for name, field in fields:
                    self.write(field, join(path, name), arrays)
            case Union(branches):
                self._write_union(branches, path, arrays)
            case Array(items):
                is_wanted = not arrays and path in self._wanted.arrays
                table = self._layout.tables.index(path) if is_wanted else kernel.NO_TABLE
                repeat = self._emit(path, kernel.REPEAT, table)
                self.write(items, path, (*arrays, path))
                self._end_repeat(repeat, path)
            case Map(values):
                repeat = self._emit(path, kernel.REPEAT, kernel.NO_TABLE)
                self._emit(path, kernel.SKIP_BYTES)
                self.write(values, f"{path}.*", arrays)
                self._end_repeat(repeat, path)
            case _:
                self._write_leaf(node, path, arrays)

    def _write_leaf(self, node: Node, path: str, arrays: tuple[str, ...]) -> None:
        size = node.size if isinstance(node, Fixed) else 0
        purpose = find_purpose(self._wanted, path, arrays)
        if purpose is None or node == NULL:
            code, size = SKIPS.get(node.kind, (kernel.SKIP, size))
            self._emit(path, code, argument=size)
            return
        slot = self._layout.number(path, arrays)
        argument = self._symbols.add(node.symbols) if isinstance(node, Enum) else size
        self._emit(path, STORES[node.kind][purpose], self._layout.slots[slot].table, slot, argument)

    def _write_union(self, branches: tuple[Node, ...], path: str, arrays: tuple[str, ...]) -> None:
        """Write the branches one behind the other; each but the last ends with a jump behind them all."""
        first, ends = len(self.jumps), []
        self._emit(path, kernel.UNION, slot=len(branches), argument=first)
        self.jumps += [0] * len(branches)
        for number, branch in enumerate(branches):
            self.jumps[first + number] = len(self.instructions)
            if branch != NULL:
                self.write(branch, path, arrays)
                ends.append(self._emit(path, kernel.JUMP))
        if ends:  # the last has nothing to jump over
            del self.instructions[ends[-1]], self.paths[ends.pop()]
        end = len(self.instructions)
        for number, branch in enumerate(branches):
            if branch == NULL:
                self.jumps[first + number] = end
        for jump in ends:
            self.instructions[jump][kernel.ARGUMENT] = end

    def _end_repeat(self, repeat: int, path: str) -> None:
        self._emit(path, kernel.NEXT, self.instructions[repeat][kernel.TABLE], argument=repeat)
        self.instructions[repeat][kernel.ARGUMENT] = len(self.instructions)

    def _emit(self, path: str, code: int, table: int = 0, slot: int = 0, argument: int = 0) -> int:
        self.instructions.append([code, table, slot, argument])
        self.paths.append(path)
        return len(self.instructions) - 1
