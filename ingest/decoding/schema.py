"""The writer's schema of a packet as a tree, and how the wanted fields lie in it.

Avro's schemas are JSON in which types may be named and used again, spelled in several ways. Here they become a tree
of a few kinds of node without names, which is what decoders need. Schemas that no survey would send and that could
be used against us are refused: those that contain themselves, and arrays whose items take no bytes.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from ingest.decoding.container import BadPacket
from ingest.decoding.limits import MAX_DEPTH, MAX_NODES, MAX_SYMBOL

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "Array",
    "Enum",
    "Fixed",
    "Leaf",
    "Map",
    "Node",
    "Primitive",
    "RecordType",
    "Union",
    "join",
    "leaves",
    "read_schema",
]

PRIMITIVES = ("null", "boolean", "int", "long", "float", "double", "bytes", "string")
SYMBOL = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{MAX_SYMBOL - 1}}}")


@dataclass(frozen=True)
class Primitive:
    """One of the `PRIMITIVES`."""

    kind: str


@dataclass(frozen=True)
class Enum:
    """One of a list of words, written as its place in the list."""

    symbols: tuple[str, ...]
    kind = "enum"


@dataclass(frozen=True)
class Fixed:
    """A fixed number of bytes."""

    size: int
    kind = "fixed"


@dataclass(frozen=True)
class Union:
    """One of several types; null or something is the usual case."""

    branches: tuple[Node, ...]
    kind = "union"


@dataclass(frozen=True)
class Array:
    """Any number of items of one type."""

    items: Node
    kind = "array"


@dataclass(frozen=True)
class Map:
    """Any number of values of one type under names of their own."""

    values: Node
    kind = "map"


@dataclass(frozen=True)
class RecordType:
    """Named fields in a fixed order."""

    fields: tuple[tuple[str, Node], ...]
    kind = "record"


NULL = Primitive("null")
Node = Primitive | Enum | Fixed | Union | Array | Map | RecordType


def read_schema(text: bytes) -> RecordType:
    """Read the JSON of a writer's schema.

    Raises
    ------
    BadPacket
        If it is no valid schema, is none of a record, or is one of those that are refused.
    """
    try:
        tree = _Reader().read(json.loads(text), namespace="", depth=0)
    except BadPacket:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadPacket(f"the packet's schema cannot be read: {type(error).__name__} {error}") from error
    if not isinstance(tree, RecordType):
        raise BadPacket(f"the packet's schema is one of type {tree.kind}; expected a record")
    return tree


class _Reader:
    """Reads one schema; keeps the types that it names."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}
        self._open: set[str] = set()  # records in the making
        self._nodes = 0

    def read(self, schema: Any, namespace: str, depth: int) -> Node:
        """Read a type that stands inside `namespace`."""
        self._nodes += 1
        if depth > MAX_DEPTH or self._nodes > MAX_NODES:
            raise BadPacket("the packet's schema is larger or deeper than any survey's")
        if isinstance(schema, str):
            return Primitive(schema) if schema in PRIMITIVES else self._read_known(schema, namespace, depth)
        if isinstance(schema, list):
            return Union(tuple(self.read(branch, namespace, depth + 1) for branch in schema))
        return self._read_object(schema, namespace, depth)

    def _read_object(self, schema: dict[str, Any], namespace: str, depth: int) -> Node:
        kind = schema["type"]
        if kind == "array":
            items = self.read(schema["items"], namespace, depth + 1)
            if _least_bytes(items) == 0:
                raise BadPacket("the packet's schema has an array whose items take no bytes")
            return Array(items)
        if kind == "map":
            return Map(self.read(schema["values"], namespace, depth + 1))
        if kind in ("record", "error", "enum", "fixed"):
            return self._read_named(schema, namespace, depth)
        return self.read(kind, namespace, depth + 1)  # {"type": "string"}, also with a logical type

    def _read_named(self, schema: dict[str, Any], namespace: str, depth: int) -> Node:
        name = _full_name(schema["name"], schema.get("namespace", namespace))
        self._named[name] = schema
        if schema["type"] == "fixed":
            return Fixed(_size(schema["size"]))
        if schema["type"] == "enum":
            return Enum(_symbols(schema["symbols"]))
        self._open.add(name)
        inside = name.rpartition(".")[0]
        fields = tuple((str(field["name"]), self.read(field["type"], inside, depth + 1)) for field in schema["fields"])
        self._open.remove(name)
        if len(dict(fields)) != len(fields):
            raise BadPacket(f"the packet's schema has a field twice in the record {name}")
        return RecordType(fields)

    def _read_known(self, name: str, namespace: str, depth: int) -> Node:
        """Read a type by its name, as a new part of the tree."""
        full = next((full for full in (_full_name(name, namespace), name) if full in self._named), None)
        if full is None:
            raise BadPacket(f"the packet's schema uses the type '{name[:80]}' and does not say what it is")
        if full in self._open:
            raise BadPacket(f"the packet's schema has a record that contains itself: {full[:80]}")
        return self._read_named(self._named[full] | {"name": full}, "", depth)


def _full_name(name: str, namespace: str) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _size(size: object) -> int:
    if not isinstance(size, int) or size < 0:
        raise BadPacket(f"the packet's schema has a fixed type of size {size!r}")
    return size


def _symbols(symbols: list[str]) -> tuple[str, ...]:
    if len(set(symbols)) != len(symbols) or not all(SYMBOL.fullmatch(symbol) for symbol in symbols):
        raise BadPacket(f"the packet's schema has an enum of words that are no Avro names or repeat: {symbols!r:.80}")
    return tuple(symbols)


def _least_bytes(node: Node) -> int:
    """Return the least number of bytes that a value takes."""
    match node:
        case Primitive(kind):
            return {"null": 0, "float": 4, "double": 8}.get(kind, 1)
        case Fixed(size):
            return size
        case RecordType(fields):
            return sum(_least_bytes(field) for _, field in fields)
        case _:
            return 1


class Leaf(NamedTuple):
    """A field that has no fields of its own.

    `path` is dotted from the top of the record and `arrays` has the paths of the arrays it lies in, outermost first.
    """

    path: str
    arrays: tuple[str, ...]
    node: Node


def leaves(node: Node, path: str = "", arrays: tuple[str, ...] = ()) -> Iterator[Leaf]:
    """Yield all leaves of a tree.

    Unions and arrays are no steps of a path, and what lies below a map is the map's. A path that stands in several
    branches of a union comes once for each; a null beside other branches does not count.
    """
    match node:
        case RecordType(fields) if fields or not path:
            for name, field in fields:
                yield from leaves(field, join(path, name), arrays)
        case Array(items):
            yield from leaves(items, path, (*arrays, path))
        case Union(branches):
            inner = [branch for branch in branches if branch != NULL] or [NULL]
            for branch in inner:
                yield from leaves(branch, path, arrays)
        case _:
            yield Leaf(path, arrays, node)


def join(path: str, name: str) -> str:
    """Return the dotted path of a field of the record at `path`, which is empty at the top."""
    return f"{path}.{name}" if path else name
