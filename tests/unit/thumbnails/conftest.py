from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import build_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from alertdb.thumbnails import ThumbnailStore


def _document(candid: int, version: str = "") -> bytes:
    return build_document({"science": b"%d %s" % (candid, version.encode()), "difference": bytes(candid % 50)})


@pytest.fixture
def document() -> Callable[..., bytes]:
    """Return the document that `fill` stores for a candid."""
    return _document


@pytest.fixture
def store(tmp_path: Path) -> ThumbnailStore:
    """Return an empty store at ``thumbnails`` in `tmp_path`."""
    return open_store((tmp_path / "thumbnails").as_uri(), readonly=False)


@pytest.fixture
def fill(store: ThumbnailStore) -> Callable[..., None]:
    """Seal documents of some candids as one tarball."""

    def seal(tarball: str, candids: Iterable[int], rights: str = "public", version: str = "") -> None:
        with store.writer(tarball, rights) as writer:
            writer.put_many((candid, _document(candid, version)) for candid in candids)

    return seal
