"""One rights class of the embedded store: its sealed files as last seen, looked at again when they change."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

from alertdb.errors import DamagedThumbnail, DamagedThumbnailFile, NoThumbnailStore
from alertdb.thumbnails.sealed import Replaced, SealedFile, identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = ["SUFFIX", "Shelf"]

SUFFIX = ".zip"
_LOOKS = 10  # how often a file that is replaced between listing and reading is looked for again
_SETTLED_NS = 1_000_000_000  # a folder's time stamp is as coarse as a clock tick: younger ones prove nothing


@dataclass(frozen=True)
class _Listing:
    """The files of a folder at one moment.

    Attributes
    ----------
    files
        Those that can be read, sorted by the tarball's name.
    damaged
        Why each of the others cannot.
    firsts, lasts
        Smallest and largest candid of each of `files`, shape (n,).
    changed_ns
        The folder's time of change, or None if it may change once more with the same time.
    """

    files: tuple[SealedFile, ...]
    damaged: tuple[DamagedThumbnailFile, ...]
    firsts: npt.NDArray[np.int64]
    lasts: npt.NDArray[np.int64]
    changed_ns: int | None

    def files_around(self, candid: int) -> Iterator[SealedFile]:
        """Yield the files whose range of candids holds this one, sorted by name."""
        around = ((self.firsts <= candid) & (candid <= self.lasts)).nonzero()[0]
        return (self.files[number] for number in around.tolist())


_NOTHING = _Listing((), (), np.empty(0, np.int64), np.empty(0, np.int64), None)


class Shelf:
    """The sealed files in one folder, which need not be there."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._listing = _NOTHING

    def find(self, candid: int) -> tuple[bytes | None, DamagedThumbnail | None]:
        """Return the document of a candid, if there is one; if there is none, the damage that may be why."""
        for _ in range(_LOOKS):
            listing = self._look()
            try:
                return _find(listing, candid)
            except Replaced as replaced:
                path = str(replaced)
                self._listing = _NOTHING
        raise DamagedThumbnailFile(path, f"it changed {_LOOKS} times while it was read")

    def files(self) -> tuple[SealedFile, ...]:
        """Return the files that can be read, sorted by the tarball's name."""
        return self._look().files

    def is_readable(self) -> bool:
        """Return whether the folder is there and this process may list it."""
        return os.access(self.folder, os.R_OK | os.X_OK)

    def paths(self) -> list[str]:
        """Return the paths of all sealed files, damaged ones too, sorted by the tarball's name."""
        return [entry.path for entry in _entries(self.folder)] if self.is_readable() else []

    def _look(self) -> _Listing:
        """Return what the folder holds now; where nothing changed, that costs one call of stat."""
        try:
            changed_ns = os.stat(self.folder).st_mtime_ns  # noqa: PTH116 - three times quicker
            if changed_ns != self._listing.changed_ns:
                self._listing = self._list(changed_ns)
        except (FileNotFoundError, PermissionError):  # this reader was not given it
            self._listing = _NOTHING
        except OSError as error:
            raise NoThumbnailStore(self.folder) from error
        return self._listing

    def _list(self, changed_ns: int) -> _Listing:
        known = {file.path: file for file in self._listing.files}
        files, damaged = [], []
        settled = time.time_ns() - changed_ns > _SETTLED_NS
        for entry in _entries(self.folder):
            file = known.get(entry.path)
            try:
                same = file is not None and file.identity == identity(entry.stat())
                files.append(file if file is not None and same else SealedFile(entry.path))
            except DamagedThumbnailFile as damage:
                damaged.append(damage)
            except (FileNotFoundError, Replaced):
                settled = False  # removed since the folder was listed
        return _Listing(
            files=tuple(files),
            damaged=tuple(damaged),
            firsts=np.array([file.first for file in files], np.int64),
            lasts=np.array([file.last for file in files], np.int64),
            changed_ns=changed_ns if settled else None,
        )


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        sealed = [entry for entry in entries if entry.name.endswith(SUFFIX)]
    return sorted(sealed, key=lambda entry: PurePath(entry.name).stem)


def _find(listing: _Listing, candid: int) -> tuple[bytes | None, DamagedThumbnail | None]:
    damage: DamagedThumbnail | None = next(iter(listing.damaged), None)
    for file in listing.files_around(candid):
        try:
            document = file.get(candid)
        except DamagedThumbnail as error:
            damage = error
        else:
            if document is not None:
                return document, None
    return None, damage
