"""What every thumbnail store promises, asked of each: the embedded one, and Couchbase over the wire."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pytest

from alertdb.errors import BadTarballName, DuplicateThumbnail, ReadOnlyThumbnails, ThumbnailsNotWritten, UnknownRights
from alertdb.errors import UnknownCandid as Unknown
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import document_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    from alertdb.thumbnails import ThumbnailStore

    Fill: TypeAlias = Callable[..., None]
    Document: TypeAlias = Callable[..., bytes]

ZTF_CANDID = 2182290200315010047  # 61 bits


def test_documents_come_back_by_candid(store: ThumbnailStore, fill: Fill, document: Document) -> None:
    candids = random.Random(1).sample(range(ZTF_CANDID, ZTF_CANDID + 10**6), 1500)  # several parts of a list
    fill("ztf_public_20210901", candids)
    assert all(store.get(candid) == document(candid) for candid in candids)
    assert list(store.get_many(candids)) == [(candid, document(candid)) for candid in candids]
    neighbours = {candid + 1 for candid in candids} - set(candids)
    assert list(store.get_many(sorted(neighbours))) == []
    assert store.candids("ztf_public_20210901", "public").tolist() == sorted(candids)
    assert list(store.verify()) == []


@pytest.mark.parametrize("documents", [0, 1, 255, 256, 257, 511, 512, 513])
def test_any_number_of_documents(store: ThumbnailStore, fill: Fill, document: Document, documents: int) -> None:
    fill("night", range(10, 10 + 2 * documents, 2))
    assert list(store.get_many(range(10 + 2 * documents))) == [
        (candid, document(candid)) for candid in range(10, 10 + 2 * documents, 2)
    ]
    assert store.tarballs()[0].documents == documents
    assert list(store.verify()) == []


def test_get_many_keeps_the_order_asked_and_leaves_out_the_unknown(
    store: ThumbnailStore, fill: Fill, document: Document
) -> None:
    fill("a", [1, 3])
    fill("b", [2], "partnership")
    assert list(store.get_many([3, 99, 2, 1, 3])) == [(candid, document(candid)) for candid in (3, 2, 1, 3)]


@pytest.mark.parametrize("candid", [0, -1, 2**63 - 1, 2**63, 10**30, -(2**70)])
def test_a_missing_candid_is_one_clear_error(store: ThumbnailStore, fill: Fill, url: str, candid: int) -> None:
    fill("a", [1, 2])
    with pytest.raises(Unknown) as error:
        store.get(candid)
    place = url.removeprefix("file://").partition("?")[0]
    assert str(error.value).startswith(f"There is no thumbnail of candid {candid} in {place} (")
    assert str(error.value).endswith("Check the number, or ingest the tarball that holds this alert.")


def test_pieces_views_and_numpy_integers(store: ThumbnailStore, document: Document) -> None:
    stamps = {"science": b"7 ", "difference": bytes(7)}
    buffer = bytearray(document(8))
    with store.writer("a", "public") as writer:
        writer.put_many([(7, document_pieces(stamps)), (8, memoryview(buffer)), (9, bytearray(document(9)))])
        buffer[:] = bytes(len(buffer))  # whoever put it may use it again now
        writer.put_many([(ZTF_CANDID, document(ZTF_CANDID))])
    candids = (7, 8, 9, ZTF_CANDID)
    assert [store.get(np.int64(candid)) for candid in candids] == [document(candid) for candid in candids]


def test_equal_bytes_put_again_change_nothing(store: ThumbnailStore, fill: Fill, document: Document) -> None:
    fill("a", range(100))
    before = store.tarballs()
    fill("a", range(100))
    assert store.tarballs() == before
    assert dict(store.get_many(range(100))) == {candid: document(candid) for candid in range(100)}
    assert list(store.verify()) == []


def test_a_tarball_is_replaced_as_a_whole(store: ThumbnailStore, fill: Fill, document: Document) -> None:
    fill("a", range(1, 5), version="old")
    fill("a", [3, 4, 5], version="new")
    assert list(store.get_many(range(7))) == [(candid, document(candid, "new")) for candid in (3, 4, 5)]
    assert [tarball.documents for tarball in store.tarballs()] == [3]
    assert list(store.verify()) == []


def test_a_tarball_counts_when_it_is_sealed(store: ThumbnailStore, document: Document) -> None:
    writer = store.writer("a", "public")
    writer.put_many([(1, document(1))])
    assert store.tarballs() == []
    assert store.candids("a", "public").tolist() == []
    writer.seal()
    assert [tarball[:3] for tarball in store.tarballs()] == [("public", "a", 1)]
    assert store.get(1) == document(1)


def test_what_is_discarded_leaves_nothing_and_changes_nothing(
    store: ThumbnailStore, fill: Fill, document: Document
) -> None:
    fill("a", [1, 2], version="old")
    with pytest.raises(ZeroDivisionError), store.writer("a", "public") as writer:
        writer.put_many((candid, document(candid, f"{6 // (candid - 900)}")) for candid in (1, 2, *range(3, 901)))
    assert list(store.get_many(range(1000))) == [(1, document(1, "old")), (2, document(2, "old"))]
    assert list(store.verify()) == []


def test_a_candid_put_twice_is_refused_and_what_was_sealed_stays(
    store: ThumbnailStore, fill: Fill, document: Document
) -> None:
    fill("a", [1, 2], version="old")
    with pytest.raises(DuplicateThumbnail, match="Two thumbnails of candid 4 were put for a;"):
        fill("a", [3, 4, 5, 4], version="new")
    assert store.get(1) == document(1, "old")
    assert list(store.get_many([3, 4])) == []


def test_an_error_of_the_source_of_documents_stays_what_it_is(store: ThumbnailStore, document: Document) -> None:
    def documents() -> Iterator[tuple[int, bytes]]:
        yield 1, document(1)
        raise OSError(5, "the tarball cannot be read")

    with pytest.raises(OSError, match="the tarball"), store.writer("a", "public") as writer:
        writer.put_many(documents())
    assert store.tarballs() == []


def test_a_writer_is_done_after_it_sealed(store: ThumbnailStore, document: Document) -> None:
    writer = store.writer("a", "public")
    writer.seal()
    with pytest.raises(ThumbnailsNotWritten):
        writer.put_many([(1, document(1))])


def test_public_wins_over_partnership(store: ThumbnailStore, fill: Fill, document: Document) -> None:
    fill("a", [1, 2], "partnership", "of partnership")
    fill("b", [1], "public", "of public")
    assert store.get(1) == document(1, "of public")
    assert store.get(2) == document(2, "of partnership")


def test_removing_takes_only_what_no_other_tarball_has(store: ThumbnailStore, fill: Fill, document: Document) -> None:
    fill("a", range(600))
    fill("b", range(590, 1200))
    assert store.remove("a", "public") is True
    assert list(store.get_many(range(600))) == [(candid, document(candid)) for candid in range(590, 600)]
    assert [tarball.tarball for tarball in store.tarballs()] == ["b"]
    assert store.remove("a", "public") is False
    assert list(store.verify()) == []


def test_tarballs_are_listed_by_rights_class_then_by_name(store: ThumbnailStore, fill: Fill) -> None:
    fill("b", range(5))
    fill("a", range(300), "partnership")
    fill("c", [])
    assert [tarball[:3] for tarball in store.tarballs()] == [
        ("public", "b", 5),
        ("public", "c", 0),
        ("partnership", "a", 300),
    ]
    assert store.candids("nothing", "public").tolist() == []


def test_concurrent_readers_while_tarballs_come_and_go(
    store: ThumbnailStore, fill: Fill, document: Document, url: str
) -> None:
    fill("a", range(400))
    expected = {candid: document(candid) for candid in range(400)}

    def read(_: int) -> bool:
        reader = open_store(url)
        return all(dict(reader.get_many(range(400))) == expected for _ in range(5))

    with ThreadPoolExecutor(4) as pool:
        readers = pool.map(read, range(4))
        for version in range(5):
            fill("b", range(300, 700) if version % 2 else range(400, 500))
            fill("a", range(400))
        assert all(readers)
    store.remove("b", "public")
    assert list(store.verify()) == []


def test_several_writers_at_once(store: ThumbnailStore, fill: Fill) -> None:
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: fill(f"night-{number}", range(number * 90, number * 90 + 100)), range(8)))
    assert [(t.tarball, t.documents) for t in store.tarballs()] == [(f"night-{n}", 100) for n in range(8)]
    assert list(store.verify()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "/a", ".hidden", "a\n", "\ta", "a\0"])
def test_a_tarball_with_a_name_that_is_no_file_name(store: ThumbnailStore, name: str) -> None:
    with pytest.raises(BadTarballName):
        store.writer(name, "public")
    with pytest.raises(BadTarballName):
        store.remove(name, "public")


def test_an_odd_name_an_unknown_class_and_a_store_that_is_only_read(
    store: ThumbnailStore, fill: Fill, url: str
) -> None:
    fill("nächte 'a' (1)", [1])
    assert [tarball.tarball for tarball in store.tarballs()] == ["nächte 'a' (1)"]
    with pytest.raises(UnknownRights, match="There is no rights class 'secret'; expected public or partnership."):
        store.writer("a", "secret")
    with pytest.raises(ReadOnlyThumbnails, match="readonly=False"):
        open_store(url).writer("a", "public")
    with pytest.raises(ReadOnlyThumbnails):
        open_store(url).remove("a", "public")
