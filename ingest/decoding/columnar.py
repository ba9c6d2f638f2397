"""The fast decoder: each schema becomes a small program once, and compiled code runs it over a whole batch.

It gives what `ingest.decoding.by_fastavro` gives, to the last bit of a float. It knows all of Avro that
`ingest.decoding.schema` lets pass, so no schema is left to another decoder.

The parts, in the order of the work: `opening` finds the records, `schema` reads a writer's schema, `program` writes
the program for it, `kernel` runs that, and `columns` holds what it fills and makes the tables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ingest.decoding import Decoded, kernel, reading
from ingest.decoding.columns import Columns, Layout, Symbols
from ingest.decoding.container import BadPacket, read_long
from ingest.decoding.fields import find_unknown
from ingest.decoding.limits import MAX_ITEMS
from ingest.decoding.opening import PacketOpener
from ingest.decoding.plans import Plans
from ingest.decoding.program import write_program

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.decoding import Packets, Wanted
    from ingest.decoding.memory import Memory, Program
    from ingest.decoding.opening import Records
    from ingest.decoding.schema import RecordType

__all__ = ["ColumnarDecoder"]

ROWS_PER_PACKET = 32  # of an array, to begin with; where they are more, the tables grow
MAX_SYMBOLS = 1 << 20  # bytes of enums' words that are kept from batch to batch


@dataclass(frozen=True)
class Plan:
    """What is kept of a writer's schema: the program, the field of each instruction, and the unknown fields."""

    program: Program
    paths: list[str]
    unknown: frozenset[str]


class ColumnarDecoder:
    """A decoder that runs compiled code over whole batches. See `ingest.decoding.Decoder`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._layout = Layout(wanted)
        self._symbols = Symbols()
        self._opener = PacketOpener(reading.find_records)
        self._plans = Plans(self._make_plan)
        self._rows_per_packet = [float(ROWS_PER_PACKET)] * len(wanted.arrays)

    def decode(self, packets: Packets) -> Decoded:
        """Decode all packets. See `ingest.decoding.Decoder.decode`."""
        if len(self._symbols) > MAX_SYMBOLS:
            self._plans.clear()
            self._symbols = Symbols()
        return self.decode_records(self._opener.open_all(packets))

    def decode_records(self, records: Records) -> Decoded:
        """Decode records that were found in their packets before."""
        buffer = np.asarray(memoryview(records.buffer).cast("B"))
        rejects = dict(records.rejects)
        runs = self._find_runs(records, rejects)
        columns, troubles = self._run_all(buffer, records, runs)
        for run in runs:
            for index in run.start + np.flatnonzero(troubles[run.start : run.end, 0]):
                rejects[int(records.packets[index])] = _explain(run.plan, buffer, *troubles[index].tolist())
        packets, *arrays = columns.make_tables(buffer)
        return Decoded(
            packets=packets,
            arrays=dict(zip(self._wanted.arrays, arrays, strict=True)),
            buffer=records.buffer,
            blobs=columns.find_blobs(),
            rejects=rejects,
            unknown=frozenset[str]().union(*(run.plan.unknown for run in runs)),
            doubts={packet: doubt for packet, doubt in records.doubts.items() if packet not in rejects},
        )

    def _make_plan(self, tree: RecordType) -> Plan:
        unknown = find_unknown(tree, self._wanted)
        return Plan(*write_program(tree, self._wanted, self._layout, self._symbols), unknown)

    def _find_runs(self, records: Records, rejects: dict[int, str]) -> list[_Run]:
        """Cut the records where the header changes; those of a schema that is refused join the rejects."""
        edges = np.flatnonzero(np.diff(records.origins, prepend=-1, append=-1)).tolist()
        runs = []
        for start, end in pairwise(edges):
            try:
                runs.append(_Run(start, end, self._plans.get(records.headers[records.origins[start]].schema)))
            except BadPacket as bad:
                rejects |= dict.fromkeys(records.packets[start:end].tolist(), str(bad))
        return runs

    def _run_all(
        self, buffer: npt.NDArray[np.uint8], records: Records, runs: list[_Run]
    ) -> tuple[Columns, npt.NDArray[np.int64]]:
        """Fill columns with all records; return them and what `decode_records` of the kernel says of each record."""
        count = len(records.packets)
        capacity = [count, *(math.ceil(count * rows) for rows in self._rows_per_packet)]
        troubles = np.zeros((count, 3), dtype=np.int64)
        while True:
            columns = Columns(self._layout, capacity, self._symbols)
            full = _run_until_full(buffer, records, runs, columns.memory, troubles)
            if full is None:
                filled = columns.memory.rows[1:].tolist()
                self._rows_per_packet = [max(ROWS_PER_PACKET, 1.5 * rows / max(count, 1)) for rows in filled]
                return columns, troubles
            table, rows = full
            capacity[table] = max(rows, 2 * capacity[table])


class _Run(NamedTuple):
    """Some records of the same header, one behind the other."""

    start: int
    end: int
    plan: Plan


def _run_until_full(
    buffer: npt.NDArray[np.uint8],
    records: Records,
    runs: list[_Run],
    memory: Memory,
    troubles: npt.NDArray[np.int64],
) -> tuple[int, int] | None:
    """Decode all runs. Where a table is full, stop and return its number and how many rows it needs at least."""
    for start, end, plan in runs:
        part = slice(start, end)
        places = records.starts[part], records.ends[part], records.packets[part]
        done = kernel.decode_records(buffer, *places, plan.program, memory, troubles[part])
        if done < end - start:
            _, instruction, rows = troubles[start + done].tolist()
            return int(plan.program.instructions[instruction, kernel.TABLE]), rows
    return None


def _explain(plan: Plan, buffer: npt.NDArray[np.uint8], fault: int, instruction: int, number: int) -> str:
    """Say in words why a record was refused; `number` is what the kernel says about the fault."""
    path = plan.paths[instruction] if plan.paths else ""
    match fault:
        case kernel.MISFIT:
            return f"the field {path} holds {_value(buffer, number)}, which does not fit into int32"
        case kernel.TOO_MANY:
            return f"the packet has {number} items in {path}; at most {MAX_ITEMS} are accepted"
        case kernel.LEFT_OVER:
            return f"the record is damaged: {number} bytes are left over behind it"
        case reading.BAD_LENGTH:
            damage = f"it has a length of {_value(buffer, number)} bytes"
        case kernel.BAD_BRANCH:
            damage = f"its union has no branch {_value(buffer, number)}"
        case kernel.BAD_SYMBOL:
            damage = f"its enum has no word {_value(buffer, number)}"
        case kernel.BAD_COUNT:
            damage = f"it has {number} items, and not enough bytes for them"
        case kernel.BAD_TEXT:
            damage = "its text is not UTF-8"
        case _:
            damage = "the record ends in it, or a number in it has no end"
    return f"the record is damaged at the field {path}: {damage}"


def _value(buffer: npt.NDArray[np.uint8], position: int) -> int:
    """Read the integer at fault once more."""
    return read_long(buffer.data, position, len(buffer))[0]
