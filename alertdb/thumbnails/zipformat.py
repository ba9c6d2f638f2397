"""The headers of a ZIP with stored members: what `document` and `layout` write around the bytes they keep.

Written here since `zipfile` takes longer for the headers of one alert than the ingest has for all of it
(benchmarks/thumbnail_stores.py). Every date is 1980-01-01, the first that ZIP knows, so that equal contents
make equal bytes. What does not fit into 32 bits goes where ZIP64 puts it; all else is the plain format.
"""

from __future__ import annotations

import struct

__all__ = ["directory_end", "directory_entry", "local_header"]

_LOCAL = struct.Struct("<4sHHHHHIIIHH")
_ENTRY = struct.Struct("<4sHHHHHHIIIHHHHHII")
_OFFSET64 = struct.Struct("<HHQ")
_END64 = struct.Struct("<4sQHHIIQQQQ")
_END64_LOCATOR = struct.Struct("<4sIQI")
_END = struct.Struct("<4sHHHHIIH")

_PLAIN, _ZIP64 = 20, 45  # version of the format that a reader must know, times ten
_MADE_BY = 3 << 8 | _ZIP64  # on Unix, so that _MODE means something
_DATE = 1 << 5 | 1
_MODE = 0o100644 << 16
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF  # these stand for "see the ZIP64 field"


def local_header(name: bytes, crc: int, size: int) -> bytes:
    """Return the header that stands before a member's bytes (fewer than 4 GiB)."""
    return _LOCAL.pack(b"PK\x03\x04", _PLAIN, 0, 0, 0, _DATE, crc, size, size, len(name), 0) + name


def directory_entry(name: bytes, crc: int, size: int, offset: int) -> bytes:
    """Return a member's entry in the central directory; its local header stands at `offset`."""
    version, extra = _PLAIN, b""
    if offset >= _MAX32:
        version, extra, offset = _ZIP64, _OFFSET64.pack(1, 8, offset), _MAX32
    return (
        _ENTRY.pack(
            *(b"PK\x01\x02", _MADE_BY, version, 0, 0, 0, _DATE, crc, size, size),
            *(len(name), len(extra), 0, 0, 0, _MODE, offset),
        )
        + name
        + extra
    )


def directory_end(members: int, size: int, offset: int, comment: bytes = b"") -> bytes:
    """Return what ends a ZIP whose central directory lies at `offset` and has `size` bytes."""
    end64 = b""
    if members >= _MAX16 or size >= _MAX32 or offset >= _MAX32:
        at = offset + size
        end64 = _END64.pack(b"PK\x06\x06", 44, _MADE_BY, _ZIP64, 0, 0, members, members, size, offset)
        end64 += _END64_LOCATOR.pack(b"PK\x06\x07", 0, at, 1)
        members, size, offset = min(members, _MAX16), min(size, _MAX32), min(offset, _MAX32)
    return end64 + _END.pack(b"PK\x05\x06", 0, 0, members, members, size, offset, len(comment)) + comment
