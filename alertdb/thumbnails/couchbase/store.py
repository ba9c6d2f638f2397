"""Thumbnails in a Couchbase cluster: a bucket per rights class, a document per candid.

Why it is so: docs/decisions/couchbase.md. How to run a cluster: docs/couchbase.md.
"""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alertdb.errors import AlertdbError, DamagedThumbnail, UnknownCandid
from alertdb.thumbnails import RIGHTS, SealedTarball
from alertdb.thumbnails.changes import check_change
from alertdb.thumbnails.checksums import CHECKSUM
from alertdb.thumbnails.couchbase.account import find_account
from alertdb.thumbnails.couchbase.address import parse_address
from alertdb.thumbnails.couchbase.catalogue import Catalogue, Entry
from alertdb.thumbnails.couchbase.errors import BadCouchbaseUrl, NoCouchbaseAccount, NoCouchbaseBucket
from alertdb.thumbnails.couchbase.shelf import Shelf
from alertdb.thumbnails.couchbase.verify import sound_documents, verify_shelf
from alertdb.thumbnails.couchbase.wire import Wire
from alertdb.thumbnails.couchbase.writer import CouchbaseWriter
from alertdb.thumbnails.document import read_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import SupportsIndex

    import numpy.typing as npt

    from alertdb.thumbnails.checksums import Checksums

__all__ = ["CouchbaseStore"]

_AT_ONCE = 256  # documents that `get_many` holds


class CouchbaseStore:
    """Documents in buckets; see `alertdb.thumbnails.ThumbnailStore`.

    Who reads may have the account of one rights class only; who writes needs both.

    Parameters
    ----------
    secrets
        Folder with the files that name accounts; None for the environment alone.
    """

    def __init__(self, url: str, secrets: Path | None = None, *, readonly: bool = True) -> None:
        self.address = parse_address(url)
        if self.address.certificate is not None and not Path(self.address.certificate).is_file():
            raise BadCouchbaseUrl(url, f"there is no certificate {self.address.certificate}")
        self._readonly = readonly
        self._shelves: dict[str, Shelf] = {}
        missing: list[AlertdbError] = []
        for rights in RIGHTS:
            try:
                self._shelves[rights] = Shelf(Wire(self.address, rights, find_account(rights, secrets)))
            except (NoCouchbaseBucket, NoCouchbaseAccount) as error:
                missing.append(error)
        if missing and (not readonly or not self._shelves):
            raise missing[0]

    def __repr__(self) -> str:
        return f"CouchbaseStore({str(self.address)!r}, readonly={self._readonly})"

    def writer(self, tarball: str, rights: str) -> CouchbaseWriter:
        """Begin the documents of one tarball and rights class."""
        check_change(self.address, tarball, rights, readonly=self._readonly)
        return CouchbaseWriter(self._shelves[rights], tarball)

    def remove(self, tarball: str, rights: str) -> bool:
        """Take away the documents of one tarball and rights class; return whether there were any."""
        check_change(self.address, tarball, rights, readonly=self._readonly)
        shelf = self._shelves[rights]
        if tarball not in shelf.catalogue():
            return False
        shelf.change(lambda catalogue: _unseal(catalogue, tarball))
        shelf.sweep(tarball)
        return True

    def get(self, candid: SupportsIndex) -> bytes:
        """Return one document; see `ThumbnailStore.get`."""
        for _, document in self.get_many([candid]):
            return document
        raise UnknownCandid(operator.index(candid), self._whereabouts())

    def get_many(self, candids: Iterable[SupportsIndex]) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) for each candid found; see `ThumbnailStore.get_many`."""
        asked = [operator.index(candid) for candid in candids]
        first_damage = None
        for start in range(0, len(asked), _AT_ONCE):
            batch = asked[start : start + _AT_ONCE]
            found = self._find(batch)
            for candid in batch:
                document = found.get(candid)
                if isinstance(document, bytes):
                    yield candid, document
                first_damage = first_damage or (document if isinstance(document, DamagedThumbnail) else None)
        if first_damage is not None:
            raise first_damage

    def verify(self) -> Iterator[str]:
        """Read every document that a sealed tarball names and yield one line for each damage found."""
        for shelf in self._shelves.values():
            yield from verify_shelf(shelf)

    def tarballs(self) -> list[SealedTarball]:
        """List what is sealed, by rights class, then by name; a bucket whose list is damaged is left out."""
        return [
            SealedTarball(rights, tarball, entry.sealed.documents, entry.sealed.size_bytes)
            for rights, shelf in self._shelves.items()
            for tarball, entry in sorted(_sound(shelf).items())
            if entry.sealed is not None
        ]

    def candids(self, tarball: str, rights: str) -> npt.NDArray[np.int64]:
        """Return the candids of one tarball's documents; see `ThumbnailStore.candids`."""
        return np.ascontiguousarray(self.checksums(tarball, rights)["candid"])

    def checksums(self, tarball: str, rights: str) -> Checksums:
        """Return what tells one tarball's documents from others; see `ThumbnailStore.checksums`."""
        shelf = self._shelves.get(rights)
        sealed = _sound(shelf).get(tarball, Entry()).sealed if shelf else None
        return shelf.records(sealed) if shelf and sealed else np.empty(0, CHECKSUM)

    def documents(self, tarball: str, rights: str) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) of one tarball, checked; see `ThumbnailStore.documents`."""
        records = self.checksums(tarball, rights)
        if len(records):
            for candid, document in sound_documents(self._shelves[rights], records):
                if isinstance(document, DamagedThumbnail):
                    raise document
                yield candid, document

    def unfinished(self) -> list[tuple[str, str, str]]:
        """List what was begun and neither sealed nor taken away: tarball, rights class, time (UTC) it was begun."""
        return [
            (tarball, rights, begun)
            for rights, shelf in self._shelves.items()
            for tarball, entry in sorted(_sound(shelf).items())
            for begun in sorted(entry.others.values())
        ]

    def _find(self, candids: list[int]) -> dict[int, bytes | DamagedThumbnail]:
        """Return the documents of candids, from the first rights class that has a sound one."""
        found: dict[int, bytes | DamagedThumbnail] = {}
        for shelf in self._shelves.values():
            wanted = {str(candid) for candid in candids if not isinstance(found.get(candid), bytes)}
            for key, document in shelf.wire.read(wanted).items():
                checked = _checked(document.content, f"The thumbnail of {key} in {shelf.wire.where}")
                if isinstance(checked, bytes) or int(key) not in found:
                    found[int(key)] = checked
        return found

    def _whereabouts(self) -> str:
        """Return where a candid was looked for, in words."""
        there = [shelf.wire.bucket if (shelf := self._shelves.get(r)) else f"{r} not there" for r in RIGHTS]
        return f"{self.address} (buckets: {', '.join(there)})"


def _checked(document: bytes, what: str) -> bytes | DamagedThumbnail:
    try:
        read_document(document)
    except DamagedThumbnail as damage:
        return DamagedThumbnail(what, damage.found)
    return document


def _sound(shelf: Shelf) -> Catalogue:
    """Return a bucket's catalogue, nothing if it is damaged."""
    try:
        return shelf.catalogue()
    except DamagedThumbnail:
        return {}


def _unseal(catalogue: Catalogue, tarball: str) -> None:
    entry = catalogue.get(tarball, Entry())
    if entry.sealed is not None:
        catalogue[tarball] = Entry(None, {**entry.others, entry.sealed.generation: "removed"})
