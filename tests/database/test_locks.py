"""Who may do what, one after the other: what becomes of whom a lock is not given, and of whoever loses one."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import mariadb
import polars as pl
import pytest
from archives import everything, load
from locking import PROCESSES, another_connection, ask, held, is_waited_for
from plain import differences, expected_tables
from someone import until
from sqlalchemy.exc import DBAPIError

from alertdb.database import Account, connect
from alertdb.errors import LockNotGiven, ServerLost
from ingest.checking import report_accept
from ingest.ledger import tarball_id
from ingest.load import database_errors, load_rows
from ingest.locks import alerts_lock, holding, merge_lock
from ingest.remove import remove_tarball
from ingest.simulation.nights import simulate_nights
from ingest.summary import rebuild_all, update_all
from ingest.surveys.ztf import Ztf
from ingest.turns import await_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config

NAME = "alertdb.ztf.test"
MERGE, ALERTS = merge_lock("ztf"), alerts_lock("ztf")
NIGHTS = [20240110, 20240111]
FIRST, SECOND = (f"ztf_public_{night}.tar.gz" for night in NIGHTS)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_nights(NIGHTS, 60, tmp_path_factory.mktemp("nights"), seed=11)


@pytest.fixture
def ours(archive: Config) -> Iterator[Connection]:
    with connect(archive, Account.LOADER) as connection:
        yield connection


@pytest.fixture
def another(archive: Config) -> Iterator[Connection]:
    with another_connection(archive) as connection:
        yield connection


def end(connection: Connection, number: int) -> None:
    connection.exec_driver_sql(f"KILL {number}")
    until(lambda: not ask(connection, f"COUNT(*) FROM {PROCESSES} WHERE id = {number}"), "not ended")


@pytest.mark.parametrize("seconds", [0, 0.2])
def test_who_is_not_given_a_lock_is_told_who_holds_it(ours: Connection, another: Connection, seconds: float) -> None:
    with held(another, NAME) as holder:
        with pytest.raises(LockNotGiven) as caught, holding(ours, NAME, seconds, "the night"):
            pytest.fail("it went on without its lock")
        assert ask(another, f"IS_USED_LOCK('{NAME}')") == holder
    assert str(caught.value) == (
        f"the night got no turn: the server did not give the lock '{NAME}' within {seconds:g} s, and connection "
        f"{holder} of the server holds it. Nothing was changed: see what that does (SHOW PROCESSLIST), let it end, "
        "then run the same command again."
    )
    assert ask(ours, "RELEASE_ALL_LOCKS()") == 0


def test_who_was_not_given_a_lock_that_is_free_by_now_is_told_so() -> None:
    message = str(LockNotGiven("the night", NAME, 86400, None))
    assert (
        "within 86,400 s, and nobody holds it now. Nothing was changed: see that no other command runs, th" in message
    )


def test_a_lock_that_is_free_is_had_without_a_wait_and_given_back(ours: Connection, another: Connection) -> None:
    with holding(ours, NAME, 0, "the night"):
        assert ask(another, f"GET_LOCK('{NAME}', 0)") == 0
    assert ask(another, f"IS_FREE_LOCK('{NAME}')") == 1


def test_who_waits_gets_the_lock_when_the_other_is_done(archive: Config, ours: Connection, another: Connection) -> None:
    found: list[str] = []

    def wait() -> None:
        with connect(archive, Account.LOADER) as theirs, holding(theirs, NAME, 60, "another"):
            found.append("theirs" if ask(theirs, f"IS_USED_LOCK('{NAME}') = CONNECTION_ID()") else "not theirs")

    waiting = threading.Thread(target=wait)
    with holding(ours, NAME, 0, "the night"):
        waiting.start()
        until(lambda: is_waited_for(another, NAME), "nobody waits")
        assert found == []
    waiting.join(60)
    assert found == ["theirs"]


def test_a_lock_that_is_held_twice_is_free_when_given_back_twice(ours: Connection, another: Connection) -> None:
    with holding(ours, NAME, 0, "the night"):
        with holding(ours, NAME, 0, "its batch"):
            pass
        assert ask(another, f"IS_FREE_LOCK('{NAME}')") == 0
    assert ask(another, f"IS_FREE_LOCK('{NAME}')") == 1


def test_who_gets_the_lock_after_an_error_finds_nothing_that_is_about_to_go(
    ours: Connection, another: Connection
) -> None:
    another.exec_driver_sql("SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED")
    written = "COUNT(*) FROM table_checksums WHERE name = 'test'"

    def work() -> None:
        with holding(ours, NAME, 0, "the night"):
            ours.exec_driver_sql("INSERT INTO table_checksums (name, row_count, checksum) VALUES ('test', 1, 1)")
            assert ask(another, written) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert ask(another, f"GET_LOCK('{NAME}', 0)") == 1
    assert ask(another, written) == 0


def test_of_a_lost_connection_the_first_error_is_told_and_the_lock_is_free(
    ours: Connection, another: Connection
) -> None:
    number = ask(ours, "CONNECTION_ID()")

    def work() -> None:
        with holding(ours, NAME, 0, "the night"):
            end(another, number)
            ours.exec_driver_sql("SELECT 'a statement of the night'")

    with pytest.raises(DBAPIError) as caught:
        work()
    assert "a statement of the night" in str(caught.value)
    assert ours.invalidated  # and not connected anew to give back what is not held
    assert ask(another, f"GET_LOCK('{NAME}', 5)") == 1


def test_of_a_connection_lost_while_rows_are_sent_the_first_error_is_told(
    ours: Connection, another: Connection
) -> None:
    ours.exec_driver_sql("CREATE TEMPORARY TABLE t (candid BIGINT)")
    number = ask(ours, "CONNECTION_ID()")

    def work() -> None:
        with holding(ours, NAME, 0, "the night"):
            end(another, number)
            load_rows(ours, "t", pl.DataFrame({"candid": [1, 2]}))

    with pytest.raises(mariadb.Error):  # SQLAlchemy, which gives the lock back, would raise one of its own
        work()
    assert ask(another, f"GET_LOCK('{NAME}', 5)") == 1


def test_a_connection_lost_behind_its_work_has_done_it(ours: Connection, another: Connection) -> None:
    number = ask(ours, "CONNECTION_ID()")
    with holding(ours, NAME, 0, "the night"):
        end(another, number)
    assert ask(another, f"GET_LOCK('{NAME}', 5)") == 1


def test_a_connection_lost_while_it_waits(ours: Connection, another: Connection) -> None:
    number = ask(ours, "CONNECTION_ID()")
    told: list[type[BaseException]] = []

    def wait() -> None:
        with pytest.raises(ServerLost) as caught, database_errors("the night"), holding(ours, NAME, 60, "the night"):
            pytest.fail("it went on without its lock")
        told.append(caught.type)

    waiting = threading.Thread(target=wait)
    with held(another, NAME):
        waiting.start()
        until(lambda: is_waited_for(another, NAME), "nobody waits")
        end(another, number)
        waiting.join(60)
    assert told == [ServerLost]


def turn_of(name: str) -> str:
    return f"alertdb.ztf.{tarball_id(name):x}"


def remove(config: Config, _: Path) -> None:
    remove_tarball(FIRST, config, Ztf())


def update(config: Config, _: Path) -> None:
    update_all(config, "ztf", None, lambda _: None)


def rebuild(config: Config, _: Path) -> None:
    rebuild_all(config, "ztf", lambda _: None)


def accept(config: Config, _: Path) -> None:
    report_accept(config)


def await_first(config: Config, _: Path) -> None:
    await_turn(config, Ztf(), tarball_id(FIRST), SECOND)


# What asks for a lock when FIRST is in and SECOND is not: which lock, and where its patience stands.
ASKING: dict[str, tuple[Callable[[Config, Path], object], str, str]] = {
    "load, its name": (load, turn_of(SECOND), "turns.TURN_SECONDS"),
    "load, another load": (await_first, turn_of(FIRST), "turns.TURN_SECONDS"),
    "load, a batch": (load, ALERTS, "owned_alerts.BATCH_LOCK_SECONDS"),
    "load, merging": (load, MERGE, "transaction.MERGE_LOCK_SECONDS"),
    "remove, its name": (remove, turn_of(FIRST), "turns.TURN_SECONDS"),
    "remove, merging": (remove, MERGE, "remove.MERGE_LOCK_SECONDS"),
    "remove, alerts": (remove, ALERTS, "remove.MERGE_LOCK_SECONDS"),
    "summary update": (update, MERGE, "summary.MERGE_LOCK_SECONDS"),
    "summary rebuild": (rebuild, MERGE, "summary.MERGE_LOCK_SECONDS"),
    "verify --accept": (accept, MERGE, "checking.MERGE_LOCK_SECONDS"),
}


@pytest.mark.parametrize("name", ASKING)
def test_nothing_is_left_of_what_got_no_turn(
    archive: Config, another: Connection, nights: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def files() -> set[Path]:
        return {path for folder in (tmp_path / "thumbnails", archive.spool) for path in folder.rglob("*")}

    run, lock, patience = ASKING[name]
    load(archive, nights[0])
    before, there = everything(archive), files()
    with held(another, lock), monkeypatch.context() as impatient:
        impatient.setattr(f"ingest.{patience}", 0.1)
        with pytest.raises(LockNotGiven, match=f"the lock '{lock}' within 0.1 s"):
            run(archive, nights[1])
    assert everything(archive) == before
    # Thumbnails are sealed before the commit: see docs/decisions/loading.md.
    assert files() - there <= {tmp_path / "thumbnails" / "public" / f"{SECOND}.zip"}
    loaders = f"COUNT(*) FROM {PROCESSES} WHERE user = 'alertdb_loader'"
    until(lambda: ask(another, loaders) == 0, "a connection is left")
    for each in (MERGE, ALERTS, turn_of(FIRST), turn_of(SECOND)):
        assert ask(another, f"IS_FREE_LOCK('{each}')") == 1
    run(archive, nights[1])  # the same command again
    load(archive, *nights)
    assert differences(expected_tables(nights), archive) == []
