"""Alert packets: one Avro container each, with the whole schema inside, byte for byte repeatable."""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

import fastavro

from alertdb.errors import BadSimulationError

if TYPE_CHECKING:
    from ingest.simulation.records import Record

__all__ = ["VERSIONS", "Schema", "packet", "schema"]

VERSIONS = ("3.3", "4.02")
# The survey's own packets of schema 4 have no blanks in their header, those of schema 3 have.
_SEPARATORS = {"3.3": (", ", ": "), "4.02": (",", ":")}


@dataclass(frozen=True)
class Schema:
    """One version of the packets' schema.

    Attributes
    ----------
    header
        The container's first bytes, up to and without the sync marker.
    parsed
        What fastavro makes of the schema.
    history_fields
        Names of the fields of a history's entry.
    has_forced
        Whether packets carry forced photometry.
    """

    version: str
    header: bytes
    parsed: Any
    history_fields: tuple[str, ...]
    has_forced: bool


@lru_cache(maxsize=len(VERSIONS))
def schema(version: str) -> Schema:
    """Read a version of the schema.

    Raises
    ------
    BadSimulationError
        If there is no such version.
    """
    if version not in VERSIONS:
        raise BadSimulationError("the schema", version, " or ".join(VERSIONS))
    text = (resources.files(__package__) / "schemas" / f"ztf_{version}.avsc").read_text(encoding="utf-8")
    tree = json.loads(text)
    compact = json.dumps(tree, separators=_SEPARATORS[version]).encode()
    by_name = {field["name"]: field["type"] for field in tree["fields"]}
    history = next(kind for kind in by_name["prv_candidates"] if kind != "null")
    names = tuple(field["name"] for field in history["items"]["fields"])
    return Schema(version, _header(compact), fastavro.parse_schema(tree), names, "fp_hists" in by_name)


def _header(schema_json: bytes) -> bytes:
    """Write the magic and the metadata: the codec `null` and the schema."""
    entries = ((b"avro.codec", b"null"), (b"avro.schema", schema_json))
    body = b"".join(_length(key) + key + _length(value) + value for key, value in entries)
    return b"Obj\x01" + _long(len(entries)) + body + _long(0)


def _long(number: int) -> bytes:
    """Write a non-negative whole number as Avro does: zigzag, then seven bits a byte, lowest first."""
    rest, out = number << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def _length(data: bytes) -> bytes:
    return _long(len(data))


def packet(schema: Schema, record: Record) -> bytes:
    """Write a record as a container with one block. The sync marker follows from the candid."""
    body = io.BytesIO()
    fastavro.schemaless_writer(body, schema.parsed, record)
    data = body.getvalue()
    sync = hashlib.blake2b(str(record["candid"]).encode(), digest_size=16).digest()
    return b"".join((schema.header, sync, _long(1), _length(data), data, sync))
