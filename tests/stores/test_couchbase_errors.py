"""What goes wrong with a Couchbase cluster, and what is said of it: one line, with what to do."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import couchbase_server
import pytest
from couchbase.options import UpsertOptions
from couchbase.transcoder import RawBinaryTranscoder
from couchbase_server import NO_MEMORY, TEMPORARY_FAILURE, CouchbaseServer
from tls import make_certificate, server_context

from alertdb.errors import AlertdbError, DamagedThumbnail
from alertdb.thumbnails import open_store
from alertdb.thumbnails.couchbase import pace, wire
from alertdb.thumbnails.couchbase.errors import (
    BadCouchbaseAccount,
    BadCouchbaseUrl,
    CouchbaseRefused,
    CouchbaseSilent,
    NoCouchbaseAccount,
    NoCouchbaseBucket,
    NoCouchbaseCollection,
    ThumbnailTooLarge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from couchbase_front import Frame

    Document: TypeAlias = Callable[..., bytes]


@pytest.fixture
def secure(tmp_path: Path, running_server: CouchbaseServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Return the URL of a server that is reached by TLS; over it the mock checks passwords."""
    assert running_server  # else there is none to be had
    monkeypatch.setenv("ALERTDB_COUCHBASE_ACCOUNT", couchbase_server.ACCOUNT)
    certificate, key = make_certificate(tmp_path)
    other = CouchbaseServer(tmp_path / "server.log", server_context(certificate, key))
    yield f"{other.url.replace('couchbase:', 'couchbases:')}&certificate={certificate}"
    other.close()


def _put(url: str, candids: range, document: Document) -> None:
    with open_store(url, readonly=False).writer("night", "public") as writer:
        writer.put_many((candid, document(candid)) for candid in candids)


def _message(raised: pytest.ExceptionInfo[AlertdbError]) -> str:
    text = str(raised.value)
    assert "\n" not in text
    assert couchbase_server.PASSWORD not in text
    return text


def test_a_wrong_bucket(server: CouchbaseServer) -> None:
    with pytest.raises(NoCouchbaseBucket) as raised:
        open_store(server.url.replace("/thumbnails", "/nothing"))
    assert _message(raised) == (
        f"The Couchbase cluster at couchbase://127.0.0.1:{server.front.port} has no bucket 'nothing-public' that the "
        "account 'thumbnails-public' may open. Check the bucket's name in ALERTDB_THUMBNAILS_URL (buckets are called "
        "BUCKET-public and BUCKET-partnership), or make it: containers/couchbase/init.py."
    )


def test_a_bucket_of_one_class_serves_readers_and_no_writer(server: CouchbaseServer, document: Document) -> None:
    _put(server.url, range(10), document)
    closed = server.front.ports.pop("thumbnails-partnership")
    try:
        wire._cluster.cache_clear()
        assert open_store(server.url).get(3) == document(3)
        with pytest.raises(AlertdbError, match="buckets: thumbnails-public, partnership not there"):
            open_store(server.url).get(33)
        with pytest.raises(NoCouchbaseBucket, match="'thumbnails-partnership'"):
            open_store(server.url, readonly=False)
    finally:
        server.front.ports["thumbnails-partnership"] = closed


def test_no_such_collection(server: CouchbaseServer) -> None:
    """The mock has no collections at all; a server that has them says it in another way (not shown here)."""
    store = open_store(server.url.replace("/thumbnails", "/thumbnails/ztf/stamps"))
    with pytest.raises(NoCouchbaseCollection, match="has no collection 'ztf/stamps', or is too old to have any"):
        store.get(1)


def test_wrong_credentials(secure: str, document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    _put(secure, range(10), document)
    assert open_store(secure).get(7) == document(7)
    for account in ("thumbnails-public:guessed", "nobody:guessed"):
        monkeypatch.setenv("ALERTDB_COUCHBASE_ACCOUNT", account)
        with pytest.raises(CouchbaseRefused) as raised:
            open_store(secure)
        assert f"refused the account '{account.partition(':')[0]}'. Check its password: " in _message(raised)
        assert "guessed" not in _message(raised)


def test_a_certificate_that_is_not_trusted(secure: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_SECONDS", 0.5)
    with pytest.raises(CouchbaseSilent, match="or its certificate is not trusted"):
        open_store(secure.partition("&")[0])
    with pytest.raises(BadCouchbaseUrl, match="there is no certificate /nowhere.pem"):
        open_store(f"{secure.partition('&')[0]}&certificate=/nowhere.pem")


def test_no_account_and_bad_ones(server: CouchbaseServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("ALERTDB_COUCHBASE_ACCOUNT", "no-colon")
    with pytest.raises(BadCouchbaseAccount, match="it is no 'user:password'"):
        open_store(server.url)
    monkeypatch.delenv("ALERTDB_COUCHBASE_ACCOUNT")
    with pytest.raises(NoCouchbaseAccount) as raised:
        open_store(server.url, secrets=tmp_path)
    assert _message(raised) == (
        "No Couchbase account is known for public thumbnails; expected 'user:password' in ALERTDB_COUCHBASE_ACCOUNT "
        f"or in the file {tmp_path}/couchbase (mode 0600)."
    )
    file = tmp_path / "couchbase"
    file.write_text(couchbase_server.ACCOUNT)
    file.chmod(0o640)
    with pytest.raises(BadCouchbaseAccount) as bad:
        open_store(server.url, secrets=tmp_path)
    assert f"others may read it. Close it: chmod 600 {file}" in _message(bad)
    file.chmod(0o600)
    assert open_store(server.url, secrets=tmp_path).tarballs() == []


@pytest.mark.usefixtures("impatient")
def test_a_dead_cluster(server: CouchbaseServer, document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store(server.url, readonly=False)
    _put(server.url, range(10), document)
    server.stop()
    try:
        with pytest.raises(CouchbaseSilent) as raised:
            store.get(1)
        assert _message(raised) == (
            f"The Couchbase cluster at couchbase://127.0.0.1:{server.front.port}/thumbnails-public does not answer "
            "(no answer in time). See that it is up and can be reached from here, then run the same command again."
        )
        wire._cluster.cache_clear()
        monkeypatch.setattr(wire, "CONNECT_SECONDS", 0.5)
        with pytest.raises(CouchbaseSilent):
            open_store(server.url)
    finally:
        server.start()
    monkeypatch.setattr(pace, "ATTEMPTS", 100)  # until the SDK has noticed
    assert store.tarballs() == []


def test_a_dropped_connection_in_the_middle_of_writing_and_reading(server: CouchbaseServer, document: Document) -> None:
    seen = []

    def cut_now_and_then(frame: Frame) -> bool:
        seen.append(frame)
        return len(seen) in {40, 300, 900, 1800}

    store = open_store(server.url, readonly=False)
    server.front.watch = cut_now_and_then
    _put(server.url, range(1000), document)
    assert dict(store.get_many(range(1000))) == {candid: document(candid) for candid in range(1000)}
    assert list(store.verify()) == []
    assert len(seen) > 1800


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("failure", [TEMPORARY_FAILURE, NO_MEMORY])
def test_a_cluster_that_is_short_of_something_for_a_moment(
    server: CouchbaseServer, document: Document, failure: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "ATTEMPTS", 100)
    store = open_store(server.url, readonly=False)
    writer = store.writer("night", "public")
    server.fail(failure, 7)
    writer.put_many((candid, document(candid)) for candid in range(600))
    server.fail(failure, 7)
    writer.seal()
    server.fail(failure, 100)
    assert len(list(store.get_many(range(600)))) == 600
    server.fail(failure, 0)
    assert list(store.verify()) == []


@pytest.mark.usefixtures("impatient")
def test_a_cluster_that_stays_short_of_something(server: CouchbaseServer, document: Document) -> None:
    store = open_store(server.url, readonly=False)
    writer = store.writer("night", "public")
    server.fail(NO_MEMORY, -1)
    with pytest.raises(CouchbaseSilent, match=r"does not answer \(TemporaryFail\)"):
        writer.put_many((candid, document(candid)) for candid in range(600))
    server.fail(NO_MEMORY, 0)
    writer.discard()
    assert list(store.get_many(range(600))) == []
    _put(server.url, range(600), document)
    assert list(store.verify()) == []


@pytest.mark.parametrize("damaged", [b"", b"no ZIP", "changed", "other"])
def test_a_damaged_document(server: CouchbaseServer, document: Document, damaged: bytes | str) -> None:
    _put(server.url, range(100), document)
    changes = {"changed": document(49).replace(b"49 ", b"94 "), "other": document(48)}
    content = damaged if isinstance(damaged, bytes) else changes[damaged]
    server.documents("public").upsert("49", content, UpsertOptions(transcoder=RawBinaryTranscoder()))
    store = open_store(server.url)
    what = f"The thumbnail of 49 in couchbase://127.0.0.1:{server.front.port}/thumbnails-public is damaged: "
    assert [line.startswith(what) for line in store.verify()] == [True]
    if damaged == "other":  # a sound document of another alert: only the list can tell
        return
    with pytest.raises(DamagedThumbnail) as raised:
        store.get(49)
    assert _message(raised).startswith(what)
    found: list[tuple[int, bytes]] = []
    with pytest.raises(DamagedThumbnail):
        found.extend(store.get_many(range(100)))
    assert [candid for candid, _ in found] == [candid for candid in range(100) if candid != 49]


@pytest.mark.parametrize("key", ["alertdb/tarballs", "list"])
def test_a_damaged_list(server: CouchbaseServer, document: Document, key: str) -> None:
    keys = []

    def remember(frame: Frame) -> bool:
        keys.append(frame.key.decode())
        return False

    server.front.watch = remember
    _put(server.url, range(600), document)
    lists = sorted({name for name in keys if name.startswith("alertdb/list/")})
    assert len(lists) == 2
    server.documents("public").upsert(
        lists[0] if key == "list" else key, b"00000000damaged", UpsertOptions(transcoder=RawBinaryTranscoder())
    )
    store = open_store(server.url)
    lines = list(store.verify())
    assert len(lines) == 1
    assert " is damaged: its CRC-32 is " in lines[0]
    assert store.get(3) == document(3)
    if key == "list":
        assert store.candids("night", "public").tolist() == list(range(512, 600))
        _put(server.url, range(600), document)
        assert list(store.verify()) == []
    else:
        with pytest.raises(DamagedThumbnail, match="The list of tarballs"):
            _put(server.url, range(600), document)


def test_a_document_over_20_mib(server: CouchbaseServer) -> None:
    store = open_store(server.url, readonly=False)
    with pytest.raises(ThumbnailTooLarge) as raised, store.writer("night", "public") as writer:
        writer.put_many([(1, bytes((20 << 20) + 1))])
    assert _message(raised) == (
        "The thumbnail of 1 has 20,971,521 bytes; Couchbase takes documents of at most 20,971,520. "
        "Look at its packet; the embedded store (file://…) has no such limit."
    )
    assert store.tarballs() == []


def test_a_server_with_a_lower_limit_is_heard(server: CouchbaseServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_DOCUMENT", 30 << 20)
    with pytest.raises(ThumbnailTooLarge, match="The cluster refused the thumbnail of 1 as too large"):
        open_store(server.url, readonly=False)._shelves["public"].wire.write({"1": bytes(21 << 20)})  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("couchbase:///ztf", "it names no host"),
        ("couchbase://db 1/ztf", "'db 1' is no list of hosts"),
        ("couchbase://db1,,db2/ztf", "'db1,,db2' is no list of hosts"),
        ("couchbase://db1", "it names no bucket"),
        ("couchbase://db1/ztf/scope", "it names 2 of bucket, scope and collection"),
        ("couchbase://db1/z$tf", "a bucket cannot be called 'z$tf'"),
        ("couchbase://db1/ztf/_system/x", "a scope or collection cannot be called '_system'"),
        ("couchbase://db1/ztf?timeout=3", "there is no option 'timeout'"),
        ("couchbase://db1/ztf?durability=some", "durability is one of none, majority,"),
        ("couchbase://db1/ztf?certificate=/a.pem", "a certificate is of use with couchbases:// only"),
    ],
)
def test_a_url_that_names_no_place(url: str, found: str) -> None:
    with pytest.raises(BadCouchbaseUrl) as raised:
        open_store(url)
    assert _message(raised).startswith(f"Thumbnails cannot be opened at {url!r}: {found}")


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadCouchbaseUrl) as raised:
        open_store("couchbase://reader:hunter2@db1/ztf")
    assert "hunter2" not in _message(raised)


def test_the_sdk_is_not_imported_for_other_stores(tmp_path: Path) -> None:
    code = (
        "import sys; from alertdb.thumbnails import open_store;"
        f"open_store({tmp_path.as_uri()!r}).tarballs(); import alertdb.cli.main; print('couchbase' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_without_the_sdk_the_way_to_install_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "alertdb.thumbnails.couchbase.store", None)
    with pytest.raises(AlertdbError, match="pip install couchbase"):
        open_store("couchbase://db1/ztf")
