"""The packets of MariaDB's client protocol that a reading statement needs, as bytes in and plain values out.

A packet is its length (3 bytes), a number (1 byte) and the payload; what is here are payloads. All numbers are
little-endian.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import NamedTuple

import mariadb

__all__ = [
    "HEADER",
    "LARGEST",
    "Definition",
    "Done",
    "bulk_command",
    "close_command",
    "execute_command",
    "framed",
    "parse_count",
    "parse_definition",
    "parse_done",
    "parse_prepared",
    "prepare_command",
    "server_error",
]

HEADER = 4  # bytes before each payload
LARGEST = 0xFFFFFF  # a payload of this length goes on in the next packet
LAST_PREPARED = 0xFFFFFFFF
_PREPARE, _EXECUTE, _CLOSE, _BULK = b"\x16", b"\x17", b"\x19", b"\xfa"
_TYPES_FOLLOW = 128
_VAR_STRING = b"\xfd\x00"  # type of a bound text, and no flags
_TAIL = struct.Struct("<HIBHB")  # of a column's definition: charset, length, type, flags, decimals
_TAIL_BYTES = 12
_TEXTS = 6  # catalog, database, alias of the table, table, alias of the column, column


class Definition(NamedTuple):
    """What the server declares of a column; `org_table` and `org_field` are empty for a computed one."""

    field: str
    org_table: str
    org_field: str
    type: int
    flags: int
    decimals: int
    charset: int


class Done(NamedTuple):
    """What the server says of a statement without a result: rows it changed (by an update: two), and its warnings."""

    rows: int
    warnings: int


def framed(*payloads: bytes) -> bytes:
    """Return commands as they go over the line, one after the other."""
    return b"".join(piece for payload in payloads for piece in _frames(payload))


def _frames(payload: bytes) -> list[bytes]:
    pieces: list[bytes] = []
    for number, first in enumerate(range(0, len(payload) + 1, LARGEST)):
        piece = payload[first : first + LARGEST]
        pieces += (len(piece).to_bytes(3, "little"), bytes([number & 0xFF]), piece)
    return pieces


def prepare_command(statement: str) -> bytes:
    """Return the command that prepares a statement."""
    return _PREPARE + statement.encode()


def execute_command(prepared: int = LAST_PREPARED, texts: tuple[str, ...] = ()) -> bytes:
    """Return the command that executes a prepared statement with texts for its places."""
    command = _EXECUTE + struct.pack("<IBI", prepared, 0, 1)
    if texts:
        values = [text.encode() for text in texts]
        command += bytes((len(texts) + 7) // 8) + b"\x01" + _VAR_STRING * len(texts)
        command += b"".join(b"\xfc" + len(value).to_bytes(2, "little") + value for value in values)
    return command


def bulk_command(prepared: int, kinds: bytes) -> bytes:
    """Return the beginning of the command that executes a statement once for each row of values.

    The values follow: see `ingest.binding`. `kinds` are the types of the places, two bytes each.
    """
    return _BULK + struct.pack("<IH", prepared, _TYPES_FOLLOW) + kinds


def close_command(prepared: int) -> bytes:
    """Return the command that forgets a prepared statement; the server does not answer it."""
    return _CLOSE + struct.pack("<I", prepared)


def parse_prepared(payload: bytes) -> tuple[int, int, int]:
    """Return number, columns and places of a statement that was prepared."""
    number, columns, places = struct.unpack_from("<IHH", payload, 1)
    return number, columns, places


def parse_done(payload: bytes) -> Done:
    """Return what the server says of a statement without a result."""
    changed, at = _number(payload, 1)
    _, at = _number(payload, at)  # the last id that the server gave
    _, warnings = struct.unpack_from("<HH", payload, at)
    return Done(changed, warnings)


def parse_count(payload: bytes) -> tuple[int, bool]:
    """Return how many columns a result has (0: none, no rows either), and whether their definitions follow.

    They do not where they are those that came when the statement was prepared.
    """
    size = 1 if payload[0] < 0xFB else 3
    count = payload[0] if size == 1 else int.from_bytes(payload[1:3], "little")
    return count, count > 0 and payload[size:] != b"\x00"


@lru_cache(4096)
def parse_definition(payload: bytes) -> Definition:
    """Return what a column's definition says."""
    at, texts = 0, []
    for _ in range(_TEXTS):
        text, at = _text(payload, at)
        texts.append(text.decode())
    _, _, table, org_table, name, org_name = texts
    charset, _, kind, flags, decimals = _TAIL.unpack_from(payload, len(payload) - _TAIL_BYTES)
    return Definition(name, org_table or table, org_name, kind, flags, decimals, charset)


def server_error(payload: bytes) -> mariadb.Error:
    """Return what the server complains of, as the driver would raise it."""
    number = int.from_bytes(payload[1:3], "little")
    words = payload[3:]
    error = mariadb.ProgrammingError((words[6:] if words[:1] == b"#" else words).decode(errors="replace"))
    error.errno = number
    return error


def _number(payload: bytes, at: int) -> tuple[int, int]:
    """Return a number of one to nine bytes, and where it ends."""
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}.get(payload[at], 0)
    if not size:
        return payload[at], at + 1
    return int.from_bytes(payload[at + 1 : at + 1 + size], "little"), at + 1 + size


def _text(payload: bytes, at: int) -> tuple[bytes, int]:
    """Return a text that stands behind its length, and where it ends."""
    size, at = payload[at], at + 1
    if size == 0xFC:
        size, at = int.from_bytes(payload[at : at + 2], "little"), at + 2
    return payload[at : at + size], at + size
