"""The embedded store: one folder per rights class, in it one sealed file per tarball.

Files appear whole, under their names, and never change; so any number of processes can read while others
write, also from a read-only mount, and a reader that is given only ``public/`` reads that. Why it is so:
docs/decisions/thumbnails.md.
"""

from __future__ import annotations

import operator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from alertdb.errors import DamagedThumbnailFile, NoThumbnailStore, ThumbnailsNotWritten, UnknownCandid
from alertdb.thumbnails import RIGHTS, SealedTarball
from alertdb.thumbnails.changes import check_change
from alertdb.thumbnails.checksums import CHECKSUM
from alertdb.thumbnails.sealed import Replaced
from alertdb.thumbnails.shelf import SUFFIX, Shelf
from alertdb.thumbnails.unfinished import EmbeddedWriter, sync_folder
from alertdb.thumbnails.verify import verify_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import SupportsIndex

    import numpy.typing as npt

    from alertdb.errors import DamagedThumbnail
    from alertdb.thumbnails.checksums import Checksums
    from alertdb.thumbnails.sealed import SealedFile

__all__ = ["EmbeddedStore"]


class EmbeddedStore:
    """Documents in sealed files below a folder; see `alertdb.thumbnails.ThumbnailStore`."""

    def __init__(self, folder: str, *, readonly: bool = True) -> None:
        self.folder = Path(folder)
        self._readonly = readonly
        if not readonly:
            _make_folder(self.folder)
        elif not self.folder.is_dir():
            raise NoThumbnailStore(self.folder)
        self._shelves = tuple(Shelf(str(self.folder / rights)) for rights in RIGHTS)

    def __repr__(self) -> str:
        return f"EmbeddedStore({str(self.folder)!r}, readonly={self._readonly})"

    def writer(self, tarball: str, rights: str) -> EmbeddedWriter:
        """Begin the documents of one tarball and rights class."""
        path = self._path(tarball, rights)
        _make_folder(path.parent)
        return EmbeddedWriter(path)

    def remove(self, tarball: str, rights: str) -> bool:
        """Take away the documents of one tarball and rights class; return whether there were any."""
        path = self._path(tarball, rights)
        try:
            path.unlink()
            sync_folder(path.parent)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise ThumbnailsNotWritten(path, error.strerror or "") from error
        return True

    def get(self, candid: SupportsIndex) -> bytes:
        """Return one document; see `ThumbnailStore.get`."""
        document, damage = self._find(operator.index(candid))
        if document is not None:
            return document
        if damage is not None:
            raise damage
        raise UnknownCandid(operator.index(candid), self._whereabouts())

    def get_many(self, candids: Iterable[SupportsIndex]) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) for each candid found; see `ThumbnailStore.get_many`."""
        first_damage = None
        for candid in map(operator.index, candids):
            document, damage = self._find(candid)
            if document is not None:
                yield candid, document
            first_damage = first_damage or damage
        if first_damage is not None:
            raise first_damage

    def verify(self) -> Iterator[str]:
        """Read every file to its last byte and yield one line for each damage found."""
        for shelf in self._shelves:
            for path in shelf.paths():
                yield from verify_file(path)

    def tarballs(self) -> list[SealedTarball]:
        """List what is sealed, by rights class, then by name; what is damaged as a whole is left out."""
        return [
            SealedTarball(rights, Path(file.path).stem, file.documents, file.size_bytes)
            for rights, shelf in zip(RIGHTS, self._shelves, strict=True)
            for file in shelf.files()
        ]

    def candids(self, tarball: str, rights: str) -> npt.NDArray[np.int64]:
        """Return the candids of one tarball's documents; see `ThumbnailStore.candids`."""
        return np.ascontiguousarray(self.checksums(tarball, rights)["candid"])

    def checksums(self, tarball: str, rights: str) -> Checksums:
        """Return what tells one tarball's documents from others; see `ThumbnailStore.checksums`."""
        file = self._file(tarball, rights)
        return np.empty(0, CHECKSUM) if file is None else file.checksums()

    def documents(self, tarball: str, rights: str) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) of one tarball, checked; see `ThumbnailStore.documents`."""
        file = self._file(tarball, rights)
        if file is None:
            return
        try:
            for candid in file.checksums()["candid"].tolist():
                document = file.get(candid)
                if document is not None:
                    yield candid, document
        except Replaced as error:
            raise DamagedThumbnailFile(file.path, "it was replaced or removed while it was read") from error

    def _file(self, tarball: str, rights: str) -> SealedFile | None:
        files = self._shelves[RIGHTS.index(rights)].files()
        return next((file for file in files if Path(file.path).stem == tarball), None)

    def _find(self, candid: int) -> tuple[bytes | None, DamagedThumbnail | None]:
        """Return the document of a candid, if there is one; if there is none, the damage that may be why."""
        damage = None
        for shelf in self._shelves:
            document, found = shelf.find(candid)
            if document is not None:
                return document, None
            damage = damage or found
        return None, damage

    def _path(self, tarball: str, rights: str) -> Path:
        """Return the path of a sealed file that is to be changed."""
        check_change(self.folder, tarball, rights, readonly=self._readonly)
        return self.folder / rights / (tarball + SUFFIX)

    def _whereabouts(self) -> str:
        """Return where a candid was looked for, in words."""
        places = [
            f"{rights} {len(shelf.files())}" if shelf.is_readable() else f"{rights} not there"
            for rights, shelf in zip(RIGHTS, self._shelves, strict=True)
        ]
        return f"{self.folder} (sealed tarballs: {', '.join(places)})"


def _make_folder(folder: Path) -> None:
    """Make a folder and what lies above it, durably."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if folder.name == "partnership":
            folder.chmod(folder.stat().st_mode & ~0o007)  # not for all users of the machine
        sync_folder(folder.parent)
    except OSError as error:
        raise ThumbnailsNotWritten(folder, error.strerror or "") from error
