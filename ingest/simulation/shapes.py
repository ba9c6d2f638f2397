"""Avro records whose nulls are known beforehand, written without a search over the branches of their unions.

Nearly every field of an alert may be null, and a general writer tries the branches of each union for each
value: that took most of the time of a simulation. But which fields are null is known: none in a candidate, a
fixed few in a detection, most in a limit. A union is written as the number of its branch and then the value;
so a schema with a plain int, of which the default is that number, before each plain value gives those bytes.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import fastavro

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

__all__ = ["Shape", "array", "avro_long", "branch", "record_of", "shape"]

Shape = Any  # a schema as fastavro parsed it
_Tree = dict[str, Any]


def avro_long(number: int) -> bytes:
    """Write a non-negative whole number as Avro does: zigzag, then seven bits a byte, lowest first."""
    rest, out = number << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def record_of(kind: Any) -> _Tree:
    """Find the record in a field's type: itself, in a union, or as the items of an array."""
    if isinstance(kind, list):
        (kind,) = (each for each in kind if each != "null")
    found: _Tree = kind.get("items", kind)
    return found


def branch(union: Sequence[Any], *, null: bool) -> int:
    """Give the number of the null branch of a union of null and one type, or of the other."""
    place = list(union).index("null")
    return place if null else 1 - place


def shape(record: _Tree, nulls: Collection[str] = ()) -> Shape:
    """Make the schema that writes those records in which just the fields `nulls` are null."""
    fields: list[_Tree] = []
    for field in record["fields"]:
        name, kind = field["name"], field["type"]
        if not isinstance(kind, list):
            fields.append({"name": name, "type": kind})
            continue
        null = name in nulls
        fields.append({"name": f"branch_of_{name}", "type": "int", "default": branch(kind, null=null)})
        if not null:
            fields.append({"name": name, "type": kind[branch(kind, null=False)]})
    return fastavro.parse_schema({"type": "record", "name": record["name"], "fields": fields})


def written(parts: Sequence[tuple[Shape, Mapping[str, Any]]]) -> bytes:
    """Write records one after the other."""
    out = io.BytesIO()
    for parsed, record in parts:
        fastavro.schemaless_writer(out, parsed, record)
    return out.getvalue()


def array(union: Sequence[Any], items: Sequence[tuple[Shape, Mapping[str, Any]]]) -> bytes:
    """Write a field that is an array or null: null where there are no items, else one block of them."""
    if not items:
        return avro_long(branch(union, null=True))
    return b"".join((avro_long(branch(union, null=False)), avro_long(len(items)), written(items), b"\0"))
