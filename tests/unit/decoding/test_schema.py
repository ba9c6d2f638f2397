"""Reading writers' schemas: spellings of the same, what is refused, and where the wanted fields lie."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from avro_packets import record

from ingest.decoding import Wanted
from ingest.decoding.container import BadPacket
from ingest.decoding.fields import find_unknown
from ingest.decoding.schema import Enum, Primitive, RecordType, leaves, read_schema


def tree(schema: Any) -> RecordType:
    return read_schema(json.dumps(schema).encode())


def test_a_type_may_be_spelled_in_several_ways() -> None:
    expected = RecordType((("x", Primitive("long")),))
    for kind in ("long", {"type": "long"}, {"type": {"type": "long"}}, {"type": "long", "logicalType": "date"}):
        assert tree(record(("x", kind))) == expected


@pytest.mark.parametrize(
    ("outer", "inner", "reference"),
    [
        ({"name": "a"}, {"name": "b"}, "b"),
        ({"name": "n.a"}, {"name": "b"}, "b"),
        ({"name": "n.a"}, {"name": "b"}, "n.b"),
        ({"name": "a", "namespace": "n"}, {"name": "b"}, "n.b"),
        ({"name": "a", "namespace": "n"}, {"name": "b", "namespace": "m"}, "m.b"),
        ({"name": "n.a"}, {"name": "m.b", "namespace": "ignored"}, "m.b"),
        ({"name": "n.a"}, {"name": "b", "namespace": ""}, "b"),
    ],
)
def test_named_types_are_found_in_their_namespace(outer: Any, inner: Any, reference: str) -> None:
    enum = {"type": "enum", "symbols": ["u", "v"], **inner}
    schema = record(("x", enum), ("y", reference), **outer)
    assert dict(tree(schema).fields)["y"] == Enum(("u", "v"))


def test_a_record_used_twice_is_two_parts_of_the_tree() -> None:
    source = record(("jd", "double"), name="source")
    schema = record(("now", source), ("before", ["null", {"type": "array", "items": "source"}]))
    assert [(leaf.path, leaf.arrays) for leaf in leaves(tree(schema))] == [
        ("now.jd", ()),
        ("before.jd", ("before",)),
    ]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (record(("x", ["null", "r"])), "contains itself"),
        (record(("x", {"type": "array", "items": "null"})), "take no bytes"),
        (record(("x", {"type": "array", "items": record(name="empty")})), "take no bytes"),
        (record(("x", {"type": "array", "items": {"type": "fixed", "name": "f", "size": 0}})), "take no bytes"),
        (record(("x", "unheard")), "'unheard'"),
        (record(("x", "int"), ("x", "int")), "twice"),
        (record(("x", {"type": "fixed", "name": "f", "size": -1})), "size -1"),
        (record(("x", {"type": "enum", "name": "e", "symbols": ["a b"]})), "enum"),
        (record(("x", {"type": "enum", "name": "e", "symbols": ["a", "a"]})), "enum"),
        ("string", "expected a record"),
        ({"type": "record", "name": "r"}, "cannot be read"),
        ({}, "cannot be read"),
        (5, "cannot be read"),
        (None, "cannot be read"),
    ],
)
def test_schemas_that_are_refused_say_why(schema: Any, reason: str) -> None:
    with pytest.raises(BadPacket, match=reason):
        tree(schema)


def test_hostile_schemas_are_refused_quickly() -> None:
    doubling: Any = "int"
    fields = []
    for number in range(40):
        name = f"r{number}"
        doubling = record(
            ("a", doubling), ("b", doubling if isinstance(doubling, str) else f"r{number - 1}"), name=name
        )
        fields.append((name, doubling))
    for text in (
        json.dumps(record(("x", doubling))).encode(),
        b"[" * 100_000,
        b"[" * 500 + b"]" * 500,
        b'{"type":' * 3000 + b'"int"' + b"}" * 3000,
        b"\xff\xfe",
        b"1" * 10_000,
        b"",
    ):
        with pytest.raises(BadPacket):
            read_schema(text)


WANTED = Wanted(
    scalars={"id": pa.int64(), "now.jd": pa.float64(), "absent": pa.string()},
    arrays={"before": {"jd": pa.float64()}},
    blobs=("stamp",),
    ignored=frozenset({"notes", "before.file"}),
)
KNOWN = (
    ("id", ["long", "null"]),
    ("now", record(("jd", "double"), name="now")),
    ("before", {"type": "array", "items": record(("jd", "float"), ("file", "string"), name="before")}),
    ("stamp", "bytes"),
    ("notes", record(("a", "int"), ("b", record(("c", "int"), name="b")), name="notes")),
)


def test_a_schema_of_known_fields_has_no_unknown_ones() -> None:
    assert find_unknown(tree(record(*KNOWN)), WANTED) == frozenset()


def test_unknown_fields_are_named_by_their_leaves() -> None:
    more = (
        ("flag", ["null", "boolean"]),
        ("more", record(("a", "int"), ("b", ["null", record(("c", "int"), name="b2")]), name="more")),
        ("table", {"type": "array", "items": record(("d", "int"), name="d")}),
        ("numbers", {"type": "array", "items": "int"}),
        ("any", {"type": "map", "values": record(("e", "int"), name="e")}),
        ("nothing", "null"),
    )
    expected = {"flag", "more.a", "more.b.c", "table.d", "numbers", "any", "nothing"}
    assert find_unknown(tree(record(*KNOWN, *more)), WANTED) == expected


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (("id", "string"), "the field id is of the Avro type string; expected int64"),
        (("id", "double"), "the field id is of the Avro type double; expected int64"),
        (("id", ["long", "string"]), "the field id is of the Avro type string"),
        (("id", {"type": "map", "values": "long"}), "the field id is of the Avro type map"),
        (("id", ["long", record(("a", "int"), name="sub")]), "id.a is a part of something"),
        (("id", ["long", {"type": "array", "items": "long"}]), "id is a part of something"),
        (("stamp", "string"), "the field stamp is of the Avro type string; expected bytes"),
        (("now", [record(("jd", "double"), name="now"), {"type": "map", "values": "int"}]), "now is a map"),
        (("id", record(("a", "int"), name="sub")), "id.a is a part of something"),
        (("id", record(name="sub")), "the field id is of the Avro type record"),
        (("id", {"type": "array", "items": "long"}), "id is a part of something"),
        (("now", {"type": "map", "values": "double"}), "now is a map; expected a record"),
        (("before", {"type": "array", "items": record(("jd", "string"), name="p")}), "before.jd"),
        (("before", record(("jd", "double"), name="p")), "before.jd is a part|before is something else"),
        (("before", {"type": "array", "items": "double"}), "before is something else"),
        (("before", {"type": "map", "values": record(("jd", "double"), name="p")}), "before is a map"),
    ],
)
def test_fields_of_a_type_that_cannot_be_are_named(field: tuple[str, Any], reason: str) -> None:
    with pytest.raises(BadPacket, match=reason):
        find_unknown(tree(record(field)), WANTED)
