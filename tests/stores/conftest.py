"""A Couchbase test server for the session, and an empty store of each kind for a test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import couchbase_server
import pytest
from conftest import required
from couchbase_server import CouchbaseServer
from documents import document_of, filling

from alertdb.thumbnails import open_store
from alertdb.thumbnails.couchbase import pace, wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alertdb.thumbnails import ThumbnailStore


@pytest.fixture
def document() -> Callable[..., bytes]:
    """Return the document that `fill` stores for a candid."""
    return document_of


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CouchbaseServer]:
    missing = couchbase_server.why_missing()
    if missing and required("couchbase"):
        pytest.fail(f"no Couchbase test server: {missing}")
    if missing:
        pytest.skip(f"no Couchbase test server: {missing}")
    server = CouchbaseServer(tmp_path_factory.mktemp("couchbase") / "server.log")
    yield server
    server.close()


@pytest.fixture
def server(running_server: CouchbaseServer, monkeypatch: pytest.MonkeyPatch) -> CouchbaseServer:
    """Return the session's server, emptied, with its account in the environment."""
    monkeypatch.setenv("ALERTDB_COUCHBASE_ACCOUNT", couchbase_server.ACCOUNT)
    running_server.empty()
    return running_server


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Have the store give up soon: three attempts, one second each."""
    monkeypatch.setattr(wire, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(pace, "ATTEMPTS", 3)
    monkeypatch.setattr(pace, "_FIRST_WAIT", 0.001)
    wire._cluster.cache_clear()
    yield
    wire._cluster.cache_clear()


@pytest.fixture(params=["embedded", "couchbase"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the URL of an empty store, of each kind in turn."""
    if request.param == "embedded":
        return (tmp_path / "thumbnails").as_uri()
    server: CouchbaseServer = request.getfixturevalue("server")
    return server.url


@pytest.fixture
def store(url: str) -> ThumbnailStore:
    return open_store(url, readonly=False)


@pytest.fixture
def fill(store: ThumbnailStore) -> Callable[..., None]:
    """Seal documents of some candids as one tarball."""
    return filling(store)
