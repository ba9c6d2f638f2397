"""Files read once, from front to end, hashed on the way, and held against change."""

from __future__ import annotations

import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.errors import SourceChanged, SourceUnreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SourceFile", "readable"]

_BLOCK = 128 << 10  # bytes read at a time


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what the system objects to reading `path` into our error."""
    try:
        yield
    except OSError as error:
        raise SourceUnreadable(path, error.strerror or str(error)) from error


class SourceFile:
    """A file read in blocks; `bytes_read` and `sha256` keep up with what was read."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0
        self._hash = hashlib.sha256()
        with readable(path):
            self._file = path.open("rb", buffering=0)
            self._before = self._state()

    def blocks(self) -> Iterator[bytes]:
        """Read the file to its end.

        Raises
        ------
        SourceChanged
            If it was written to meanwhile.
        """
        with readable(self.path):
            while block := self._file.read(_BLOCK):
                self._hash.update(block)
                self.bytes_read += len(block)
                yield block
        self.check_unchanged()

    def check_unchanged(self) -> None:
        """Raise `SourceChanged` if the file was written to since it was opened."""
        with readable(self.path):
            if self._state() != self._before:
                raise SourceChanged(self.path)

    def first_bytes(self, count: int) -> bytes:
        """Look at the beginning without moving on."""
        with readable(self.path):
            return os.pread(self._file.fileno(), count, 0)

    @property
    def sha256(self) -> str:
        """SHA-256 of what was read so far, in hex."""
        return self._hash.hexdigest()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _state(self) -> tuple[int, int]:
        status = os.fstat(self._file.fileno())
        return status.st_size, status.st_mtime_ns
