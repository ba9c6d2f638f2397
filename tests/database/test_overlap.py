"""What a load does beside each other: while either of two parts is held up, the other comes to its end.

Nothing is timed. One part is held by a lock or a row that it needs; that the other is done is seen by its files, or by
the rows that it has written and not committed.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest
from archives import load
from locking import another_connection, ask, held, is_waited_for
from plain import KEYS, differences, expected_tables
from someone import PATIENCE, until

from alertdb.database import Account, connect
from alertdb.errors import LockNotGiven
from alertdb.thumbnails.unfinished import EmbeddedWriter
from ingest.locks import alerts_lock, merge_lock
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plain import Tables
    from sqlalchemy import Connection

    from alertdb.config import Config
    from ingest.pipeline import Outcome

MERGE, ALERTS = merge_lock("ztf"), alerts_lock("ztf")
MERGED_BESIDE = ("alerts_prv", "alerts_forced")  # beside the summary; limits are in before: it counts them
IS_FREE = "IS_FREE_LOCK('{}')"
LOADED = "COUNT(*) FROM tarballs"
WAITS_FOR_A_ROW = "COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'"


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_nights([20240110, 20240111], 150, tmp_path_factory.mktemp("nights"), seed=11, schema="4.02")


@pytest.fixture(scope="module")
def expected(nights: list[Path]) -> Tables:
    return expected_tables(nights)


@pytest.fixture
def another(archive: Config) -> Iterator[Connection]:
    """A connection that also sees what others have not committed."""
    with another_connection(archive) as connection:
        connection.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
        yield connection


@pytest.fixture
def sealed(tmp_path: Path, nights: list[Path]) -> Path:
    """Where the second night's thumbnails are when they are sealed."""
    return tmp_path / "thumbnails" / "public" / f"{nights[1].name}.zip"


@contextmanager
def rows_held(config: Config, table: str) -> Iterator[None]:
    """Hold all rows of a table."""
    with connect(config, Account.ADMIN) as connection:
        assert connection.exec_driver_sql(f"SELECT objectId FROM {table} FOR UPDATE").all()
        yield


def meanwhile(loading: Future[list[Outcome]], found: Callable[[], object], what: str) -> None:
    """Wait until that is found while the load is under way."""
    until(lambda: loading.done() or bool(found()), what)
    assert not loading.done(), loading.result()


def test_the_summary_is_computed_while_the_merging_of_histories_is_held(
    archive: Config, another: Connection, nights: list[Path], expected: Tables
) -> None:
    load(archive, nights[0])

    def is_computed() -> bool:
        databases = len(("ztf", "ztf_public"))
        return len(list(archive.spool.rglob("summary-*.arrow"))) == databases and ask(another, IS_FREE.format(ALERTS))

    with ThreadPoolExecutor(1) as pool, rows_held(archive, "alerts_prv"):
        loading = pool.submit(load, archive, nights[1])
        meanwhile(loading, lambda: ask(another, WAITS_FOR_A_ROW), "the merging is not held")
        meanwhile(loading, is_computed, "the summary waits for the merging")
        assert ask(another, WAITS_FOR_A_ROW)
    assert differences(expected, archive) == []


def test_histories_are_merged_while_the_summary_is_held(
    archive: Config, another: Connection, nights: list[Path], expected: Tables
) -> None:
    load(archive, nights[0])

    def is_merged() -> bool:
        return all(ask(another, f"COUNT(*) FROM {table}") == len(expected[table]) for table in MERGED_BESIDE)

    assert not is_merged()
    with ThreadPoolExecutor(1) as pool, ExitStack() as holding:
        loading = start_behind_alerts(pool, archive, nights[1], another, holding)
        meanwhile(loading, lambda: is_waited_for(another, ALERTS), "the summary is not held")
        meanwhile(loading, is_merged, "the merging waits for the summary")
        assert is_waited_for(another, ALERTS)
    assert differences(expected, archive) == []


def start_behind_alerts(
    pool: ThreadPoolExecutor, archive: Config, tarball: Path, another: Connection, holding: ExitStack
) -> Future[list[Outcome]]:
    """Start a load; its alerts in, hold the lock that the summary needs until `holding` ends."""
    with held(another, MERGE):
        loading = pool.submit(load, archive, tarball)
        meanwhile(loading, lambda: is_waited_for(another, MERGE), "it does not come to the merging")
        holding.enter_context(held(another, ALERTS))
    return loading


def test_a_summary_that_gets_no_turn_ends_the_load(
    archive: Config, another: Connection, nights: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.summary.MERGE_LOCK_SECONDS", 0.1)
    with ThreadPoolExecutor(1) as pool, ExitStack() as holding:
        loading = start_behind_alerts(pool, archive, nights[1], another, holding)
        with pytest.raises(LockNotGiven, match="the summary got no turn"):
            loading.result(PATIENCE)
    assert [ask(another, f"COUNT(*) FROM {table}") for table in (*KEYS, "tarballs")] == [0] * (len(KEYS) + 1)
    assert ask(another, IS_FREE.format(MERGE))


def test_thumbnails_are_sealed_while_the_merging_is_held(
    archive: Config, another: Connection, nights: list[Path], sealed: Path
) -> None:
    with ThreadPoolExecutor(1) as pool, held(another, MERGE):
        loading = pool.submit(load, archive, nights[1])
        meanwhile(loading, sealed.exists, "the sealing waits for the merging")
        meanwhile(loading, lambda: is_waited_for(another, MERGE), "the merging is not held")
    assert ask(another, LOADED) == 1


def test_all_is_merged_while_the_sealing_is_held(
    archive: Config, another: Connection, nights: list[Path], sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal, let_go = EmbeddedWriter.seal, threading.Event()

    def seal_when_let_go(writer: EmbeddedWriter) -> None:
        assert let_go.wait(2 * PATIENCE)
        seal(writer)

    monkeypatch.setattr(EmbeddedWriter, "seal", seal_when_let_go)
    with ThreadPoolExecutor(1) as pool, ExitStack() as holding:
        holding.callback(let_go.set)
        loading = pool.submit(load, archive, nights[1])
        meanwhile(loading, lambda: ask(another, LOADED) == 1, "the merging waits for the sealing")
        assert not sealed.exists()
        with connect(archive, Account.READER) as reader:
            assert ask(reader, LOADED) == 0  # it is not committed before its thumbnails are sealed
    assert sealed.exists()
    assert ask(another, LOADED) == 1
