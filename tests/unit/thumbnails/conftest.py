from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from documents import document_of, filling

from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.thumbnails import ThumbnailStore


@pytest.fixture
def document() -> Callable[..., bytes]:
    """Return the document that `fill` stores for a candid."""
    return document_of


@pytest.fixture
def store(tmp_path: Path) -> ThumbnailStore:
    """Return an empty store at ``thumbnails`` in `tmp_path`."""
    return open_store((tmp_path / "thumbnails").as_uri(), readonly=False)


@pytest.fixture
def fill(store: ThumbnailStore) -> Callable[..., None]:
    """Seal documents of some candids as one tarball."""
    return filling(store)
