"""What a bucket says about its thumbnails: which tarball they belong to, and whether that tarball is complete.

A thumbnail's key is its candid, and its value nothing but the document. Beside the thumbnails lie

::

    alertdb/tarballs            the catalogue: for each tarball the generation that is sealed, and those that are not
    alertdb/list/<generation>/0 candid, size and CRC-32 of the first documents that a writer put
    alertdb/list/<generation>/1 … of the next, and so on

A part of the list is written before the documents it names, and the catalogue knows a generation before its first
part is written. So whatever a writer leaves behind when it is killed can be found. Each of these documents begins
with the CRC-32 of the rest, in eight hexadecimal digits.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from isal.isal_zlib import crc32

from alertdb.errors import DamagedThumbnail
from alertdb.thumbnails.checksums import CHECKSUM

if TYPE_CHECKING:
    from alertdb.thumbnails.checksums import Checksums

__all__ = [
    "CATALOGUE",
    "Catalogue",
    "Entry",
    "Sealed",
    "pack",
    "pack_catalogue",
    "pack_part",
    "part_key",
    "unpack_catalogue",
    "unpack_part",
]

CATALOGUE = "alertdb/tarballs"
_FORMAT = 1


@dataclass(frozen=True)
class Sealed:
    """The complete generation of a tarball's documents.

    Attributes
    ----------
    generation
        What its list's keys hold.
    parts
        Number of documents that the list is made of.
    documents, size_bytes
        Number of thumbnails, and of their bytes.
    first, last
        Smallest and largest candid; last < first if there are none.
    """

    generation: str
    parts: int
    documents: int
    size_bytes: int
    first: int
    last: int

    def may_hold(self, records: Checksums) -> bool:
        """Whether any of these candids (sorted) can be in it, from their range."""
        return len(records) > 0 and self.first <= records["candid"][-1] and records["candid"][0] <= self.last


@dataclass(frozen=True)
class Entry:
    """One tarball.

    Attributes
    ----------
    sealed
        Its complete generation, if there is one.
    others
        Generations begun and not sealed, or no longer: name and time (UTC) of their beginning.
    """

    sealed: Sealed | None = None
    others: dict[str, str] = field(default_factory=dict)


Catalogue: TypeAlias = dict[str, Entry]


def part_key(generation: str, part: int) -> str:
    """Return the key of one part of a list."""
    return f"alertdb/list/{generation}/{part}"


def pack(content: bytes) -> bytes:
    """Put its CRC-32 before some bytes."""
    return b"%08x" % crc32(content) + content


def pack_catalogue(catalogue: Catalogue) -> bytes:
    """Return the document that `unpack_catalogue` reads; tarballs of which nothing is left are left out."""
    tarballs = {name: asdict(entry) for name, entry in sorted(catalogue.items()) if entry.sealed or entry.others}
    return pack(json.dumps({"format": _FORMAT, "tarballs": tarballs}, ensure_ascii=False).encode())


def unpack_catalogue(content: bytes, where: str) -> Catalogue:
    """Return the entries by tarball.

    Raises
    ------
    DamagedThumbnail
        Raised if the document is not what was written, or of a format that is not known here.
    """
    told = json.loads(_unpack(content, f"The list of tarballs ({CATALOGUE}) in {where}"))
    if told["format"] != _FORMAT:
        what = f"The list of tarballs ({CATALOGUE}) in {where}"
        raise DamagedThumbnail(what, f"its format is {told['format']}, expected {_FORMAT}")
    return {
        name: Entry(Sealed(**entry["sealed"]) if entry["sealed"] else None, entry["others"])
        for name, entry in told["tarballs"].items()
    }


def pack_part(records: Checksums) -> bytes:
    """Return the document that `unpack_part` reads."""
    return pack(records.tobytes())


def unpack_part(content: bytes, what: str) -> Checksums:
    """Return the records of one part, in the order in which they were put.

    Raises
    ------
    DamagedThumbnail
        Raised if the document is not what was written.
    """
    return np.frombuffer(_unpack(content, what), CHECKSUM)


def _unpack(content: bytes, what: str) -> bytes:
    said, rest = content[:8], content[8:]
    if said != b"%08x" % crc32(rest):
        raise DamagedThumbnail(what, f"its CRC-32 is {crc32(rest):08x}, expected {said.decode(errors='replace')}")
    return rest
