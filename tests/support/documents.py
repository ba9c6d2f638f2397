"""Documents of thumbnails, made from the candid alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.thumbnails.document import build_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from alertdb.thumbnails import ThumbnailStore

__all__ = ["document_of", "filling"]


def document_of(candid: int, version: str = "") -> bytes:
    return build_document({"science": b"%d %s" % (candid, version.encode()), "difference": bytes(candid % 50)})


def filling(store: ThumbnailStore) -> Callable[..., None]:
    """Return a function that seals documents of some candids as one tarball."""

    def seal(tarball: str, candids: Iterable[int], rights: str = "public", version: str = "") -> None:
        with store.writer(tarball, rights) as writer:
            writer.put_many((candid, document_of(candid, version)) for candid in candids)

    return seal
