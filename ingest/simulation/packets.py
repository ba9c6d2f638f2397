"""Alert packets: one Avro container each, with the whole schema inside, byte for byte repeatable."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from alertdb.errors import BadSimulationError
from ingest.simulation.shapes import Shape, array, avro_long, branch, record_of, shape, written

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.simulation.records import Record

__all__ = ["VERSIONS", "Schema", "packet", "schema"]

VERSIONS = ("3.3", "4.02")
# The survey's own packets of schema 4 have no blanks in their header, those of schema 3 have.
_SEPARATORS = {"3.3": (", ", ": "), "4.02": (",", ":")}
# What a history tells of a limit; its other fields are null.
_IN_LIMIT = frozenset(
    [
        "jd",
        "fid",
        "pid",
        "diffmaglim",
        "pdiffimfilename",
        "programpi",
        "programid",
        "nid",
        "rcid",
        "field",
        "magzpsci",
        "magzpsciunc",
        "magzpscirms",
        "clrcoeff",
        "clrcounc",
        "rbversion",
    ]
)
# What the history does not tell of a detection: it names no asteroids.
_NOT_IN_DETECTION = frozenset({"ssdistnr", "ssmagnr", "ssnamenr"})
_CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")


@dataclass(frozen=True)
class Schema:
    """One version of the packets' schema.

    Attributes
    ----------
    header
        The container's first bytes, up to and without the sync marker.
    types
        The type of each field at the top, by name, in the order of the packets.
    shapes
        How to write a record of each kind: one for each record-valued field, and ``limit``.
    """

    version: str
    header: bytes
    types: Mapping[str, Any]
    shapes: Mapping[str, Shape]

    @property
    def has_forced(self) -> bool:
        """Whether packets carry forced photometry."""
        return "fp_hists" in self.types


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
    types = {field["name"]: field["type"] for field in tree["fields"]}
    return Schema(version, _header(compact), types, _shapes(types))


def _shapes(types: Mapping[str, Any]) -> dict[str, Shape]:
    history = record_of(types["prv_candidates"])
    unknown = {field["name"] for field in history["fields"]} - _IN_LIMIT
    made = {
        "candidate": shape(types["candidate"]),
        "prv_candidates": shape(history, _NOT_IN_DETECTION),
        "limit": shape(history, unknown),
        "cutout": shape(record_of(types["cutoutScience"])),
    }
    if "fp_hists" in types:
        made["fp_hists"] = shape(record_of(types["fp_hists"]))
    return made


def _header(schema_json: bytes) -> bytes:
    """Write the magic and the metadata: the codec `null` and the schema."""
    entries = ((b"avro.codec", b"null"), (b"avro.schema", schema_json))
    body = b"".join(_sized(key) + _sized(value) for key, value in entries)
    return b"Obj\x01" + avro_long(len(entries)) + body + avro_long(0)


def _sized(data: bytes) -> bytes:
    return avro_long(len(data)) + data


def packet(schema: Schema, record: Record) -> bytes:
    """Write a record as a container with one block. The sync marker follows from the candid."""
    body = b"".join(_field(schema, name, record[name]) for name in schema.types)
    sync = hashlib.blake2b(str(record["candid"]).encode(), digest_size=16).digest()
    return b"".join((schema.header, sync, avro_long(1), _sized(body), sync))


def _field(schema: Schema, name: str, value: Any) -> bytes:
    """Write one field of the top."""
    kind, shapes = schema.types[name], schema.shapes
    if kind == "string":
        return _sized(value.encode())
    if kind == "long":
        return avro_long(value)
    if name == "candidate":
        return written([(shapes[name], value)])
    if name in _CUTOUTS:
        return avro_long(branch(kind, null=False)) + written([(shapes["cutout"], value)])
    if name == "prv_candidates":  # only detections have a candid
        return array(kind, [(shapes[name if "candid" in entry else "limit"], entry) for entry in value])
    return array(kind, [(shapes[name], entry) for entry in value])
