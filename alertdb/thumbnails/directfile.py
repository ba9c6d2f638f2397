"""A new file that is written once, from its beginning to its end, past the system's page cache."""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alertdb.thumbnails import Buffer

__all__ = ["DirectFile"]

_BLOCK = 4096  # bytes; a multiple of what disks and memory are cut into
_BUFFER_BYTES = 8 << 20  # written at once
_LEAVING_BYTES = 32 << 20


class DirectFile:
    """What is appended is gathered in one buffer that is used again and again, and written when that is full.

    The disk reads the buffer itself: nothing is copied to pages of the system, which it would take for them and give
    back at once (benchmarks/thumbnail_stores.py). Where a file system does not do that (O_DIRECT), or not for this
    write, the page cache is gone through.

    Parameters
    ----------
    handle
        Of an empty file, open for writing. Its owner closes it.
    """

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._buffer = memoryview(mmap.mmap(-1, _BUFFER_BYTES))  # begins where a page of memory does
        self._filled = 0  # bytes in the buffer
        self._start = 0  # of the buffer in the file
        self._leaving = 0  # up to here the file is on its way from the page cache to the disk
        with suppress(OSError):  # the file system has no such thing
            self._set_direct(os.O_DIRECT)

    def append(self, data: Buffer) -> None:
        """Put bytes at the end; they are copied.

        Raises
        ------
        OSError
            Raised if the system cannot write what was gathered, or after `release`.
        """
        if self._handle < 0:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        rest = memoryview(data)
        while rest:
            part = rest[: _BUFFER_BYTES - self._filled]
            self._buffer[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            rest = rest[len(part) :]
            if self._filled == _BUFFER_BYTES:
                self._write_buffer()

    def finish(self) -> None:
        """Make all durable. Nothing can be appended afterwards.

        Raises
        ------
        OSError
            Raised if the system cannot write it.
        """
        end = self._start + self._filled
        self._filled = -(-self._filled // _BLOCK) * _BLOCK  # only whole blocks can be written
        self._write_buffer()
        os.ftruncate(self._handle, end)
        os.fsync(self._handle)

    def release(self) -> None:
        """Have any further call fail: the handle may be another file's soon."""
        self._handle = -1

    def _write_buffer(self) -> None:
        written = 0
        while written < self._filled:
            written += self._write(self._buffer[written : self._filled], self._start + written)
        self._start, self._filled = self._start + written, 0
        if self._start - self._leaving >= _LEAVING_BYTES:
            self._write_back()

    def _write(self, data: memoryview, position: int) -> int:
        """Write some of the data and return how many bytes."""
        try:
            return os.pwrite(self._handle, data, position)
        except OSError as error:
            if error.errno != errno.EINVAL or not self._set_direct(0):
                raise
        return os.pwrite(self._handle, data, position)

    def _set_direct(self, flag: int) -> bool:
        """Go past the page cache (O_DIRECT) or through it (0); return whether that is a change."""
        flags = fcntl.fcntl(self._handle, fcntl.F_GETFL)
        wanted = flags & ~os.O_DIRECT | flag
        fcntl.fcntl(self._handle, fcntl.F_SETFL, wanted)
        return wanted != flags

    def _write_back(self) -> None:
        """Have the system write what it holds in memory although it should not, and free what it has written.

        It starts writing the newest bytes and does not wait for them; most of the older ones have been written by now.
        Without it a night's gigabytes push everything else out of the page cache, take new pages all the time, and
        leave all the waiting to the fsync.
        """
        os.posix_fadvise(self._handle, 0, self._leaving, os.POSIX_FADV_DONTNEED)
        os.posix_fadvise(self._handle, self._leaving, self._start - self._leaving, os.POSIX_FADV_DONTNEED)
        self._leaving = self._start
