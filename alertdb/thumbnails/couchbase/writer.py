"""Writing one tarball's thumbnails into a bucket: the list first, then what it names, at last the seal."""

from __future__ import annotations

import tempfile
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

import numpy as np
from isal.isal_zlib import crc32

from alertdb.errors import DuplicateThumbnail, ThumbnailsNotWritten
from alertdb.thumbnails.checksums import CHECKSUM
from alertdb.thumbnails.couchbase.catalogue import Catalogue, Entry, Sealed, pack_part, part_key
from alertdb.thumbnails.couchbase.errors import CouchbaseBusy
from alertdb.thumbnails.sealing import SealsAtEnd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from alertdb.thumbnails import Buffer
    from alertdb.thumbnails.checksums import Checksums
    from alertdb.thumbnails.couchbase.shelf import Shelf

__all__ = ["CouchbaseWriter"]

_DOCUMENTS_AT_ONCE = 512  # in one part of the list
_BYTES_AT_ONCE = 8 << 20
_WHOLE = (bytes, bytearray, memoryview)


class CouchbaseWriter(SealsAtEnd):
    """Takes the documents of one tarball and rights class; see `alertdb.thumbnails.ThumbnailWriter`.

    Documents can be read one by one as soon as they are written; the tarball counts when it is sealed. What would
    take the place of a sealed document of the same tarball, and differs from it, waits on this machine until then.
    """

    def __init__(self, shelf: Shelf, tarball: str) -> None:
        self._shelf = shelf
        self._tarball = tarball
        self._generation = uuid.uuid4().hex
        self._parts: list[Checksums] = []
        self._pending: dict[str, bytes] = {}
        self._rows: list[tuple[int, int, int]] = []  # of what is pending: candid, size, CRC-32
        self._bytes = 0
        self._open = True
        self._waiting = _Waiting()
        shelf.change(self._begin)
        entry = shelf.catalogue()[tarball]
        older = shelf.records(entry.sealed) if entry.sealed else np.empty(0, CHECKSUM)
        self._older = {candid: (size, crc) for candid, size, crc in older.tolist()}

    def put_many(self, documents: Iterable[tuple[int, Buffer | Sequence[Buffer]]]) -> None:
        """Add documents as (candid, bytes of the ZIP, whole or in pieces)."""
        if not self._open:
            raise ThumbnailsNotWritten(self._tarball, "it is sealed or discarded")
        for candid, document in documents:
            self._put(candid, b"".join((document,) if isinstance(document, _WHOLE) else document))

    def seal(self) -> None:
        """Make the tarball complete; replaces what the same tarball sealed before."""
        self._flush()
        sealed = self._sealed()
        for documents in self._waiting.batches():
            self._shelf.wire.write(documents)
        self._shelf.change(lambda catalogue: self._enter(catalogue, sealed))
        self._close()
        self._shelf.sweep(self._tarball)

    def discard(self) -> None:
        """Take away everything put so far."""
        if self._open:
            self._close()
            if self._generation not in self._shelf.catalogue().get(self._tarball, Entry()).others:
                self._name_again()
            self._shelf.sweep(self._tarball)

    def _begin(self, catalogue: Catalogue) -> None:
        entry = catalogue.get(self._tarball, Entry())
        others = {**entry.others, self._generation: f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}"}
        catalogue[self._tarball] = replace(entry, others=others)

    def _name_again(self) -> None:
        """Name what we wrote, since another process has swept it away, perhaps before all of it was written."""
        self._shelf.change(self._begin)
        for number, part in enumerate(self._parts):
            self._shelf.wire.write({part_key(self._generation, number): pack_part(part)})

    def _enter(self, catalogue: Catalogue, sealed: Sealed) -> None:
        """Make this generation the sealed one, unless another process has taken it away."""
        entry = catalogue.get(self._tarball, Entry())
        if entry.sealed == sealed:
            return
        if self._generation not in entry.others:
            raise CouchbaseBusy(self._tarball, self._shelf.wire.where)
        others = {name: begun for name, begun in entry.others.items() if name != self._generation}
        if entry.sealed is not None:
            others[entry.sealed.generation] = entry.others[self._generation]
        catalogue[self._tarball] = Entry(sealed, others)

    def _put(self, candid: int, document: bytes) -> None:
        told = len(document), crc32(document)
        self._rows.append((candid, *told))
        self._bytes += len(document)
        if self._older.get(candid, told) == told:
            self._pending[str(candid)] = document
        else:
            self._waiting.add(str(candid), document)
        if len(self._rows) >= _DOCUMENTS_AT_ONCE or self._bytes >= _BYTES_AT_ONCE:
            self._flush()

    def _flush(self) -> None:
        """Write the next part of the list, and then what it names."""
        if self._rows:
            part = np.array(self._rows, CHECKSUM)
            self._shelf.wire.write({part_key(self._generation, len(self._parts)): pack_part(part)})
            self._parts.append(part)
            self._shelf.wire.write(self._pending)
        self._rows, self._pending, self._bytes = [], {}, 0

    def _sealed(self) -> Sealed:
        """Return what the catalogue is to say."""
        records = np.concatenate([np.empty(0, CHECKSUM), *self._parts])
        candids = np.sort(records["candid"])
        twice = np.flatnonzero(np.diff(candids) == 0)
        if len(twice):
            raise DuplicateThumbnail(int(candids[twice[0]]), self._tarball)
        first, last = (int(candids[0]), int(candids[-1])) if len(candids) else (0, -1)
        size = int(records["size"].sum(dtype=np.int64))
        return Sealed(self._generation, len(self._parts), len(candids), size, first, last)

    def _close(self) -> None:
        self._open = False
        self._waiting.close()
        self._pending, self._rows = {}, []


class _Waiting:
    """Documents that wait in a file without a name."""

    def __init__(self) -> None:
        self._file: IO[bytes] | None = None
        self._sizes: list[tuple[str, int]] = []

    def add(self, key: str, document: bytes) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._file.write(document)
        self._sizes.append((key, len(document)))

    def batches(self) -> Iterator[dict[str, bytes]]:
        if self._file is not None:
            self._file.seek(0)
            for start in range(0, len(self._sizes), _DOCUMENTS_AT_ONCE):
                yield {key: self._file.read(size) for key, size in self._sizes[start : start + _DOCUMENTS_AT_ONCE]}

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
