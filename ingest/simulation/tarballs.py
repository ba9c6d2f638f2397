"""Nightly tarballs that hold the same bytes whenever and wherever they are made."""

from __future__ import annotations

import tarfile
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from isal import igzip

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

__all__ = ["TarWriter", "member", "open_tarball"]

_LEVEL = 3
_MTIME = 1_534_700_000  # of every member: what was made when must not change the bytes
_BLOCK = 512
_RECORD = 10_240  # a tar file is padded to full records


def member(name: str, data: bytes) -> bytes:
    """Write one flat member as ustar: header, data, padding to whole blocks."""
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), _MTIME, 0o644
    return b"".join((info.tobuf(tarfile.USTAR_FORMAT), data, bytes(-len(data) % _BLOCK)))


class TarWriter:
    """Takes finished members and closes the archive as tar does."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._written = 0

    def write(self, members: bytes) -> None:
        """Append members that `member` has made."""
        self._stream.write(members)
        self._written += len(members)

    def close(self) -> None:
        """Write the two empty blocks of the end, and pad to a full record."""
        end = 2 * _BLOCK
        self.write(bytes(end + -(self._written + end) % _RECORD))


def _gzip(raw: IO[bytes]) -> IO[bytes]:
    """Compress without a name and a time in the header: both would make equal nights differ."""
    packed = igzip.GzipFile(filename="", mode="wb", fileobj=raw, compresslevel=_LEVEL, mtime=0)  # type: ignore[no-untyped-call]
    return cast("IO[bytes]", packed)


@contextmanager
def open_tarball(path: Path) -> Iterator[TarWriter]:
    """Write a .tar.gz that appears under its name only when it is complete."""
    unfinished = path.with_name(path.name + ".part")
    try:
        with unfinished.open("wb") as raw, _gzip(raw) as packed:
            writer = TarWriter(packed)
            yield writer
            writer.close()
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
