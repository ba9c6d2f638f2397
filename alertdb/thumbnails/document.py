"""One alert's cutouts as one document: a stored ZIP that any program can open.

The bytes depend on the cutouts alone (fixed date, fixed order), so equal cutouts make equal documents, and a
reader can hold a document against the one that its cutouts ought to have.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from isal.isal_zlib import crc32

from alertdb.errors import DamagedThumbnail
from alertdb.thumbnails import KINDS
from alertdb.thumbnails.zipformat import directory_end, directory_entry, local_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alertdb.thumbnails import Buffer

__all__ = ["build_document", "document_pieces", "read_document"]

_NAMES = {kind: f"{kind}.fits.gz".encode() for kind in KINDS}
_CRC_AND_SIZE = struct.Struct("<II")
_CRC_AT = 14  # in a local header


def document_pieces(stamps: Mapping[str, Buffer | None]) -> list[Buffer]:
    """Return a document as the pieces that make it up, the cutouts themselves uncopied.

    Parameters
    ----------
    stamps
        Bytes of each cutout by its kind, as the packet held them; a kind left out or None is no member.

    Returns
    -------
    list of bytes-like
        To be joined, or written one after the other.
    """
    pieces: list[Buffer] = []
    entries = []
    offset = directory_size = 0
    for kind, name in _NAMES.items():
        stamp = stamps.get(kind)
        if stamp is not None:
            size, crc = len(stamp), crc32(stamp)
            header, entry = local_header(name, crc, size), directory_entry(name, crc, size, offset)
            pieces += (header, stamp)
            entries.append(entry)
            offset += len(header) + size
            directory_size += len(entry)
    pieces.append(b"".join(entries) + directory_end(len(entries), directory_size, offset))
    return pieces


def build_document(stamps: Mapping[str, Buffer | None]) -> bytes:
    """Return the document of one alert's cutouts; see `document_pieces`."""
    return b"".join(document_pieces(stamps))


def read_document(document: Buffer) -> dict[str, bytes]:
    """Return the bytes of each cutout in a document, by kind.

    Raises
    ------
    DamagedThumbnail
        Raised if any byte differs from what `build_document` writes for these cutouts.
    """
    stamps = {}
    for kind, stamp, crc in _walk(memoryview(document)):
        if crc32(stamp) != crc:
            found = f"its CRC-32 is {crc32(stamp):08x}, expected {crc:08x}"
            raise DamagedThumbnail(f"The {kind}.fits.gz of a thumbnail", found)
        stamps[kind] = stamp
    if build_document(stamps) != document:
        raise DamagedThumbnail("A thumbnail", "its ZIP headers are not those that its cutouts get")
    return stamps


def _walk(document: memoryview) -> Iterator[tuple[str, bytes, int]]:
    """Yield (kind, bytes, CRC-32 that the header says) along the local headers that are recognised."""
    at = 0
    for kind, name in _NAMES.items():
        header = bytes(document[at : at + len(local_header(name, 0, 0))])
        if header.startswith(b"PK\x03\x04") and header.endswith(name):
            crc, size = _CRC_AND_SIZE.unpack_from(header, _CRC_AT)
            at += len(header)
            yield kind, bytes(document[at : at + size]), crc
            at += size
