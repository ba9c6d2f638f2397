from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alertdb.errors import NoThumbnailStore, ReadOnlyThumbnails, UnknownThumbnailStore
from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("s3://bucket", "unknown scheme 's3'"),
        ("/var/thumbnails", "it has no scheme"),
        ("file:thumbnails", "'thumbnails' is no absolute path on this machine"),
        ("file://elsewhere/thumbnails", "'elsewhere' is no absolute path on this machine"),
    ],
)
def test_a_url_of_no_known_kind(url: str, found: str) -> None:
    with pytest.raises(UnknownThumbnailStore) as error:
        open_store(url)
    assert str(error.value) == (
        f"Thumbnails cannot be opened at {url!r}: {found}. "
        "Expected is file:///folder/of/thumbnails or couchbase://host/bucket; set ALERTDB_THUMBNAILS_URL to that."
    )


def test_a_missing_folder_is_said_or_made(tmp_path: Path) -> None:
    url = (tmp_path / "a folder" / "thumbnails").as_uri()
    with pytest.raises(NoThumbnailStore, match="a folder/thumbnails is no folder that can be read"):
        open_store(url)
    open_store(url, readonly=False)
    assert open_store(url).tarballs() == []


def test_a_file_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "thumbnails").write_text("")
    with pytest.raises(NoThumbnailStore):
        open_store((tmp_path / "thumbnails").as_uri())


def test_a_store_opened_to_read_refuses_changes(tmp_path: Path) -> None:
    store = open_store(tmp_path.as_uri())
    with pytest.raises(ReadOnlyThumbnails, match="readonly=False"):
        store.writer("ztf_public_20210901", "public")
    with pytest.raises(ReadOnlyThumbnails):
        store.remove("ztf_public_20210901", "public")
