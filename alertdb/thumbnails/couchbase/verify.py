"""Reading a whole bucket: it is sound if every document that a sealed list names is what the list says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isal.isal_zlib import crc32

from alertdb.errors import DamagedThumbnail

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.thumbnails.checksums import Checksums
    from alertdb.thumbnails.couchbase.catalogue import Catalogue
    from alertdb.thumbnails.couchbase.shelf import Shelf

__all__ = ["sound_documents", "verify_shelf"]

_AT_ONCE = 256


def verify_shelf(shelf: Shelf) -> Iterator[str]:
    """Yield one line for each damage found in a bucket."""
    try:
        catalogue = shelf.catalogue()
    except DamagedThumbnail as damage:
        yield str(damage)
        return
    for entry in catalogue.values():
        for part in shelf.list_of(entry.sealed) if entry.sealed else ():
            if isinstance(part, DamagedThumbnail):
                yield str(part)
            else:
                yield from _verify_part(shelf, catalogue, part)


def sound_documents(shelf: Shelf, records: Checksums) -> Iterator[tuple[int, bytes | DamagedThumbnail]]:
    """Yield (candid, document) for each record, in its order, or instead of the document what is wrong with it."""
    for start in range(0, len(records), _AT_ONCE):
        batch = records[start : start + _AT_ONCE].tolist()
        found = shelf.wire.read(str(candid) for candid, _, _ in batch)
        for candid, _, crc in batch:
            what = f"The thumbnail of {candid} in {shelf.wire.where}"
            document = found.get(str(candid))
            if document is None:
                yield candid, DamagedThumbnail(what, "it is not there")
            elif crc32(document.content) != crc:
                yield candid, DamagedThumbnail(what, f"its CRC-32 is {crc32(document.content):08x}, expected {crc:08x}")
            else:
                yield candid, document.content


def _verify_part(shelf: Shelf, catalogue: Catalogue, part: Checksums) -> Iterator[str]:
    for (_, document), record in zip(sound_documents(shelf, part), part, strict=True):
        if isinstance(document, DamagedThumbnail) and not _is_of_another(shelf, catalogue, record):
            yield str(document)


def _is_of_another(shelf: Shelf, catalogue: Catalogue, record: Checksums) -> bool:
    """Whether the document there is the one that another tarball put for the same candid."""
    candid = int(record["candid"])
    found = shelf.wire.read([str(candid)]).get(str(candid))
    if found is None:
        return False
    for entry in catalogue.values():
        if entry.sealed is not None and entry.sealed.first <= candid <= entry.sealed.last:
            records = shelf.records(entry.sealed)
            if crc32(found.content) in records["crc32"][records["candid"] == candid]:
                return True
    return False
