"""What people may send while a night is loaded: refused, or ended, and the night is in as if nobody had been there."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from archives import load
from plain import differences, expected_tables
from someone import BACK, PATIENCE, Someone, is_gone, until

from alertdb.people.server_view import ServerView
from alertdb.people.watchdog import Watchdog
from ingest.locks import alerts_lock, merge_lock
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alertdb.config import Config

STRICT = "SET SESSION TRANSACTION ISOLATION LEVEL SERIALIZABLE"
LIFTED = "SET SESSION max_statement_time = 0, wait_timeout = 31536000, idle_transaction_timeout = 0"
MERGE, ALERTS = merge_lock("ztf"), alerts_lock("ztf")

# Each is sent over a connection of its own, which is then left alone.
HELD = {
    "rows for update": [BACK, "BEGIN", "SELECT COUNT(*) FROM (SELECT candid FROM ztf.alerts FOR UPDATE) AS a"],
    "rows for share": [BACK, "BEGIN", "SELECT jd FROM ztf.alerts_limmag LOCK IN SHARE MODE"],
    "serializable": [STRICT, "BEGIN", "SELECT COUNT(*), MAX(jd) FROM ztf.alerts_prv"],
    "the ledger": [BACK, "BEGIN", "SELECT id FROM ztf.tarballs FOR UPDATE"],
    "the summary": [BACK, "BEGIN", "SELECT objectId FROM ztf.summary FOR UPDATE"],
    "copied": [BACK, "CREATE TABLE {my}.c (a DOUBLE)", "BEGIN", "INSERT INTO {my}.c SELECT jd FROM ztf.alerts_limmag"],
    "prepared": [
        *("CREATE TABLE {my}.x (a INT)", "XA START '{my}'"),
        *("INSERT INTO {my}.x VALUES (1)", "SELECT name FROM ztf.table_checksums FOR UPDATE"),
        *("XA END '{my}'", "XA PREPARE '{my}'", "DISCONNECT"),
    ],
    "the merge's name": [f"SELECT GET_LOCK('{MERGE}', 0)"],
    "the alerts' name": [f"SELECT GET_LOCK('{ALERTS}', 0)"],
    "a snapshot": [LIFTED, "START TRANSACTION WITH CONSISTENT SNAPSHOT", "SELECT COUNT(*) FROM ztf.alerts"],
    "what the watchdog writes": [STRICT, "BEGIN", "SELECT COUNT(*) FROM alertdb_people.my_notices"],
    "my account": [STRICT, "BEGIN", "SELECT * FROM alertdb_people.my_account FOR UPDATE"],
}
HARMLESS = {"a snapshot", "what the watchdog writes", "my account"}  # to a load; they end as idle transactions
# The loader's connections that have waited for somebody for a second and longer.
WAITING = """
    SELECT waiting.trx_mysql_thread_id
    FROM information_schema.innodb_lock_waits AS w
    JOIN information_schema.innodb_trx AS waiting ON waiting.trx_id = w.requesting_trx_id
    JOIN information_schema.processlist AS p ON p.id = waiting.trx_mysql_thread_id
    WHERE p.user = 'alertdb_loader' AND waiting.trx_wait_started < NOW(6) - INTERVAL 1 SECOND
    UNION
    SELECT id FROM information_schema.processlist
    WHERE user = 'alertdb_loader' AND state = 'User lock' AND time_ms > 1000"""
# Statements that would run for ever.
ENDLESS = {
    "sleep": "SELECT SLEEP(100000)",
    "limit of its own": "SET STATEMENT max_statement_time = 0 FOR SELECT SLEEP(100000)",
    "benchmark": "SELECT BENCHMARK(1000000000000, MD5('a'))",
    "product": "SELECT SUM(a.seq + b.seq) FROM ztf.seq_1_to_100000000 AS a, ztf.seq_1_to_100000000 AS b",
    "recursion": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE SLEEP(1) = 0) SELECT * FROM r",
    "sort": "SELECT a.seq FROM ztf.seq_1_to_100000000 AS a ORDER BY MD5(a.seq) LIMIT 1000000, 1",
}


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_nights([20240110, 20240111], 400, tmp_path_factory.mktemp("nights"), seed=11)


class Crowd:
    """Connections of people, each busy with its own mischief."""

    def __init__(self, people: list[Someone]) -> None:
        self.people = people
        self.ended: set[str] = set()
        self.threads: list[threading.Thread] = []
        self.connections: dict[str, Any] = {}

    def hold(self, *names: str) -> None:
        for number, name in enumerate(names):
            person = self.people[number % len(self.people)]
            self.connections[name] = connection = person.connect()
            cursor = connection.cursor()
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 3")  # they must not get into each other's way
            for statement in HELD[name]:
                if statement == "DISCONNECT":
                    connection.close()
                    break
                cursor.execute(statement.format(my=person.scratch))
                if cursor.description is not None:
                    cursor.fetchall()

    def run_for_ever(self) -> None:
        for number, (name, statement) in enumerate(ENDLESS.items()):
            connection = self.people[number % len(self.people)].connect()
            thread = threading.Thread(target=self._run, args=(name, connection, statement), daemon=True)
            thread.start()
            self.threads.append(thread)

    def _run(self, name: str, connection: Any, statement: str) -> None:
        cursor = connection.cursor()
        with suppress(mariadb.Error):  # BENCHMARK ends without one
            cursor.execute(LIFTED)
            cursor.execute(statement)
            cursor.fetchall()
        self.ended.add(name)  # none could come to its end
        connection.close()


@pytest.fixture
def looking(server_config: Config) -> Iterator[None]:
    """A watchdog that looks ten times a second."""
    stop = threading.Event()
    view = ServerView(server_config)
    watchdog = Watchdog(view)

    def look() -> None:
        while not stop.wait(0.1):
            watchdog.look()

    thread = threading.Thread(target=look)
    thread.start()
    yield
    stop.set()
    thread.join()
    view.close()


def test_a_night_is_loaded_whatever_people_do(
    archive: Config, enter: Callable[..., Someone], nights: list[Path], limit: Callable[[str, int], None],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    load(archive, nights[0])
    crowd = Crowd([enter(number, partnership=True) for number in (21, 22, 23)])
    limit("statement_seconds", 1)
    limit("idle_transaction_seconds", 2)
    crowd.hold(*HELD)
    crowd.run_for_ever()
    request.getfixturevalue("looking")
    load(archive, nights[1])
    assert differences(expected_tables(nights), archive) == []
    for thread in crowd.threads:
        thread.join(PATIENCE)
    assert crowd.ended == set(ENDLESS)
    for name in set(HELD) - {"prepared"}:
        until(lambda name=name: is_gone(crowd.connections[name]), f"{name} is still there")  # type: ignore[misc]
    with ExitStack() as stack:
        person = stack.enter_context(crowd.people[0].connect())
        cursor = person.cursor()
        cursor.execute("XA RECOVER")
        assert cursor.fetchall() == []
        cursor.execute("SELECT COUNT(*) FROM alertdb_people.my_notices")
        assert cursor.fetchone()[0] > 0


@pytest.mark.parametrize("name", sorted(set(HELD) - HARMLESS))
def test_without_the_watchdog_a_load_waits(
    archive: Config, enter: Callable[..., Someone], nights: list[Path], watchdog: Watchdog, admin: Any, name: str
) -> None:
    """Each of these alone is in the way: else the test above would show nothing."""
    load(archive, nights[0])
    crowd = Crowd([enter(29, partnership=True)])
    crowd.hold(name)

    def is_waiting() -> bool:
        found = admin.exec_driver_sql(WAITING).all()
        admin.rollback()
        return bool(found)

    def is_done() -> bool:
        watchdog.look()
        return loading.done()

    with ThreadPoolExecutor(1) as pool:
        loading = pool.submit(load, archive, nights[1])
        try:
            until(lambda: is_waiting() or loading.done(), "the load neither waits nor ends")
            assert not loading.done()
        finally:
            until(is_done, "the load is not let through")
    assert loading.result()[0].alerts == 400
    if name != "prepared":  # nobody has a connection to it
        assert is_gone(crowd.connections[name])
