"""The embedded store in one process; what several see of each other is in tests/faults."""

from __future__ import annotations

import os
import shutil
import stat
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import (
    ThumbnailsBusy,
    UnknownCandid,
)
from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from alertdb.thumbnails import ThumbnailStore

    Fill: TypeAlias = Callable[..., None]
    Document: TypeAlias = Callable[..., bytes]

ZTF_CANDID = 2182290200315010047  # 61 bits


@pytest.mark.parametrize("candid", [0, -1, 2**63 - 1, 2**63, 10**30, -(2**70)])
def test_an_unknown_candid_is_said_with_where_it_was_looked_for(
    store: ThumbnailStore, fill: Fill, tmp_path: Path, candid: int
) -> None:
    fill("a", [1, 2])
    with pytest.raises(UnknownCandid) as error:
        store.get(candid)
    assert str(error.value) == (
        f"There is no thumbnail of candid {candid} in {tmp_path}/thumbnails "
        "(sealed tarballs: public 1, partnership not there). "
        "Check the number, or ingest the tarball that holds this alert."
    )


def test_the_buffer_may_be_used_again_after_the_call(store: ThumbnailStore) -> None:
    buffer = bytearray(b"first")
    with store.writer("a", "public") as writer:
        writer.put_many([(1, memoryview(buffer))])
        buffer[:] = b"other"
        writer.put_many([(2, memoryview(buffer))])
    assert [store.get(1), store.get(2)] == [b"first", b"other"]


def test_more_pieces_and_bytes_than_the_system_takes_at_once(store: ThumbnailStore) -> None:
    pieces = [bytes([number % 256]) * 9000 for number in range(5000)]
    with store.writer("a", "public") as writer:
        writer.put_many([(1, pieces), (2, b"end")])
    assert store.get(1) == b"".join(pieces)
    assert store.get(2) == b"end"


def test_the_tarball_whose_name_sorts_first_wins(store: ThumbnailStore, fill: Fill, document: Document) -> None:
    fill("b", [1, 2], version="of b")
    fill("a-c", [1, 2], version="of a-c")
    fill("a", [1], version="of a")  # "a.zip" sorts behind "a-c.zip", but "a" before "a-c"
    assert store.get(1) == document(1, "of a")
    assert store.get(2) == document(2, "of a-c")


def test_a_reader_given_only_public(fill: Fill, document: Document, tmp_path: Path) -> None:
    fill("a", [1])
    fill("a", [2], "partnership")
    shutil.copytree(tmp_path / "thumbnails" / "public", tmp_path / "given" / "public")
    given = open_store((tmp_path / "given").as_uri())
    assert given.get(1) == document(1)
    with pytest.raises(UnknownCandid, match="partnership not there"):
        given.get(2)
    assert [tarball.rights for tarball in given.tarballs()] == ["public"]


def test_a_reader_notices_new_replaced_and_removed_files(
    store: ThumbnailStore, fill: Fill, document: Document, tmp_path: Path
) -> None:
    reader = open_store((tmp_path / "thumbnails").as_uri())
    assert list(reader.get_many([1, 2])) == []
    fill("a", [1], version="old")
    assert reader.get(1) == document(1, "old")
    fill("a", [1, 2], version="new")
    assert [reader.get(1), reader.get(2)] == [document(1, "new"), document(2, "new")]
    assert store.remove("a", "public")
    with pytest.raises(UnknownCandid):
        reader.get(1)


def test_a_file_replaced_between_listing_and_reading(fill: Fill, document: Document, tmp_path: Path) -> None:
    fill("a", [1], version="old")
    reader = open_store((tmp_path / "thumbnails").as_uri())
    folder = tmp_path / "thumbnails" / "public"
    os.utime(folder, ns=(1, 1))
    assert reader.get(1) == document(1, "old")
    fill("a", [0, 1], version="new")
    os.utime(folder, ns=(1, 1))  # as if the folder had not changed: only the file itself tells
    assert reader.get(1) == document(1, "new")


def test_nothing_changes_a_sealed_file(fill: Fill, tmp_path: Path) -> None:
    fill("a", [1])
    path = tmp_path / "thumbnails" / "public" / "a.zip"
    assert stat.S_IMODE(path.stat().st_mode) == 0o444
    assert [entry.name for entry in path.parent.iterdir()] == ["a.zip"]


def test_equal_documents_make_equal_files(fill: Fill, tmp_path: Path) -> None:
    path = tmp_path / "thumbnails" / "public" / "a.zip"
    fill("a", range(600))
    first = path.read_bytes()
    fill("a", range(600))
    assert path.read_bytes() == first


def test_nothing_is_visible_before_the_seal(store: ThumbnailStore, document: Document) -> None:
    writer = store.writer("a", "public")
    writer.put_many([(1, document(1))])
    assert store.tarballs() == []
    assert list(store.get_many([1])) == []
    writer.seal()
    assert store.get(1) == document(1)


def test_an_error_discards_what_was_put(store: ThumbnailStore, document: Document, tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), store.writer("a", "public") as writer:
        writer.put_many((candid, document(3 // candid)) for candid in (1, 0))
    assert list((tmp_path / "thumbnails" / "public").iterdir()) == []


def test_two_writers_of_one_tarball_exclude_each_other(store: ThumbnailStore, document: Document) -> None:
    first = store.writer("a", "public")
    with pytest.raises(ThumbnailsBusy, match=r"Another process is writing .*a\.zip\.unfinished"):
        store.writer("a", "public")
    store.writer("a", "partnership").discard()
    store.writer("b", "public").discard()
    first.put_many([(1, document(1))])
    first.seal()
    store.writer("a", "public").discard()
    assert store.get(1) == document(1)


def test_what_a_killed_writer_left_is_replaced(
    store: ThumbnailStore, fill: Fill, document: Document, tmp_path: Path
) -> None:
    folder = tmp_path / "thumbnails" / "public"
    folder.mkdir()
    (folder / "a.zip.unfinished").write_bytes(b"half a file, longer than the whole" * 1000)
    assert store.tarballs() == []
    fill("a", [1])
    assert [entry.name for entry in folder.iterdir()] == ["a.zip"]
    assert store.get(1) == document(1)
    assert list(store.verify()) == []


def test_tarballs_are_listed_with_counts(store: ThumbnailStore, fill: Fill, tmp_path: Path) -> None:
    fill("b", range(5))
    fill("a", range(300), "partnership")
    fill("c", [])
    size = (tmp_path / "thumbnails" / "public" / "b.zip").stat().st_size
    listed = store.tarballs()
    assert [tarball[:3] for tarball in listed] == [
        ("public", "b", 5),
        ("public", "c", 0),
        ("partnership", "a", 300),
    ]
    assert listed[0].size_bytes == size


def test_remove_says_whether_there_was_anything(store: ThumbnailStore, fill: Fill) -> None:
    fill("a", [1])
    fill("a", [2], "partnership")
    assert store.remove("a", "public") is True
    assert store.remove("a", "public") is False
    assert [tarball[:3] for tarball in store.tarballs()] == [("partnership", "a", 1)]


@pytest.mark.parametrize("name", ["a b (1)", "-a", "nächte", "a.b.c", "a.zip.unfinished"])
def test_a_tarball_with_an_odd_name(store: ThumbnailStore, fill: Fill, document: Document, name: str) -> None:
    fill(name, [1])
    assert store.get(1) == document(1)
    assert [tarball.tarball for tarball in store.tarballs()] == [name]


def test_other_files_in_the_folder_are_left_alone(
    store: ThumbnailStore, fill: Fill, document: Document, tmp_path: Path
) -> None:
    fill("a", [1])
    (tmp_path / "thumbnails" / "public" / "README").write_text("by hand")
    (tmp_path / "thumbnails" / "public" / "sub").mkdir()
    assert store.get(1) == document(1)
    assert list(store.verify()) == []
    assert len(store.tarballs()) == 1
