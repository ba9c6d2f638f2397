"""What people may send while a night is loaded: refused, or ended, and the night is in as if nobody had been there."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

import mariadb
import pytest
from archives import load
from plain import differences, expected_tables
from sqlalchemy.exc import DBAPIError

from alertdb.people.accounts import close_account
from alertdb.people.errors import AccountLocked, TooManyConnections
from alertdb.people.server_view import ServerView
from alertdb.people.watchdog import Watchdog
from ingest.load import alerts_lock, merge_lock
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from someone import Someone

    from alertdb.config import Config

PATIENCE = 60.0  # only a failure waits for it
BACK = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"
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

    def hold(self) -> None:
        for number, (name, statements) in enumerate(HELD.items()):
            person = self.people[number % len(self.people)]
            self.connections[name] = connection = person.connect()
            cursor = connection.cursor()
            cursor.execute("SET SESSION innodb_lock_wait_timeout = 3")  # they must not get into each other's way
            for statement in statements:
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


def until(found: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def is_gone(connection: Any) -> bool:
    try:
        connection.cursor().execute("SELECT 1")
    except mariadb.Error:
        return True
    return False


def test_a_night_is_loaded_whatever_people_do(
    archive: Config, enter: Callable[..., Someone], nights: list[Path], limit: Callable[[str, int], None],
    request: pytest.FixtureRequest,
) -> None:  # fmt: skip
    load(archive, nights[0])
    crowd = Crowd([enter(number, partnership=True) for number in (21, 22, 23)])
    limit("statement_seconds", 1)
    limit("idle_transaction_seconds", 2)
    crowd.hold()
    crowd.run_for_ever()
    request.getfixturevalue("looking")
    load(archive, nights[1])
    assert differences(expected_tables(nights), archive) == []
    for thread in crowd.threads:
        thread.join(PATIENCE)
    assert crowd.ended == set(ENDLESS)
    in_the_way = set(HELD) - {"the merge's name", "the alerts' name", "prepared"}
    for name in in_the_way:
        until(lambda name=name: is_gone(crowd.connections[name]), f"{name} is still there")  # type: ignore[misc]
    with ExitStack() as stack:
        person = stack.enter_context(crowd.people[0].connect())
        cursor = person.cursor()
        cursor.execute("XA RECOVER")
        assert cursor.fetchall() == []
        cursor.execute("SELECT COUNT(*) FROM alertdb_people.my_notices")
        assert cursor.fetchone()[0] > 0


DENIED = (1044, 1045, 1142, 1143, 1227, 1370, 1410)  # no right to it
REFUSED = [
    "UPDATE ztf.alerts SET magpsf = 0",
    "DELETE FROM ztf.alerts",
    "INSERT INTO ztf_public.summary (objectId) VALUES ('x')",
    "TRUNCATE ztf.alerts",
    "DROP TABLE ztf.alerts",
    "DROP DATABASE ztf",
    "ALTER TABLE ztf.alerts ADD COLUMN x INT",
    "CREATE INDEX x ON ztf.alerts (magpsf)",
    "CREATE TABLE ztf.mine (a INT)",
    "CREATE DATABASE my_1",
    "LOCK TABLES ztf.alerts READ",
    "FLUSH TABLES",
    "FLUSH TABLES ztf.alerts WITH READ LOCK",
    "BACKUP STAGE START",
    "BACKUP LOCK ztf.alerts",
    "SET GLOBAL max_connections = 1",
    "SET GLOBAL innodb_buffer_pool_size = 1",
    "SHUTDOWN",
    "CREATE USER x",
    "ALTER USER CURRENT_USER() WITH MAX_USER_CONNECTIONS 0",
    "GRANT ALL ON *.* TO CURRENT_USER()",
    "SELECT * FROM mysql.global_priv",
    "SHOW GRANTS FOR alertdb_loader",
    "SHOW ENGINE INNODB STATUS",
    "SELECT * FROM information_schema.innodb_trx",
    "SELECT 1 INTO OUTFILE '/tmp/alertdb_outfile'",
    "LOAD DATA INFILE '/etc/passwd' INTO TABLE {my}.t",
    "CREATE TEMPORARY TABLE {my}.t (a INT)",
    "CREATE FUNCTION {my}.f() RETURNS INT RETURN 1",
    "CREATE EVENT {my}.e ON SCHEDULE EVERY 1 SECOND DO SELECT 1",
    "INSTALL SONAME 'metadata_lock_info'",
    "CALL alertdb_people.open_account(1, 'x', 1, 'x')",
    "CALL alertdb_people.close_account(1)",
    "UPDATE alertdb_people.my_account SET scratch_full = 0",
    "SELECT * FROM alertdb_people.people",
    "ANALYZE TABLE ztf.alerts",
    "OPTIMIZE TABLE ztf.alerts",
]


def answer(cursor: Any, statement: str) -> int:
    """Return the number of the error that a statement meets, or 0."""
    try:
        cursor.execute(statement)
    except mariadb.Error as error:
        return int(error.errno)
    return 0


def test_what_only_reads_changes_nothing(archive: Config, enter: Callable[..., Someone], admin: Any) -> None:
    del archive
    person = enter(24, partnership=True)
    cursor = person.connect().cursor()
    cursor.execute(f"CREATE TABLE {person.scratch}.t (a INT)")
    answers = {statement: answer(cursor, statement.format(my=person.scratch)) for statement in REFUSED}
    assert {statement: number for statement, number in answers.items() if number not in DENIED} == {}
    [[loader]] = admin.exec_driver_sql("SELECT CONNECTION_ID()").all()
    with pytest.raises(mariadb.Error, match="Unknown thread|not owner"):
        cursor.execute(f"KILL {loader}")
    cursor.execute("SELECT LOAD_FILE('/etc/passwd')")
    assert cursor.fetchone() == (None,)


def test_one_person_cannot_use_up_the_connections(server_config: Config, enter: Callable[..., Someone]) -> None:
    person = enter(25)
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(person.connect())
        with pytest.raises(mariadb.Error, match="max_user_connections"):
            person.connect()
        with pytest.raises(TooManyConnections, match=r"max_user_connections.*archive\.close\(\)"):
            person.archive().sql("SELECT 1")
    close_account(server_config, person.id)
    with pytest.raises(AccountLocked, match="'gh25' is locked.* Start the server anew"):
        person.archive().sql("SELECT 1")


def test_a_change_of_tables_gets_through(
    archive: Config, enter: Callable[..., Someone], watchdog: Watchdog, admin: Any
) -> None:
    """A transaction keeps each table it has read; HANDLER keeps one without any transaction."""
    del archive
    person = enter(26, partnership=True)
    reading, handling = person.connect(), person.connect()
    for connection, statements in (
        (reading, ["BEGIN", "SELECT COUNT(*) FROM ztf.rejects"]),
        (handling, ["HANDLER ztf.rejects OPEN"]),
    ):
        for statement in statements:
            connection.cursor().execute(statement)
    [[comment]] = admin.exec_driver_sql(
        "SELECT table_comment FROM information_schema.tables WHERE table_schema = 'ztf' AND table_name = 'rejects'"
    ).all()
    admin.commit()
    change = threading.Thread(target=admin.exec_driver_sql, args=(f"ALTER TABLE rejects COMMENT = '{comment}'",))
    change.start()
    clock = 0.0
    while change.is_alive():
        watchdog.look(clock)
        clock += 1
        change.join(0.1)
        assert clock < 600
    assert is_gone(reading)
    assert is_gone(handling)


def test_who_reads_as_sessions_begin_locks_nothing(archive: Config, enter: Callable[..., Someone], admin: Any) -> None:
    del archive
    person = enter(27, partnership=True)
    cursor = person.connect().cursor()
    cursor.execute("SELECT @@tx_isolation")
    assert cursor.fetchone() == ("READ-COMMITTED",)
    admin.exec_driver_sql("INSERT INTO rejects VALUES (1, 2, 'm', 0, 'r')")
    admin.commit()
    cursor.execute(f"CREATE TABLE {person.scratch}.t (a BIGINT)")
    copy = f"INSERT INTO {person.scratch}.t SELECT tarball FROM ztf.rejects"
    admin.exec_driver_sql("SET SESSION innodb_lock_wait_timeout = 0")
    change = "UPDATE rejects SET reason = 's' WHERE tarball = 1"
    for begin in (["BEGIN"], [BACK, "BEGIN"]):
        for statement in (*begin, copy):
            cursor.execute(statement)
        if len(begin) == 1:
            assert admin.exec_driver_sql(change).rowcount == 1
        else:  # who sets it back does, and is ended for it
            with pytest.raises(DBAPIError, match="Lock wait timeout"):
                admin.exec_driver_sql(change)
        admin.rollback()
        cursor.execute("ROLLBACK")


def test_the_command_watches(
    server_config: Config, enter: Callable[..., Someone], limit: Callable[[str, int], None]
) -> None:
    limit("idle_transaction_seconds", 1)
    connection = enter(28).connect()
    cursor = connection.cursor()
    cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    command = [sys.executable, "-m", "alertdb.cli.main", "--home", str(server_config.home)]
    with subprocess.Popen([*command, "watchdog", "--every", "0.2"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        try:
            assert any("gh28" in line and "idle_transaction_seconds" in line for line in lines)
            until(lambda: is_gone(connection), "the connection is still there")
        finally:
            process.terminate()
