"""Writing a sealed file: it gets its name when it is whole, and is an unfinished file until then."""

from __future__ import annotations

import fcntl
import os
from array import array
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import numpy as np
from isal.isal_zlib import crc32

from alertdb.errors import DuplicateThumbnail, ThumbnailsBusy, ThumbnailsNotWritten
from alertdb.thumbnails.directfile import DirectFile
from alertdb.thumbnails.layout import RECORD, closing, document_header
from alertdb.thumbnails.sealing import SealsAtEnd

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from alertdb.thumbnails import Buffer
    from alertdb.thumbnails.layout import Table

__all__ = ["UNFINISHED", "EmbeddedWriter", "sync_folder"]

UNFINISHED = ".unfinished"  # follows the sealed file's name
_WHOLE = (bytes, bytearray, memoryview)


class EmbeddedWriter(SealsAtEnd):
    """The documents of one tarball and rights class on their way into one sealed file.

    What a killed writer leaves is never looked at, and overwritten by the next writer of the same tarball.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(path.name + UNFINISHED)
        self._candids, self._offsets = array("q"), array("Q")
        self._sizes, self._crcs = array("I"), array("I")
        self._end = 0  # bytes put
        with self._explained():
            self._handle = self._open()
        self._file = DirectFile(self._handle)

    def put_many(self, documents: Iterable[tuple[int, Buffer | Sequence[Buffer]]]) -> None:
        """Add documents as (candid, bytes of the ZIP, whole or in pieces)."""
        for candid, document in documents:
            self._put(candid, document if isinstance(document, _WHOLE) else b"".join(document))

    def seal(self) -> None:
        """Make all documents durable and visible; see `ThumbnailWriter.seal`."""
        for piece in closing(self._records(), self._end):
            self._append(piece)
        with self._explained():
            self._file.finish()
            os.fchmod(self._handle, 0o444)
            self._unfinished.rename(self._path)
            sync_folder(self._path.parent)
        self._close()  # only now, as the lock keeps others from the unfinished file's name

    def discard(self) -> None:
        """Forget everything put so far."""
        with suppress(OSError):
            self._unfinished.unlink()
        self._close()

    def _close(self) -> None:
        self._file.release()
        os.close(self._handle)
        self._handle = -1

    def _open(self) -> int:
        """Open the unfinished file, empty and locked against other writers."""
        while True:
            handle = os.open(self._unfinished, os.O_RDWR | os.O_CREAT, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if self._is_there(handle):
                    os.ftruncate(handle, 0)
                    return handle
            except BlockingIOError:
                os.close(handle)
                raise ThumbnailsBusy(self._unfinished) from None
            os.close(handle)  # its writer sealed or discarded it between our open and our lock

    def _is_there(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self._unfinished.stat())
        except FileNotFoundError:
            return False

    def _put(self, candid: int, document: Buffer) -> None:
        size, crc = len(document), crc32(document)
        header = document_header(candid, crc, size)
        self._candids.append(candid)
        self._offsets.append(self._end + len(header))
        self._sizes.append(size)
        self._crcs.append(crc)
        self._append(header)
        self._append(document)

    def _append(self, data: Buffer) -> None:
        try:
            self._file.append(data)
        except OSError as error:
            raise self._not_written(error) from error
        self._end += len(data)

    def _records(self) -> Table:
        """Return the index (dtype `RECORD`), sorted by candid."""
        records = np.empty(len(self._candids), RECORD)
        columns = (self._candids, self._offsets, self._sizes, self._crcs)
        for name, column in zip(RECORD.names or (), columns, strict=True):
            records[name] = column
        records = records[np.argsort(records["candid"], kind="stable")]
        twice = np.flatnonzero(np.diff(records["candid"]) == 0)
        if len(twice):
            raise DuplicateThumbnail(int(records["candid"][twice[0]]), self._path.stem)
        return records

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._not_written(error) from error

    def _not_written(self, error: OSError) -> ThumbnailsNotWritten:
        return ThumbnailsNotWritten(self._path, f"{error.strerror} after {self._end / 1e6:.1f} MB")


def sync_folder(folder: Path) -> None:
    """Make a folder's new names durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
