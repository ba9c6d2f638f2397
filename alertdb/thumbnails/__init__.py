"""Thumbnails by candid: the seam that every store stands behind, and `open_store`.

A document holds the three cutouts of one alert: a stored (uncompressed) ZIP of ``science.fits.gz``,
``template.fits.gz`` and ``difference.fits.gz``, each with the bytes as the alert packet held them. A cutout that
the packet lacks is no member. The key is the candid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

__all__ = ["KINDS", "ThumbnailStore", "ThumbnailWriter"]

KINDS = ("science", "template", "difference")
RIGHTS = ("public", "partnership")  # rights classes, in the order in which a reader looks for a candid


class ThumbnailWriter(Protocol):
    """Takes the documents of one tarball and one rights class; nothing is visible before `seal`.

    As a context manager it discards on an error, and seals on a normal exit.
    """

    def put_many(self, documents: Iterable[tuple[int, bytes]]) -> None:
        """Add documents as (candid, bytes of the ZIP)."""
        ...

    def seal(self) -> None:
        """Make all documents durable and visible, at once; replaces what the same tarball sealed before."""
        ...

    def discard(self) -> None:
        """Forget everything put so far."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class ThumbnailStore(Protocol):
    """Documents by candid, in one or both rights classes."""

    def writer(self, tarball: str, rights: str) -> ThumbnailWriter:
        """Begin the documents of one tarball (its name without suffixes) and rights class."""
        ...

    def get(self, candid: int) -> bytes:
        """Return one document; `UnknownCandid` where there is none, `DamagedThumbnail` where its CRC is off."""
        ...

    def get_many(self, candids: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) for each candid found, in the order asked; those not found are left out."""
        ...

    def verify(self) -> Iterator[str]:
        """Read everything and yield one line for each damage found."""
        ...
