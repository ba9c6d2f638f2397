"""Files of a backup: copied with their checksum, linked where nothing changed, listed, and held against the list."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.backup.errors import BackupNotWritten, BackupUnderWay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "FULL",
    "alone_in",
    "copy_file",
    "files_in",
    "hash_file",
    "link_or_copy",
    "same_file",
    "size_of",
    "written_to",
]

BLOCK = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT)


def copy_file(source: Path, target: Path, mode: int | None = None) -> str:
    """Copy a file with its time, durably and under its name only when it is whole; return its SHA-256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_name(f".{target.name}.part")
    digest = hashlib.sha256()
    with source.open("rb", buffering=0) as reader, unfinished.open("wb", buffering=0) as writer:
        status = os.fstat(reader.fileno())
        os.fchmod(writer.fileno(), status.st_mode & 0o777 if mode is None else mode)
        while block := reader.read(BLOCK):
            digest.update(block)
            view = memoryview(block)
            while view:
                view = view[writer.write(view) :]
        os.fsync(writer.fileno())
    os.utime(unfinished, ns=(status.st_atime_ns, status.st_mtime_ns))
    unfinished.rename(target)
    return digest.hexdigest()


def link_or_copy(source: Path, target: Path) -> None:
    """Give a file of an earlier backup another name; copy it where the file system has no hard links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        copy_file(source, target)


def same_file(one: Path, other: Path) -> bool:
    """Whether two files have the same size and time of change, as rsync judges; sealed files never change in place."""
    try:
        ours, theirs = one.stat(), other.stat()
    except FileNotFoundError:
        return False
    return (ours.st_size, ours.st_mtime_ns) == (theirs.st_size, theirs.st_mtime_ns)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb", buffering=0) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def files_in(folder: Path) -> list[Path]:
    """Return all files below a folder, sorted."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def size_of(folder: Path) -> int:
    """Return the bytes that the files below a folder take on disk."""
    return sum(path.stat().st_blocks * 512 for path in files_in(folder))


@contextmanager
def written_to(folder: Path) -> Iterator[None]:
    """Turn what the system objects to into our error."""
    try:
        yield
    except OSError as error:
        why = f"{error.filename or ''} {error.strerror or error}".strip()
        raise BackupNotWritten(folder, why, is_full=error.errno in FULL) from error


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep a second backup away that would use the same folder.

    Programs that we start inherit the lock: one that outlives us when we are killed keeps the next backup away too.
    """
    with written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupUnderWay(folder) from None
        os.set_inheritable(lock.fileno(), True)
        yield
