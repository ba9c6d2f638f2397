"""Packets that lie as files in a folder, or a single one, read as if they came from a tarball."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from alertdb.errors import SourceChanged
from ingest.tarballs.batches import Buffers, Found, Reject
from ingest.tarballs.files import readable
from ingest.tarballs.names import MAX_PACKET, shown, why_rejected
from ingest.tarballs.sources import avro_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from io import FileIO
    from pathlib import Path

    from ingest.tarballs.batches import Batch
    from ingest.tarballs.sources import Source

__all__ = ["FolderScan"]


class FolderScan:
    """One pass over the packets of a folder; the attributes keep up with `batches`."""

    def __init__(self, source: Source, batch_bytes: int, batch_members: int) -> None:
        self._source = source
        self._capacity = max(batch_bytes, MAX_PACKET)
        self._batch_members = batch_members
        self._buffers = Buffers()
        self._hashes: list[tuple[str, str]] = []  # of each file, its name and the SHA-256 of its content
        self.bytes_read = 0
        self.members = 0
        self.damage: str | None = None
        self.complete = False

    @property
    def unpacked_bytes(self) -> int:
        """Bytes of the packets read."""
        return self.bytes_read

    @property
    def sha256(self) -> str:
        """SHA-256 of the single packet, or of all names and checksums of a folder."""
        if self._source.kind == "avro":
            return self._hashes[0][1]
        lines = (os.fsencode(f"{name} {checksum}\n") for name, checksum in self._hashes)
        return hashlib.sha256(b"".join(lines)).hexdigest()

    def close(self) -> None:
        """Nothing stays open between two packets."""

    def batches(self) -> Iterator[Batch]:
        """Yield the packets in the order of their names."""
        found, filled = Found(), 0
        view = self._new_view()
        for path in self._paths():
            with readable(path), path.open("rb", buffering=0) as file:
                size = os.fstat(file.fileno()).st_size
                if len(found) >= self._batch_members or filled + min(size, MAX_PACKET) > len(view):
                    yield found.batch(view[:filled])
                    found, filled = Found(), 0
                    view = self._new_view()
                filled = self._take(found, path, file, size, view, filled)
        if found:
            yield found.batch(view[:filled])
        self.complete = True

    def _paths(self) -> list[Path]:
        path = self._source.path
        if self._source.kind == "avro":
            return [path]
        with readable(path):
            return avro_files(path)

    def _new_view(self) -> memoryview:
        return self._buffers.take(self._capacity)

    def _take(self, found: Found, path: Path, file: FileIO, size: int, view: memoryview, filled: int) -> int:
        """Read one packet behind the others, or note why it is none; returns how far the buffer is filled."""
        name = os.fsencode(path.name)
        reason = why_rejected(name, b"0", size)
        if reason is not None:
            found.rejects.append(Reject(shown(name), 0, reason))
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        else:
            end = filled + size
            if _fill(file, view[filled:end]) != size or file.read(1):
                raise SourceChanged(path)
            found.add(shown(name), 0, filled, end)
            checksum = hashlib.sha256(view[filled:end]).hexdigest()
            filled = end
        self._hashes.append((path.name, checksum))
        self.members += 1
        self.bytes_read += size
        return filled


def _fill(file: FileIO, view: memoryview) -> int:
    """Read until `view` is full or the file ends; returns the bytes read."""
    filled = 0
    while filled < len(view) and (count := file.readinto(view[filled:])):
        filled += count
    return filled
