"""Copying thumbnails from one store into another, tarball by tarball, each read back from where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from alertdb.errors import DamagedThumbnail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from alertdb.thumbnails import SealedTarball, ThumbnailStore

__all__ = ["Copied", "copy_thumbnails"]


@dataclass(frozen=True)
class Copied:
    """What became of one tarball.

    Attributes
    ----------
    copied
        Whether it was copied; False if it was there, or could not be.
    damage
        Why it could not be copied, or None.
    """

    tarball: SealedTarball
    copied: bool
    damage: DamagedThumbnail | None = None


def copy_thumbnails(
    source: ThumbnailStore, target: ThumbnailStore, progress: Callable[[int], None], *, recheck: bool = False
) -> Iterator[Copied]:
    """Copy what the target does not have, and yield what became of each tarball.

    A tarball is complete in the target or not there, so a copy that was interrupted goes on where it was.

    Parameters
    ----------
    progress
        Called with the number of documents that were done since the last call.
    recheck
        Also read back what the target had before, and copy it again if it is not what the source has.
    """
    there = {known[:2] for known in target.tarballs()}
    for tarball in source.tarballs():
        copier = _Copier(source, target, tarball, progress)
        try:
            copied = tarball[:2] not in there or not copier.is_there(recheck=recheck)
            if copied:
                copier.copy()
        except DamagedThumbnail as damage:
            yield Copied(tarball, copied=False, damage=damage)
        else:
            yield Copied(tarball, copied)


class _Copier:
    """One tarball on its way."""

    def __init__(
        self, source: ThumbnailStore, target: ThumbnailStore, tarball: SealedTarball, progress: Callable[[int], None]
    ) -> None:
        self._source = source
        self._target = target
        self._tarball = tarball
        self._key = (tarball.tarball, tarball.rights)
        self._progress = progress
        self._wanted = source.checksums(*self._key)

    def is_there(self, *, recheck: bool) -> bool:
        """Whether what the target has of this tarball is the same, by its list, with `recheck` by its documents."""
        if not np.array_equal(self._target.checksums(*self._key), self._wanted):
            return False
        if recheck:
            try:
                self._read_back()
            except DamagedThumbnail:
                return False
        self._progress(self._tarball.documents)
        return True

    def copy(self) -> None:
        """Copy the documents, seal them, and read them back."""
        if len(self._wanted) != self._tarball.documents:
            found = f"its list names {len(self._wanted)} of {self._tarball.documents} documents"
            raise DamagedThumbnail(f"{self._tarball.tarball} ({self._tarball.rights})", found)
        with self._target.writer(*self._key) as writer:
            writer.put_many(self._counted())
        self._read_back()

    def _counted(self) -> Iterator[tuple[int, bytes]]:
        for document in self._source.documents(*self._key):
            yield document
            self._progress(1)

    def _read_back(self) -> None:
        """Read every document from the target against the source's checksums; the target holds them against its own."""
        found = self._target.checksums(*self._key)
        if not np.array_equal(found, self._wanted):
            raise DamagedThumbnail(f"The copy of {self._tarball.tarball}", "its checksums are not those of the source")
        for _ in self._target.documents(*self._key):
            pass
