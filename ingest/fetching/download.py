"""One tarball from the web to a verified file: NAME.part grows, over as many attempts as it takes, and becomes NAME."""

from __future__ import annotations

import fcntl
import hashlib
import http.client
import json
import os
import re
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING
from urllib.error import HTTPError

from alertdb.errors import (
    ArchiveRefused,
    FetchedFileDiffers,
    FetchedWrong,
    FetchNotWritten,
    FetchUnderWay,
    NoRoom,
)
from ingest.fetching.web import Broken, length_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from http.client import HTTPResponse
    from pathlib import Path

    from ingest.fetching.listing import Listing
    from ingest.fetching.web import Web

__all__ = ["Fetched", "fetch_tarball"]

GZIP_MAGIC = b"\x1f\x8b"
BLOCK = 1 << 20
SPARE = 64 << 20  # bytes of the disk that are left free
PARTIAL, NOT_SATISFIABLE = 206, 416
CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


@dataclass(frozen=True)
class Fetched:
    """What became of a tarball.

    Attributes
    ----------
    path
        Where it lies.
    bytes
        Its size.
    was_there
        Whether it was there already, and right.
    verified
        Whether its MD5 sum is that of the archive's MD5SUMS; else there is none to compare with.
    """

    path: Path
    bytes: int
    was_there: bool
    verified: bool


def fetch_tarball(
    web: Web, listing: Listing, name: str, folder: Path, progress: Callable[[int, int], None] = lambda *_: None
) -> Fetched:
    """Fetch one tarball into a folder, unless it is there.

    Parameters
    ----------
    progress
        Told how many bytes are there, and how many there will be.

    Raises
    ------
    FetchedFileDiffers
        If another file of this name is there; it is left as it is.
    FetchedWrong
        If what comes, twice, is not what the archive's MD5SUMS says.
    ArchiveUnreachable, ArchiveRefused, NoRoom, FetchUnderWay, FetchNotWritten
        If it cannot be had.
    """
    path, expected = folder / name, listing.md5.get(name)
    try:
        if path.exists():
            return _found(web, listing.urls[name], path, expected)
        folder.mkdir(parents=True, exist_ok=True)
        with _part(path) as part:
            try:
                _complete(web, listing.urls[name], part, expected, progress)
            except FetchedWrong:  # perhaps the parts of two versions of the file
                part.discard()
                _complete(web, listing.urls[name], part, expected, progress)
            part.finish(path)
    except OSError as error:
        raise FetchNotWritten(folder, error.strerror or str(error)) from error
    return Fetched(path, path.stat().st_size, was_there=False, verified=expected is not None)


class _Part:
    """The bytes of a file that have come so far, and what the server said of the file they belong to."""

    def __init__(self, path: Path, file: IO[bytes]) -> None:
        self.path = path
        self.file = file
        self._notes = path.with_name(path.name + ".json")
        self.validator, self.total = self._read_notes()
        if self.validator is None:
            self.discard()

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return os.fstat(self.file.fileno()).st_size

    def begin(self, validator: str | None, total: int | None) -> None:
        """Begin the file anew; note what will tell whether a later answer belongs to the same file."""
        self.discard()
        self.validator, self.total = validator, total
        if validator is not None:
            self._notes.write_text(json.dumps({"validator": validator, "total": total}), encoding="utf-8")

    def discard(self) -> None:
        """Forget what has come."""
        self.file.truncate(0)
        self._notes.unlink(missing_ok=True)
        self.validator = self.total = None

    def append(self, data: bytes) -> None:
        """Add what came."""
        self.file.seek(0, os.SEEK_END)
        self.file.write(data)

    def finish(self, path: Path) -> None:
        """Give the file its name; never in the place of another."""
        os.fsync(self.file.fileno())
        try:
            os.link(self.path, path)
            self.path.unlink()
        except FileExistsError as error:
            raise FetchedFileDiffers(path, "another file was put there meanwhile") from error
        except OSError:  # a file system without links
            self.path.rename(path)
        self._notes.unlink(missing_ok=True)

    def _read_notes(self) -> tuple[str | None, int | None]:
        try:
            notes = json.loads(self._notes.read_text(encoding="utf-8"))
            return str(notes["validator"]), notes["total"] if isinstance(notes["total"], int) else None
        except (OSError, ValueError, KeyError, TypeError):
            return None, None


@contextmanager
def _part(path: Path) -> Iterator[_Part]:
    """Open NAME.part, which one process at a time may do."""
    unfinished = path.with_name(path.name + ".part")
    with unfinished.open("ab", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchUnderWay(unfinished) from None
        yield _Part(unfinished, file)


def _complete(web: Web, url: str, part: _Part, expected: str | None, progress: Callable[[int, int], None]) -> None:
    """Have all of the file come, however often the connection breaks, and verify it."""
    patience, most = web.patience(), part.size
    while part.total is None or part.size < part.total:
        try:
            _continue(web, url, part, progress)
            if part.total is None:
                break  # the server does not say how long the file is: it has ended
        except HTTPError as error:
            error.close()
            raise ArchiveRefused(url, f"{error.code} {error.reason}") from error
        except Broken as broken:
            if part.size > most:  # not: larger than last time, or a server without ranges could keep us for ever
                patience.reset()
            most = max(most, part.size)
            patience.wait(url, broken)
    _verify(part, url, expected)


def _continue(web: Web, url: str, part: _Part, progress: Callable[[int, int], None]) -> None:
    """Ask for what is missing, and take what comes."""
    headers = {}
    if part.size and part.validator:
        headers = {"Range": f"bytes={part.size}-", "If-Range": part.validator}
    try:
        response = web.open(url, headers)
    except HTTPError as error:
        if error.code != NOT_SATISFIABLE or not headers:
            raise
        error.close()
        part.discard()
        raise Broken("the file became shorter") from error
    with response:
        if response.status != PARTIAL:
            part.begin(_validator(response), length_of(response))
        elif _range(response) != (part.size, part.total):
            part.discard()
            raise Broken("the server sent another part than was asked for")
        _check_room(part)
        _take(response, part, progress)
    if part.size < (part.total or 0):
        raise Broken(f"the connection ended after {part.size} of {part.total} bytes")


def _take(response: HTTPResponse, part: _Part, progress: Callable[[int, int], None]) -> None:
    size = part.size
    while True:
        try:
            data = response.read1(BLOCK)  # what is there: nothing that came is lost when we are interrupted
        except (OSError, http.client.HTTPException) as error:
            raise Broken(str(error) or type(error).__name__) from error
        if not data:
            return
        part.append(data)
        size += len(data)
        progress(size, part.total or size)


def _check_room(part: _Part) -> None:
    missing = (part.total or 0) - part.size + SPARE
    free = shutil.disk_usage(part.path.parent).free
    if free < missing:
        raise NoRoom(part.path.name.removesuffix(".part"), part.path.parent, missing, free)


def _verify(part: _Part, url: str, expected: str | None) -> None:
    with part.path.open("rb") as file:
        head = file.read(16)
    if not head.startswith(GZIP_MAGIC):
        part.discard()
        raise FetchedWrong(url, f"begins with {head!r}", "a gzip file")
    found = _md5(part.path) if expected else None
    if found != expected:
        part.discard()
        raise FetchedWrong(url, f"has the MD5 sum {found}", f"{expected}, as the archive's MD5SUMS says")


def _found(web: Web, url: str, path: Path, expected: str | None) -> Fetched:
    """Look at a file that is there already: its MD5 sum, or its size where the archive has no sums."""
    if expected is None:
        size = web.size(url)
        if size is not None and size != path.stat().st_size:
            raise FetchedFileDiffers(path, f"it has {path.stat().st_size} bytes, the archive's file {size}")
    else:
        found = _md5(path)
        if found != expected:
            raise FetchedFileDiffers(path, f"its MD5 sum is {found}, that of the archive's file {expected}")
    return Fetched(path, path.stat().st_size, was_there=True, verified=expected is not None)


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def _validator(response: HTTPResponse) -> str | None:
    """Return what tells this version of a file from others: a strong ETag, else the time of its last change."""
    tag = response.headers.get("ETag")
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified")


def _range(response: HTTPResponse) -> tuple[int | None, int | None]:
    """Return where the part that came begins, and how long the whole file is."""
    match = CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    return (int(match[1]) if match and match[1] else None), (int(match[2]) if match else None)
