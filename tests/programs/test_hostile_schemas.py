"""Schemas, field names and file names made to hurt: the packet is a reject or is loaded, and the words stay words."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import fastavro
from hostile import contradictions, counts, make_tarball, member, reasons, schema_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.config import Config

    Run = Callable[..., tuple[int, str]]
    Record = dict[str, Any]


def long(number: int) -> bytes:
    """Write an integer as Avro does."""
    value, data = (number << 1) ^ (number >> 63), b""
    while value > 0x7F:
        data, value = data + bytes([value & 0x7F | 0x80]), value >> 7
    return data + bytes([value])


def container(schema: str | bytes, block: bytes = b"\0") -> bytes:
    """Write a packet by hand, whatever its schema says."""
    text = schema.encode() if isinstance(schema, str) else schema
    entries = b"".join(long(len(part)) + part for part in (b"avro.codec", b"null", b"avro.schema", text))
    return b"Obj\x01" + long(2) + entries + b"\0" + b"s" * 16 + long(1) + long(len(block)) + block + b"s" * 16


def deep(depth: int) -> str:
    return '{"type":"array","items":' * depth + '"int"' + "}" * depth


def doubling(depth: int) -> str:
    """A schema of a few hundred bytes that means 2 to the power of `depth` fields."""
    kind: Any = "int"
    for level in range(depth):
        fields = [{"name": "a", "type": kind}, {"name": "b", "type": f"r{level - 1}" if level else "int"}]
        kind = {"type": "record", "name": f"r{level}", "fields": fields}
    return json.dumps(kind)


def record_schema(field: str, kind: str = '"int"') -> str:
    return f'{{"type":"record","name":"r","fields":[{{"name":{field},"type":{kind}}}]}}'


SCHEMAS = {
    "deep": deep(100_000),
    "doubling": doubling(30),
    "itself": '{"type":"record","name":"r","fields":[{"name":"next","type":["null","r"]}]}',
    "huge": json.dumps({"type": "record", "name": "r", "fields": [{"name": "x" * 7_000_000, "type": "int"}]}),
    "long": record_schema('"' + "\U0001f52d" * 50_000 + '"'),
    "surrogate": record_schema('"\\ud800"'),
    "unknown": record_schema('"a"', '"\\udfff"'),
    "control": record_schema('"\\u001b[31m\\n\\u0000"'),
    "number": "1",
    "null": "null",
    "nan": "NaN",
    "broken": "{",
    "bytes": "\udcff",
}


def test_schemas_made_to_hurt(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    bad = [(f"{name}.avro", container(schema.encode("utf-8", "surrogateescape"))) for name, schema in SCHEMAS.items()]
    code, printed = run("ingest", make_tarball(tmp_path / "schemas.tar.gz", [member(records[0]), *bad]))
    assert code == 0, printed
    found = reasons(archive)
    assert found.keys() == {f"{name}.avro" for name in SCHEMAS}
    assert all(reason.isprintable() for reason in found.values())
    assert "\x1b" not in printed
    assert all(len(line) < 2000 for line in printed.splitlines())
    assert counts(archive)["alerts"] == 1
    assert contradictions(archive) == []
    assert run("rejects")[0] == 0


def test_unknown_fields_with_hostile_names(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    text = json.dumps(schema_of())
    names = ["\\ud800", "\\u001b[31m", "\U0001f52d" * 20_000, *(f"f{number}" for number in range(1000))]
    fields = ",".join(f'{{"name":"{name}","type":"null"}}' for name in names)  # takes no bytes in the record
    start = text.index('"fields": [') + len('"fields": [')
    schema = text[:start] + fields + "," + text[start:]
    file = io.BytesIO()
    fastavro.schemaless_writer(file, fastavro.parse_schema(schema_of()), records[0])
    odd_one = (f"{records[0]['candid']}.avro", container(schema, file.getvalue()))
    code, printed = run("ingest", make_tarball(tmp_path / "names.tar.gz", [odd_one, member(records[1])]))
    assert code == 0, printed
    assert counts(archive) | {"alerts": 2, "rejects": 0} == counts(archive)
    assert "\x1b" not in printed
    assert re.search(r"and 9\d\d more", printed)  # a thousand of names are not listed on one line
    assert all(len(line) < 2000 for line in printed.splitlines())
    assert run("nights")[0] == 0


def test_a_file_name_that_is_no_text(archive: Config, run: Run, records: list[Record], tmp_path: Path) -> None:
    path = tmp_path / "night\udcff.tar.gz"
    make_tarball(tmp_path / "a.tar.gz", [member(records[0])]).rename(path)
    code, printed = run("ingest", tmp_path)
    assert code != 0
    assert printed.count("Error: ") == 1
    assert "unexpected" not in printed
    assert counts(archive) == dict.fromkeys(counts(archive), 0)
