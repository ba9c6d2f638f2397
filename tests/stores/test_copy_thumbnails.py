"""`alertdb copy-thumbnails` as its users call it, between the two kinds of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import couchbase_server
import pytest
from couchbase_front import CHANGES

from alertdb.cli import main
from alertdb.thumbnails import open_store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import TypeAlias

    from couchbase_server import CouchbaseServer

    from alertdb.thumbnails import ThumbnailStore

    Copy: TypeAlias = Callable[..., tuple[int, str, str]]
    Document: TypeAlias = Callable[..., bytes]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return an archive's home; its secrets hold the account of the server."""
    secrets = tmp_path / "home" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "couchbase").write_text(couchbase_server.ACCOUNT + "\n")
    (secrets / "couchbase").chmod(0o600)
    return secrets.parent


@pytest.fixture
def folder(tmp_path: Path, document: Document) -> str:
    """Return the URL of an embedded store with two nights."""
    store = open_store((tmp_path / "thumbnails").as_uri(), readonly=False)
    for tarball, rights, candids in (
        ("night-1", "public", range(700)),
        ("night-2", "public", range(700, 900)),
        ("night-1", "partnership", range(1000, 1100)),
    ):
        with store.writer(tarball, rights) as writer:
            writer.put_many((candid, document(candid)) for candid in candids)
    return (tmp_path / "thumbnails").as_uri()


@pytest.fixture
def copy(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Copy:
    """Call the command; return its exit code, and what it wrote to standard output and error."""
    monkeypatch.setenv("ALERTDB_HOME", str(home))

    def copy(*arguments: str) -> tuple[int, str, str]:
        code = main.run(["copy-thumbnails", *arguments])
        return code, *capsys.readouterr()

    return copy


def _contents(store: ThumbnailStore) -> dict[tuple[str, str], dict[int, bytes]]:
    return {t[:2]: dict(store.documents(t.tarball, t.rights)) for t in store.tarballs()}


def test_there_and_back_again(
    copy: Copy, folder: str, server: CouchbaseServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALERTDB_COUCHBASE_ACCOUNT")  # the file has it
    code, out, err = copy(folder, server.url)
    assert (code, out) == (0, "3 tarballs copied, 0 were there already\n")
    assert [line.partition(":")[0] for line in err.splitlines()] == [
        "night-1 (public)",
        "night-2 (public)",
        "night-1 (partnership)",
    ]
    back = (tmp_path / "back").as_uri()
    assert copy(server.url, back)[0] == 0
    for path in sorted((tmp_path / "thumbnails").rglob("*.zip")):
        assert (tmp_path / "back" / path.relative_to(tmp_path / "thumbnails")).read_bytes() == path.read_bytes()


def test_a_second_copy_writes_nothing(copy: Copy, folder: str, server: CouchbaseServer) -> None:
    copy(folder, server.url)
    server.front.watch = lambda frame: frame.opcode in CHANGES
    assert copy(folder, server.url) == (0, "0 tarballs copied, 3 were there already\n", "")


def test_a_server_that_comes_back_empty_is_filled_again(copy: Copy, folder: str, server: CouchbaseServer) -> None:
    copy(folder, server.url)
    server.restart()
    store = open_store(server.url)
    assert store.tarballs() == []
    assert list(store.get_many(range(1100))) == []
    code, out, _ = copy(folder, server.url)
    assert (code, out) == (0, "3 tarballs copied, 0 were there already\n")
    assert _contents(store) == _contents(open_store(folder))
    assert list(store.verify()) == []


def test_what_the_target_lost_is_found_and_copied_again(copy: Copy, folder: str, server: CouchbaseServer) -> None:
    copy(folder, server.url)
    server.documents("public").remove("17")
    assert copy(folder, server.url)[1] == "0 tarballs copied, 3 were there already\n"
    assert copy(folder, server.url, "--recheck")[1] == "1 tarball copied, 2 were there already\n"
    assert _contents(open_store(server.url)) == _contents(open_store(folder))


def test_a_damaged_source_keeps_only_its_own_tarball_back(
    copy: Copy, folder: str, server: CouchbaseServer, tmp_path: Path, document: Document
) -> None:
    path = tmp_path / "thumbnails" / "public" / "night-2.zip"
    path.chmod(0o600)
    path.write_bytes(path.read_bytes().replace(document(800), bytes(len(document(800)))))
    code, out, err = copy(folder, server.url)
    assert (code, out) == (1, "2 tarballs copied, 0 were there already, 1 could not be copied\n")
    assert "night-2 (public): not copied. The thumbnail of 800 in " in err
    assert [t[:2] for t in open_store(server.url).tarballs()] == [("public", "night-1"), ("partnership", "night-1")]


def test_a_source_that_is_not_there(copy: Copy, server: CouchbaseServer, tmp_path: Path) -> None:
    code, _, err = copy((tmp_path / "nothing").as_uri(), server.url)
    assert code == 1
    assert err.startswith("Error: There are no thumbnails: ")
    assert err.count("\n") == 1
