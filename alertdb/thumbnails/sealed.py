"""Reading a sealed file; its layout is told in `alertdb.thumbnails.layout`.

A file is opened for each document and closed again: thousands of files need no handles, threads share
nothing, a removed file frees its room at once, and a file replaced meanwhile is noticed (`Replaced`).
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from isal.isal_zlib import crc32

from alertdb.errors import DamagedThumbnail, DamagedThumbnailFile
from alertdb.thumbnails.checksums import CHECKSUM
from alertdb.thumbnails.layout import BLOCK, BLOCK_RECORDS, FOOTER_BYTES, RECORD, Footer, parse_footer

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from alertdb.thumbnails.checksums import Checksums
    from alertdb.thumbnails.layout import Table

__all__ = ["Identity", "Replaced", "SealedFile", "identity"]

Identity: TypeAlias = tuple[int, int, int]

_BLOCKS_KEPT = 4096  # of all files, in memory: 33 MB at most


class Replaced(Exception):
    """The file at a path is not the one that was opened first."""


def identity(stat: os.stat_result) -> Identity:
    """Return what tells a file from another that took its name."""
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


class SealedFile:
    """One sealed file; only its list of blocks is kept in memory.

    Attributes
    ----------
    first, last
        The smallest and the largest candid in it; an empty file has last < first.
    documents
        Number of documents.
    size_bytes
        Size of the file.

    Raises
    ------
    DamagedThumbnailFile
        Raised if the file is cut short, or damaged where its lists are described.
    Replaced
        Raised if there is no such file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        handle = _open(path)
        try:
            self.identity = identity(os.fstat(handle))
            self.size_bytes = self.identity[1]
            self.footer = self._read_footer(handle)
            self._blocks = self._read_blocks(handle)
        finally:
            os.close(handle)
        self._firsts = np.ascontiguousarray(self._blocks["first"])
        self._lasts = np.ascontiguousarray(self._blocks["last"])
        self.documents = self.footer.documents
        self.first, self.last = (int(self._firsts[0]), int(self._lasts[-1])) if self.documents else (0, -1)

    def get(self, candid: int) -> bytes | None:
        """Return the document of a candid between `first` and `last`, or None.

        Raises
        ------
        DamagedThumbnail
            Raised if the document, or the part of the index that would know of it, is damaged.
        Replaced
            Raised if another file took this one's place, or it was removed.
        """
        number = int(self._firsts.searchsorted(candid, "right")) - 1
        if candid > self._lasts[number]:
            return None
        candids, records = _kept_block(self, number)
        row = int(candids.searchsorted(candid))
        if candids[row] != candid:
            return None
        _, offset, size, crc = records[row].item()
        with self.opened() as handle:
            document = _read(handle, size, offset)
        if crc32(document) != crc:
            found = f"its CRC-32 is {crc32(document):08x}, expected {crc:08x}"
            raise DamagedThumbnail(f"The thumbnail of {candid} in {self.path}", found)
        return document

    def checksums(self) -> Checksums:
        """Return candid, size and CRC-32 of all documents, by candid; of a damaged index what can be read."""
        parts = [np.empty(0, CHECKSUM)]
        with self.opened() as handle:
            for number in range(self.footer.blocks):
                with suppress(DamagedThumbnailFile):
                    parts.append(self.index_block(handle, number)[list(CHECKSUM.names or ())].astype(CHECKSUM))
        return np.concatenate(parts)

    @contextmanager
    def opened(self) -> Iterator[int]:
        """Open the file, the same as before; `Replaced` if it is not."""
        handle = _open(self.path)
        try:
            if identity(os.fstat(handle)) != self.identity:
                raise Replaced(self.path)
            yield handle
        finally:
            os.close(handle)

    def index_block(self, handle: int, number: int) -> Table:
        """Return the index records (dtype `RECORD`) of one block, checked."""
        crc, before = int(self._blocks[number]["crc32"]), number * BLOCK_RECORDS
        records = min(BLOCK_RECORDS, self.documents - before)
        raw = _read(handle, records * RECORD.itemsize, self.footer.index_at + before * RECORD.itemsize)
        if crc32(raw) != crc:
            found = f"CRC-32 of part {number} of its index is {crc32(raw):08x}, expected {crc:08x}"
            raise DamagedThumbnailFile(self.path, found)
        return np.frombuffer(raw, RECORD)

    def _read_footer(self, handle: int) -> Footer:
        footer = parse_footer(_read(handle, FOOTER_BYTES, max(0, self.size_bytes - FOOTER_BYTES)))
        if footer is None:
            found = f"its {self.size_bytes} bytes do not end as a sealed file does, perhaps it was cut short"
            raise DamagedThumbnailFile(self.path, found)
        return footer

    def _read_blocks(self, handle: int) -> Table:
        raw = _read(handle, self.footer.blocks * BLOCK.itemsize, self.footer.blocks_at)
        if crc32(raw) != self.footer.blocks_crc32:
            found = f"CRC-32 of its list of blocks is {crc32(raw):08x}, expected {self.footer.blocks_crc32:08x}"
            raise DamagedThumbnailFile(self.path, found)
        return np.frombuffer(raw, BLOCK)


@lru_cache(_BLOCKS_KEPT)
def _kept_block(file: SealedFile, number: int) -> tuple[npt.NDArray[np.int64], Table]:
    """Return the candids and the records of a block of the index."""
    with file.opened() as handle:
        records = file.index_block(handle, number)
    return np.ascontiguousarray(records["candid"]), records


def _read(handle: int, size: int, offset: int) -> bytes:
    """Return the bytes there; fewer at the file's end or where the disk fails, which their CRC-32 tells."""
    try:
        return os.pread(handle, size, offset)
    except OSError:
        return b""


def _open(path: str) -> int:
    try:
        return os.open(path, os.O_RDONLY)
    except FileNotFoundError as error:
        raise Replaced(path) from error
    except OSError as error:
        raise DamagedThumbnailFile(path, f"it cannot be opened: {error.strerror}") from error
