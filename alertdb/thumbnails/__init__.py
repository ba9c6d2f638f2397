"""Thumbnails by candid: the seam that every store stands behind, and `open_store`.

A document holds the three cutouts of one alert: a stored (uncompressed) ZIP of ``science.fits.gz``,
``template.fits.gz`` and ``difference.fits.gz``, each with the bytes as the alert packet held them. A cutout
that the packet lacks is no member. The key is the candid. See `alertdb.thumbnails.document`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol, Self, SupportsIndex, TypeAlias
from urllib.parse import unquote, urlsplit

from alertdb.errors import UnknownThumbnailStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy as np
    import numpy.typing as npt

    from alertdb.thumbnails.checksums import Checksums

__all__ = ["KINDS", "RIGHTS", "Buffer", "SealedTarball", "ThumbnailStore", "ThumbnailWriter", "open_store"]

KINDS = ("science", "template", "difference")
RIGHTS = ("public", "partnership")  # rights classes, in the order in which a reader looks for a candid

Buffer: TypeAlias = bytes | bytearray | memoryview


class SealedTarball(NamedTuple):
    """One tarball's documents of one rights class, as a store lists them."""

    rights: str
    tarball: str
    documents: int
    size_bytes: int


class ThumbnailWriter(Protocol):
    """Takes the documents of one tarball and one rights class; nothing is visible before `seal`.

    As a context manager it discards on an error, and seals on a normal exit.
    """

    def put_many(self, documents: Iterable[tuple[int, Buffer | Sequence[Buffer]]]) -> None:
        """Add documents as (candid, bytes of the ZIP, whole or in the pieces of `document_pieces`).

        The bytes may be views of a buffer; they are not looked at again after the call.
        """
        ...

    def seal(self) -> None:
        """Make all documents durable and visible, at once; replaces what the same tarball sealed before.

        Raises
        ------
        DuplicateThumbnail
            Raised if two documents have one candid; nothing becomes visible then.
        """
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
        """Begin the documents of one tarball (its file's name) and rights class."""
        ...

    def get(self, candid: SupportsIndex) -> bytes:
        """Return one document.

        Raises
        ------
        UnknownCandid
            Raised if there is none.
        DamagedThumbnail
            Raised if its CRC is off, or if it may be in a file that is damaged.
        """
        ...

    def get_many(self, candids: Iterable[SupportsIndex]) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) for each candid found, in the order asked; leave out those not found.

        Damage takes nothing from the others: it is raised as `DamagedThumbnail` after the last document.
        """
        ...

    def verify(self) -> Iterator[str]:
        """Read everything and yield one line for each damage found."""
        ...

    def tarballs(self) -> list[SealedTarball]:
        """List what is sealed, by rights class, then by name; what is damaged as a whole is left out."""
        ...

    def candids(self, tarball: str, rights: str) -> npt.NDArray[np.int64]:
        """Return the candids of one tarball's documents in one rights class, ascending; shape (n,).

        Those that damage hides are left out; `verify` names the damage.
        """
        ...

    def checksums(self, tarball: str, rights: str) -> Checksums:
        """Return candid, size and CRC-32 (dtype `CHECKSUM`) of those documents, by candid; shape (n,)."""
        ...

    def documents(self, tarball: str, rights: str) -> Iterator[tuple[int, bytes]]:
        """Yield (candid, document) of one tarball's documents in one rights class, by candid.

        Raises
        ------
        DamagedThumbnail
            Raised at the first whose CRC is off, or that is not there.
        """
        ...

    def remove(self, tarball: str, rights: str) -> bool:
        """Take away the documents of one tarball and rights class; return whether there were any."""
        ...


def open_store(url: str, *, readonly: bool = True, secrets: Path | None = None) -> ThumbnailStore:
    """Open the thumbnails at a URL.

    Parameters
    ----------
    url
        ``file:///folder/of/thumbnails``: the embedded store, which keeps sealed files below that folder.
        ``couchbase://host[,host…]/bucket[/scope/collection][?durability=…]``, and ``couchbases://`` for TLS: the
        buckets ``<bucket>-public`` and ``<bucket>-partnership`` of a Couchbase cluster.
    readonly
        Whether to refuse `writer` and `remove`. If False, a missing folder is made.
    secrets
        Folder with the file that names the account for Couchbase, where the environment does not name it.

    Raises
    ------
    UnknownThumbnailStore, BadCouchbaseUrl
        Raised if the URL is of no known kind.
    NoThumbnailStore
        Raised if the folder is missing and `readonly` is set.
    CouchbaseSilent, CouchbaseRefused, NoCouchbaseBucket, NoCouchbaseAccount
        Raised if the cluster cannot be reached or does not let us in.
    """
    scheme, host, path, _, _ = urlsplit(url)
    if scheme in {"couchbase", "couchbases"}:
        return _open_couchbase(url, secrets, readonly=readonly)
    from alertdb.thumbnails.embedded import EmbeddedStore  # here, since it imports the names above

    if scheme != "file":
        raise UnknownThumbnailStore(url, f"unknown scheme {scheme!r}" if scheme else "it has no scheme")
    if host not in {"", "localhost"} or not path.startswith("/"):
        raise UnknownThumbnailStore(url, f"{host or path!r} is no absolute path on this machine")
    return EmbeddedStore(unquote(path), readonly=readonly)


def _open_couchbase(url: str, secrets: Path | None, *, readonly: bool) -> ThumbnailStore:
    try:
        from alertdb.thumbnails.couchbase.store import CouchbaseStore  # here, since it brings the SDK: 0.2 s
    except ModuleNotFoundError as error:
        from alertdb.thumbnails.couchbase.errors import CouchbaseNotInstalled

        raise CouchbaseNotInstalled from error
    return CouchbaseStore(url, secrets, readonly=readonly)
