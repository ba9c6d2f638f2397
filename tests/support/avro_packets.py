"""Packets made with fastavro, and decoded ones compared with plain dictionaries or with each other."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
from typing import TYPE_CHECKING, Any

import fastavro
import numpy as np
import pyarrow as pa

from ingest.decoding import Packets

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ingest.decoding import Decoded, Wanted

GAP = b"\xff" * 7


def pack(packets: Iterable[bytes], gap: bytes = GAP) -> Packets:
    """Put packets into one buffer, with something between them that belongs to none."""
    packets = list(packets)
    ends = np.cumsum([len(gap) + len(packet) for packet in packets], dtype=np.int64)
    starts = ends - np.array([len(packet) for packet in packets], dtype=np.int64)
    return Packets(memoryview(b"".join(gap + packet for packet in packets)), starts, ends)


def write(schema: Any, *records: Any, codec: str = "null") -> bytes:
    """Write records as one packet."""
    file = io.BytesIO()
    fastavro.writer(file, fastavro.parse_schema(schema), records, codec=codec)
    return file.getvalue()


def with_schema(packet: bytes, schema: Any) -> bytes:
    """Put another schema that describes the same bytes into a packet."""
    sync = packet[-16:]
    file = io.BytesIO()
    metadata = {"avro.schema": json.dumps(schema).encode()}
    fastavro.schemaless_writer(file, {"type": "map", "values": "bytes"}, metadata)
    return b"Obj\x01" + file.getvalue() + packet[packet.index(sync) :]


def split(packet: bytes) -> tuple[bytes, bytes]:
    """Return header and record of a packet that has one block with one record."""
    sync = packet[-16:]
    body = packet.index(sync) + 16
    file = io.BytesIO(packet[body:-16])
    for _ in range(2):
        fastavro.schemaless_reader(file, "long", None)
    return packet[:body], file.read()


def join(header: bytes, record: bytes) -> bytes:
    """Make a packet of a header and a record."""
    file = io.BytesIO()
    for number in (1, len(record)):
        fastavro.schemaless_writer(file, "long", number)
    return header + file.getvalue() + record + header[-16:]


def record(*fields: Any, name: str = "r", **more: Any) -> dict[str, Any]:
    """Make the schema of a record from names and types."""
    return {"type": "record", "name": name, "fields": [{"name": key, "type": kind} for key, kind in fields]} | more


def first_record(packet: bytes) -> dict[str, Any]:
    """Read a packet plainly."""
    found: Any = next(iter(fastavro.reader(io.BytesIO(packet))))
    return dict(found)


def members(path: Path) -> list[bytes]:
    """Read the packets of a tarball plainly."""
    with gzip.open(path) as file, tarfile.open(fileobj=io.BytesIO(file.read())) as tar:
        return [tar.extractfile(member).read() for member in tar]  # type: ignore[union-attr]


def look_up(value: Any, path: str) -> Any:
    """Return the value at a dotted path; None where a step of it is missing."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def as_cell(value: Any, kind: pa.DataType) -> Any:
    """Return a value as its column should hold it: floats by all their bits."""
    if value is None or not pa.types.is_floating(kind):
        return value.decode() if isinstance(value, bytes) else value
    return struct.pack("<d", value) if kind == pa.float64() else np.float32(value).tobytes()


def cells(table: pa.Table, name: str) -> list[Any]:
    """Return a column's cells: floats by all their bits."""
    kind = table.schema.field(name).type
    if not pa.types.is_floating(kind):
        return table[name].to_pylist()
    column = table[name].combine_chunks()
    bits = column.view(pa.int32() if kind == pa.float32() else pa.int64()).to_pylist()
    return [None if value is None else value.to_bytes(kind.bit_width // 8, "little", signed=True) for value in bits]


def blobs(decoded: Decoded, path: str) -> list[bytes | None]:
    """Return the bytes of a blob of each packet."""
    pairs = zip(decoded.blobs[path].starts.tolist(), decoded.blobs[path].ends.tolist(), strict=True)
    return [bytes(decoded.buffer[start:end]) if start >= 0 else None for start, end in pairs]


def assert_same(decoded: Decoded, expected: dict[int, dict[str, Any]], wanted: Wanted) -> int:
    """Compare all cells and blobs with the records expected, by packet; return how many cells there were."""
    assert decoded.packets["packet"].to_pylist() == list(expected)
    count = _compare(decoded.packets, list(expected.values()), wanted.scalars)
    for name, fields in wanted.arrays.items():
        items = [(packet, item) for packet, record in expected.items() for item in look_up(record, name) or ()]
        assert decoded.arrays[name]["packet"].to_pylist() == [packet for packet, _ in items]
        count += _compare(decoded.arrays[name], [item for _, item in items], fields)
    for path in wanted.blobs:
        assert blobs(decoded, path) == [look_up(record, path) for record in expected.values()], path
    return count


def _compare(table: pa.Table, rows: list[dict[str, Any]], fields: Any) -> int:
    assert table.schema.equals(pa.schema([("packet", pa.int32()), *fields.items()]))
    table.validate(full=True)
    for path, kind in fields.items():
        assert cells(table, path) == [as_cell(look_up(row, path), kind) for row in rows], path
    return len(rows) * len(fields)


def everything(decoded: Decoded) -> tuple[Any, ...]:
    """Return all that was decoded as values that can be compared."""
    tables = {"": decoded.packets, **decoded.arrays}
    values = {name: [cells(table, column) for column in table.column_names] for name, table in tables.items()}
    schemas = {name: table.schema for name, table in tables.items()}
    return schemas, values, {path: blobs(decoded, path) for path in decoded.blobs}
