"""Processes that are killed at a chosen change of the bucket, and run again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import couchbase_server
import pytest
import store_process
from couchbase.options import GetMultiOptions
from couchbase.transcoder import RawBinaryTranscoder
from couchbase_front import CHANGES

from alertdb.thumbnails.couchbase.errors import CouchbaseBusy
from alertdb.thumbnails.couchbase.store import CouchbaseStore

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from couchbase_front import Frame
    from couchbase_server import CouchbaseServer

OLD, NEW, OTHER = range(1000), range(300, 1400), range(1350, 1500)


class _Watch:
    """Counts the changes of the bucket, remembers their keys, and kills a process before the nth."""

    def __init__(self, server: CouchbaseServer) -> None:
        self.changes: list[int] = []
        self.keys: set[str] = set()
        self._server = server
        self._kill_at = 0
        self._process: BaseProcess | None = None
        server.front.watch = self

    def __call__(self, frame: Frame) -> bool:
        if frame.opcode not in CHANGES:
            return False
        self.changes.append(frame.opcode)
        self.keys.add(frame.key.decode())
        if self._process is None or len(self.changes) < self._kill_at:
            return False
        self._process.kill()
        return True

    def run(self, target: object, *arguments: object, kill_at: int = 0) -> int | None:
        """Run a process to its end, or to the nth change."""
        self.changes = []
        process = store_process.start(target, self._server.url, couchbase_server.ACCOUNT, *arguments)
        self._process, self._kill_at = (process if kill_at else None), kill_at
        process.join(60)
        self._process = None
        return process.exitcode

    def contents(self) -> dict[str, bytes]:
        """Return every document in the bucket, by the SDK alone; lists under the names of their parts."""
        options = GetMultiOptions(transcoder=RawBinaryTranscoder(), return_exceptions=True)
        found = self._server.documents("public").get_multi(sorted(self.keys), options)
        values = {key: result.value for key, result in found.results.items() if key != "alertdb/tarballs"}
        return {"list " + key.rpartition("/")[2] if "/" in key else key: value for key, value in values.items()}


@pytest.fixture
def watch(server: CouchbaseServer) -> _Watch:
    """Return a watch over a bucket with an old version of the tarball, and another that shares candids with the new."""
    with CouchbaseStore(server.url, readonly=False).writer("other", "public") as writer:
        writer.put_many((candid, store_process.document(candid, "new")) for candid in OTHER)
    watch = _Watch(server)
    assert watch.run(store_process.write, OLD, "old") == 0
    return watch


# Changes of the new version: it begins; three parts of its list, with documents in between; documents that differ
# from sealed ones, which waited; the seal; documents that left; two parts of the old list; and that it is forgotten.
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_a_writer_killed_at_any_change_leaves_the_old_or_the_new(
    server: CouchbaseServer, watch: _Watch, share: float
) -> None:
    store = CouchbaseStore(server.url, readonly=False)
    assert watch.run(store_process.write, NEW, "new") == 0
    undisturbed, changes = watch.contents(), len(watch.changes)
    assert changes == 1 + 3 + len(NEW) + 1 + len(set(OLD) - set(NEW)) + 2 + 1  # as told above
    watch.run(store_process.write, OLD, "old")

    kill_at = 1 + round(share * (changes - 1))
    assert watch.run(store_process.write, NEW, "new", kill_at=kill_at) == -9
    night = {t.tarball: t.documents for t in store.tarballs()}["night"]
    assert night in {len(OLD), len(NEW)}
    if share in {0.0, 0.2, 1.0}:  # in between the differing documents of the old version are overwritten
        assert list(store.verify()) == []
        assert len(store.unfinished()) == (share > 0.0)

    assert watch.run(store_process.write, NEW, "new") == 0
    assert watch.contents() == undisturbed
    assert list(store.verify()) == []
    assert store.unfinished() == []


@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_a_removal_killed_at_any_change_is_finished_by_the_next(
    server: CouchbaseServer, watch: _Watch, share: float
) -> None:
    store = CouchbaseStore(server.url, readonly=False)
    assert watch.run(store_process.write, NEW, "new") == 0
    changes = 1 + len(set(NEW) - set(OTHER)) + 3 + 1  # no longer sealed, documents, three lists, forgotten
    kill_at = 1 + round(share * (changes - 1))
    assert watch.run(store_process.remove, kill_at=kill_at) == -9
    assert list(store.verify()) == []
    assert [t.tarball for t in store.tarballs()] == (["night", "other"] if share == 0 else ["other"])
    assert watch.run(store_process.remove) == 0
    assert sorted(watch.contents()) == sorted(str(candid) for candid in set(OTHER) & set(NEW))
    assert store.unfinished() == []


def test_a_first_writer_that_was_killed_and_never_ran_again_can_be_removed(server: CouchbaseServer) -> None:
    watch = _Watch(server)
    assert watch.run(store_process.write, NEW, "", kill_at=700) == -9
    store = CouchbaseStore(server.url, readonly=False)
    assert store.tarballs() == []
    assert [begun[:2] for begun in store.unfinished()] == [("night", "public")]
    assert {"list 0", "list 1", str(NEW[0])} <= watch.contents().keys()
    assert store.remove("night", "public") is True
    assert watch.contents() == {}
    assert store.remove("night", "public") is False


def test_whoever_begins_later_takes_the_turn(server: CouchbaseServer) -> None:
    """A writer that is dead cannot be told from one that is slow: the slow one is told."""
    store = CouchbaseStore(server.url, readonly=False)
    slow = store.writer("night", "public")
    slow.put_many([(1, store_process.document(1))])
    with store.writer("night", "public") as quick:
        quick.put_many([(2, store_process.document(2))])
    with pytest.raises(CouchbaseBusy) as error:
        slow.seal()
    assert str(error.value).startswith("Another process has begun to write the thumbnails of night in couchbase://")
    slow.discard()
    assert list(store.get_many([1, 2])) == [(2, store_process.document(2))]
