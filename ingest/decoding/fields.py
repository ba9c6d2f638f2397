"""How the wanted fields lie in a writer's schema: which are there, what is unknown, and what cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from ingest.decoding.container import BadPacket
from ingest.decoding.schema import NULL, join, leaves

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.decoding import Wanted
    from ingest.decoding.schema import Leaf, RecordType

__all__ = ["BLOB", "Purpose", "find_purpose", "find_unknown"]

BLOB: Literal["bytes"] = "bytes"
Purpose = pa.DataType | Literal["bytes"] | None

INTEGERS = frozenset({"int", "long"})
NUMBERS = INTEGERS | {"float", "double"}
TEXTS = frozenset({"string", "bytes", "enum"})
# Kinds of an Avro type that may become an Arrow type; a broker may have widened a field when it encoded it anew.
ACCEPTED: dict[pa.DataType, frozenset[str]] = {
    pa.int32(): INTEGERS,
    pa.int64(): INTEGERS,
    pa.float32(): NUMBERS,
    pa.float64(): NUMBERS,
    pa.bool_(): frozenset({"boolean"}),
    pa.string(): TEXTS,
}
BYTES = frozenset({"bytes", "fixed"})


def find_purpose(wanted: Wanted, path: str, arrays: tuple[str, ...]) -> Purpose:
    """Return what the leaf at `path` in `arrays` becomes: a column's type, a blob, or None if it is not wanted."""
    if not arrays:
        return BLOB if path in wanted.blobs else wanted.scalars.get(path)
    below = path[len(arrays[0]) + 1 :]
    return wanted.arrays.get(arrays[0], {}).get(below) if len(arrays) == 1 else None


def find_unknown(tree: RecordType, wanted: Wanted) -> frozenset[str]:
    """Return the paths of leaves that are neither wanted nor ignored; an ignored path covers what lies below it.

    Raises
    ------
    BadPacket
        If a wanted field is of a type that cannot become its column, or has several types of which one cannot. So a
        survey that changes a field's type is noticed; one that adds or drops fields is no trouble.
    """
    purposes = {leaf: find_purpose(wanted, leaf.path, leaf.arrays) for leaf in leaves(tree)}
    for leaf, purpose in purposes.items():
        if purpose is not None:
            _check_kind(leaf, purpose)
    _check_places(purposes, wanted)
    unwanted = [leaf for leaf, purpose in purposes.items() if purpose is None]
    return frozenset(leaf.path for leaf in unwanted if not wanted.ignored.intersection(_with_parents(leaf.path)))


def _check_kind(leaf: Leaf, purpose: pa.DataType | Literal["bytes"]) -> None:
    accepted = ACCEPTED[purpose] if isinstance(purpose, pa.DataType) else BYTES
    if leaf.node.kind not in {*accepted, "null"}:
        raise BadPacket(f"the field {leaf.path} is of the Avro type {leaf.node.kind}; expected {purpose}")


def _check_places(purposes: Mapping[Leaf, Purpose], wanted: Wanted) -> None:
    """Refuse schemas that have something else, if only in a branch of a union, where a wanted field should be."""
    values = {*wanted.scalars, *wanted.blobs}
    values |= {join(array, path) for array, fields in wanted.arrays.items() for path in fields}
    records = {parent for path in values for parent in _with_parents(path)[1:]}
    for leaf, purpose in purposes.items():
        steps = _with_parents(leaf.path)
        is_misplaced = purpose is None and leaf.node != NULL
        if values.intersection(steps if is_misplaced else steps[1:]):
            raise BadPacket(f"the field {leaf.path} is a part of something; expected a single value in its place")
        if leaf.path in records and leaf.node.kind == "map":
            raise BadPacket(f"the field {leaf.path} is a map; expected a record or an array of records")
        for array in wanted.arrays.keys() & set(steps):
            if is_misplaced and (leaf.arrays[:1] != (array,) or leaf.path == array):
                raise BadPacket(f"the field {array} is something else than an array of records, which was expected")


def _with_parents(path: str) -> list[str]:
    """Return a path and all above it, the longest first."""
    steps = path.split(".")
    return [".".join(steps[:length]) for length in range(len(steps), 0, -1)]
