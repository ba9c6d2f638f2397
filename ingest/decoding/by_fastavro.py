"""The plain decoder: fastavro makes a dict of each record, and Arrow makes columns of the dicts.

It can do whatever Avro allows. It is faster than a loop over `fastavro.reader` because a schema is parsed once, and
because fastavro gets a private schema that describes the same bytes and asks for less work: text that nobody wants
stays bytes. `docs/decisions/decoding.md` has the figures.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import fastavro
import numpy as np
import pyarrow as pa

from ingest.decoding import PACKET_INDEX, Decoded, Offsets
from ingest.decoding.container import BadPacket
from ingest.decoding.fields import find_purpose, find_unknown
from ingest.decoding.limits import MAX_ITEMS
from ingest.decoding.opening import PacketOpener
from ingest.decoding.plans import Plans
from ingest.decoding.schema import Array, Enum, Fixed, Map, Primitive, RecordType, Union, join

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ingest.decoding import Packets, Wanted
    from ingest.decoding.opening import Records
    from ingest.decoding.schema import Node

__all__ = ["FastavroDecoder"]

INTEGER_RANGES = {pa.int32(): 1 << 31, pa.int64(): 1 << 63}


@dataclass(frozen=True)
class Plan:
    """What is kept of a writer's schema: fastavro's private form of it, and the paths that are unknown."""

    schema: Any
    unknown: frozenset[str]


class FastavroDecoder:
    """A decoder that uses fastavro. See `ingest.decoding.Decoder`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._scalars = _group(wanted.scalars)
        self._arrays = {name: _group(fields) for name, fields in wanted.arrays.items()}
        self._opener = PacketOpener()
        self._plans = Plans(self._make_plan)

    def decode(self, packets: Packets) -> Decoded:
        """Decode all packets. See `ingest.decoding.Decoder.decode`."""
        return self.decode_records(self._opener.open_all(packets))

    def decode_records(self, records: Records) -> Decoded:
        """Decode records that were found in their packets before."""
        found, unknown, rejects = self._read_all(records)
        try:
            tables = self._build(found)
        except (pa.ArrowException, OverflowError):
            rejects |= self._fit(found)
            tables = self._build(found)
        rows = [row for row, packet in enumerate(records.packets.tolist()) if packet in found]
        return Decoded(
            packets=tables[""],
            arrays={name: tables[name] for name in self._arrays},
            buffer=records.buffer,
            blobs=_find_blobs(records, rows, list(found.values()), self._wanted.blobs),
            rejects={**records.rejects, **rejects},
            unknown=unknown,
            doubts={packet: doubt for packet, doubt in records.doubts.items() if packet in found},
        )

    def _make_plan(self, tree: RecordType) -> Plan:
        unknown = find_unknown(tree, self._wanted)
        return Plan(fastavro.parse_schema(_PrivateSchema(self._wanted).write(tree)), unknown)

    def _read_all(self, records: Records) -> tuple[dict[int, dict[str, Any]], frozenset[str], dict[int, str]]:
        """Return the records by packet, the unknown fields of their schemas, and the rejects."""
        found, unknown, rejects = {}, set[str](), {}
        view = memoryview(records.buffer)
        for row, packet in enumerate(records.packets.tolist()):
            try:
                plan = self._plans.get(records.headers[records.origins[row]].schema)
                unknown |= plan.unknown
                found[packet] = self._read_one(bytes(view[records.starts[row] : records.ends[row]]), plan)
            except BadPacket as bad:
                rejects[packet] = str(bad)
            except Exception as error:  # a damaged record can provoke anything, MemoryError included
                rejects[packet] = f"the record is damaged: {type(error).__name__} {error}".rstrip()[:300]
        return found, frozenset(unknown), rejects

    def _read_one(self, data: bytes, plan: Plan) -> dict[str, Any]:
        file = io.BytesIO(data)
        record = cast("dict[str, Any]", fastavro.schemaless_reader(file, plan.schema, None))
        if file.tell() != len(data):
            raise BadPacket(f"the record is damaged: {len(data) - file.tell()} bytes are left over behind it")
        for name in self._arrays:
            items = _items(record, name)
            if len(items) > MAX_ITEMS:
                raise BadPacket(f"the packet has {len(items)} items in {name}; at most {MAX_ITEMS} are accepted")
        return record

    def _build(self, found: Mapping[int, dict[str, Any]]) -> dict[str, pa.Table]:
        """Make the table of the packets, under an empty name, and those of the arrays."""
        tables = {"": _table(list(found), list(found.values()), self._wanted.scalars, self._scalars)}
        for name, groups in self._arrays.items():
            items = {packet: _items(record, name) for packet, record in found.items()}
            packets = [packet for packet, rows in items.items() for _ in rows]
            rows = [row for rows in items.values() for row in rows]
            tables[name] = _table(packets, rows, self._wanted.arrays[name], groups)
        return tables

    def _fit(self, found: dict[int, dict[str, Any]]) -> dict[int, str]:
        """Make the values of all records fit their columns; take out the records in which one does not."""
        rejects = {}
        for packet, record in found.items():
            try:
                _fit_rows([record], self._scalars, "")
                for name, groups in self._arrays.items():
                    _fit_rows(_items(record, name), groups, name)
                self._build({packet: record})
            except BadPacket as bad:
                rejects[packet] = str(bad)
            except (pa.ArrowException, OverflowError, TypeError) as error:
                rejects[packet] = f"the record does not fit into columns: {error}"
        for packet in rejects:
            del found[packet]
        return rejects


class _PrivateSchema:
    """Writes a schema for fastavro that describes the same bytes with the least work in decoding them."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._types = 0

    def write(self, node: Node, path: str = "", arrays: tuple[str, ...] = ()) -> Any:
        """Write the schema of `node`, which stands at `path` in `arrays`."""
        match node:
            case RecordType(fields):
                inner = [{"name": name, "type": self.write(field, join(path, name), arrays)} for name, field in fields]
                return {"type": "record", "name": self._name(), "fields": inner}
            case Array(items):
                return {"type": "array", "items": self.write(items, path, (*arrays, path))}
            case Map(values):  # has the bytes of an array of pairs, whose keys then stay bytes
                pair = [
                    {"name": "key", "type": "bytes"},
                    {"name": "value", "type": self.write(values, f"{path}.*", arrays)},
                ]
                return {"type": "array", "items": {"type": "record", "name": self._name(), "fields": pair}}
            case Union(branches):
                return [self.write(branch, path, arrays) for branch in branches]
            case _:
                return self._write_leaf(node, find_purpose(self._wanted, path, arrays) == pa.string())

    def _write_leaf(self, node: Node, is_text: bool) -> Any:
        match node:
            case Fixed(size):
                return {"type": "fixed", "name": self._name(), "size": size}
            case Enum(symbols) if is_text:
                return {"type": "enum", "name": self._name(), "symbols": list(symbols)}
            case Enum():
                return "int"
            case Primitive("string" | "bytes"):
                return "string" if is_text else "bytes"
        return node.kind

    def _name(self) -> str:
        self._types += 1
        return f"t{self._types}"


@dataclass(frozen=True)
class _Group:
    """Wanted fields that lie in one record: the steps to that record, the fields as an Arrow struct, their paths."""

    steps: tuple[str, ...]
    fields: pa.StructType
    paths: tuple[str, ...]

    def parents(self, rows: Sequence[Any]) -> list[dict[str, Any] | None]:
        """Return the record that holds the fields for each row; None where there is none."""
        for step in self.steps:
            rows = [row.get(step) if isinstance(row, dict) else None for row in rows]
        return [row if isinstance(row, dict) else None for row in rows]


def _group(fields: Mapping[str, pa.DataType]) -> list[_Group]:
    parents = dict.fromkeys(path.rpartition(".")[0] for path in fields)
    return [_make_group(parent, fields) for parent in parents]


def _make_group(parent: str, fields: Mapping[str, pa.DataType]) -> _Group:
    inside = {path: kind for path, kind in fields.items() if path.rpartition(".")[0] == parent}
    struct = pa.struct([pa.field(path.rpartition(".")[2], kind) for path, kind in inside.items()])
    return _Group(tuple(parent.split(".")) if parent else (), struct, tuple(inside))


def _table(
    packets: list[int], rows: list[dict[str, Any]], fields: Mapping[str, pa.DataType], groups: list[_Group]
) -> pa.Table:
    columns: dict[str, pa.Array[Any]] = {}
    for group in groups:
        structs = cast("pa.StructArray", pa.array(group.parents(rows), group.fields))
        columns |= zip(group.paths, structs.flatten(), strict=True)
    index = pa.array(packets, pa.int32())
    schema = pa.schema([(PACKET_INDEX, pa.int32()), *fields.items()])
    return pa.Table.from_arrays([index, *(columns[path] for path in fields)], schema=schema)


def _items(record: dict[str, Any], path: str) -> list[Any]:
    """Return the items of the array at `path`; none if it is null or not there."""
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, list) else []


def _fit_rows(rows: Sequence[Any], groups: list[_Group], array: str) -> None:
    for group in groups:
        for parent in group.parents(rows):
            if parent is not None:
                for field, path in zip(group.fields, group.paths, strict=True):
                    parent[field.name] = _fit_value(parent.get(field.name), field.type, join(array, path))


def _fit_value(value: Any, kind: pa.DataType, path: str) -> Any:
    if value is None:
        return None
    if kind in INTEGER_RANGES and not -INTEGER_RANGES[kind] <= value < INTEGER_RANGES[kind]:
        raise BadPacket(f"the field {path} holds {value}, which does not fit into {kind}")
    return float(value) if pa.types.is_floating(kind) else value


def _find_blobs(
    records: Records, rows: Sequence[int], found: Sequence[dict[str, Any]], paths: tuple[str, ...]
) -> dict[str, Offsets]:
    """Find where in the buffer the bytes of each blob lie."""
    places = {path: np.full((2, len(rows)), -1, dtype=np.int64) for path in paths}
    view = memoryview(records.buffer)
    for at, (row, record) in enumerate(zip(rows, found, strict=True)):
        start, data = int(records.starts[row]), bytes(view[records.starts[row] : records.ends[row]])
        behind = 0  # the blobs mostly follow each other; looking from there on is quicker
        for path in paths:
            blob = _blob(record, path)
            if blob is not None:
                place = data.find(blob, behind)
                place = data.index(blob) if place < 0 else place
                behind = place + len(blob)
                places[path][:, at] = start + place, start + behind
    return {path: Offsets(place[0], place[1]) for path, place in places.items()}


def _blob(record: dict[str, Any], path: str) -> bytes | None:
    value: Any = record
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value if isinstance(value, bytes) else None
