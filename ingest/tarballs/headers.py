"""The 512-byte headers of a tar: ustar, pax and GNU. Pure functions from bytes to facts."""

from __future__ import annotations

import re
from typing import NamedTuple

__all__ = ["BLOCK", "BadHeader", "Header", "is_extended_sparse", "padded", "parse_header", "parse_pax"]

BLOCK = 512
_PAX_RECORD = re.compile(rb"(\d{1,7}) ([^=]+)=")


class BadHeader(Exception):
    """A block that should be a header and is none; the text says why."""


class Header(NamedTuple):
    """What a header says: the member's name, the bytes of content that follow, and the type's letter."""

    name: bytes
    size: int
    kind: bytes


def padded(size: int) -> int:
    """Bytes that `size` bytes of content take up in the tar: the next multiple of a block."""
    return -(-size // BLOCK) * BLOCK


def parse_header(block: bytes) -> Header:
    """Read one header, 512 bytes that are not all zero.

    Raises
    ------
    BadHeader
        If the checksum or a number in it is wrong.
    """
    # The checksum is the sum of all bytes, its own eight counted as blanks.
    if _number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * 32:
        raise BadHeader("its checksum is wrong")
    name = _text(block[:100])
    if block[257:263] == b"ustar\0" and block[345]:
        name = _text(block[345:500]) + b"/" + name
    return Header(name, _number(block[124:136]), block[156:157])


def parse_pax(content: bytes) -> dict[bytes, bytes]:
    r"""Read the records of a pax header, each ``b"<length> <key>=<value>\n"``.

    Raises
    ------
    BadHeader
        If a record's length is wrong.
    """
    records = {}
    at = 0
    while at < len(content):
        record = _PAX_RECORD.match(content, at)
        end = at + int(record[1]) if record else 0
        if record is None or not record.end() < end <= len(content) or content[end - 1] != ord("\n"):
            raise BadHeader("its pax records are malformed")
        records[record[2]] = content[record.end() : end - 1]
        at = end
    return records


def is_extended_sparse(block: bytes, *, first: bool) -> bool:
    """Whether another block of a GNU sparse map follows this one, the member's `first` or a later."""
    return block[482 if first else 504] != 0


def _text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def _number(field: bytes) -> int:
    """Octal digits, or GNU's base 256 for what those cannot hold."""
    if field[0] == 0x80:
        return int.from_bytes(field[1:], "big")
    digits = _text(field).strip(b" ")
    if not digits:
        return 0
    if not digits.isdigit() or digits.strip(b"01234567"):
        raise BadHeader(f"{digits!r} in it is no octal number")
    return int(digits, 8)
