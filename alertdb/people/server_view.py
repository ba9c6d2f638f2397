"""What the watchdog sees of the server, and does there, over one connection of its own."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, NamedTuple

import mariadb

from alertdb.database import Account, open_engine
from alertdb.people.accounts import DATABASE
from alertdb.people.judging import Limits, Look, Process, Transaction, locks_waited_for
from alertdb.people.names import person_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alertdb.config import Config
    from alertdb.people.judging import Ending

__all__ = ["Irregular", "Scratch", "ServerView"]

NO_SUCH_CONNECTION = 1094
LOCK_WAIT = 1205
STATEMENT_CHARACTERS = 200
KEPT_DAYS = 30
# A user may hold a lock on what the watchdog writes: it never waits for one.
SETTINGS = "SET SESSION innodb_lock_wait_timeout = 0, lock_wait_timeout = 1, sql_mode = 'TRADITIONAL'"
PROCESSES = f"""
    SELECT id, user, command, COALESCE(state, ''), time_ms / 1000, LEFT(info, {STATEMENT_CHARACTERS})
    FROM information_schema.processlist"""
TRANSACTIONS = "SELECT CONCAT(trx_id, ' ', trx_started), trx_mysql_thread_id FROM information_schema.innodb_trx"
ROW_WAITS = """
    SELECT DISTINCT waiting.trx_mysql_thread_id, blocking.trx_mysql_thread_id
    FROM information_schema.innodb_lock_waits AS w
    JOIN information_schema.innodb_trx AS waiting ON waiting.trx_id = w.requesting_trx_id
    JOIN information_schema.innodb_trx AS blocking ON blocking.trx_id = w.blocking_trx_id"""
SIZES = r"""
    SELECT CAST(SUBSTRING(name, 4, LOCATE('/', name) - 4) AS UNSIGNED) AS person, SUM(file_size)
    FROM information_schema.innodb_sys_tablespaces WHERE name REGEXP '^my_[0-9]+/' GROUP BY person"""
SCRATCH = f"""
    SELECT p.id, p.scratch_full, p.scratch_bytes, 1000000 * COALESCE(p.scratch_limit, l.value)
    FROM {DATABASE}.people AS p JOIN {DATABASE}.limits AS l ON l.name = 'scratch_MB'"""


class Scratch(NamedTuple):
    """A scratch database: whose it is, whether it is closed to additions, its last known size, its limit (bytes)."""

    person: int
    is_full: bool
    noted_bytes: int
    limit_bytes: int


class Irregular(NamedTuple):
    """A table of another engine than InnoDB, or a foreign key out of a scratch database; see `irregular_tables`."""

    kind: str
    home: str
    table: str
    foreign_key: str | None
    bytes: int


class ServerView:
    """The server through the watchdog's account.

    Parameters
    ----------
    config
        Settings of the archive.
    """

    def __init__(self, config: Config) -> None:
        pooled = open_engine(config, Account.WATCHDOG, DATABASE).raw_connection()
        connection: Any = pooled.driver_connection
        pooled.detach()
        self._connection = connection
        self._connection.autocommit = True
        self._run(SETTINGS)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def limits(self) -> Limits:
        """Return the limits, which may have been changed."""
        values = {name: float(value) for name, value in self._rows("SELECT name, value FROM limits")}
        return Limits(*(values[name] for name in Limits.__dataclass_fields__))

    def look(self) -> Look:
        """Look at what goes on."""
        processes = {row[0]: _process(*row) for row in self._rows(PROCESSES)}
        holders = (self._rows("SELECT IS_USED_LOCK(?)", (n,))[0][0] for n in locks_waited_for(processes.values()))
        return Look(
            processes,
            tuple(Transaction(*row) for row in self._rows(TRANSACTIONS)),
            tuple(self._rows(ROW_WAITS)),
            frozenset(holder for holder in holders if holder is not None),
        )

    def end(self, ending: Ending) -> None:
        """End a connection or its statement; it may have ended by itself."""
        try:
            self._run(f"KILL {'QUERY' if ending.only_statement else 'CONNECTION'} {ending.process.id}")
        except mariadb.Error as error:
            if getattr(error, "errno", None) != NO_SUCH_CONNECTION:
                raise

    def notify(self, account: str, connection: int | None, reason: str, message: str, statement: str | None) -> bool:
        """Write down what a user is told; return whether that was possible without waiting."""
        columns = "at, account, connection, reason, message, statement"
        insert = f"INSERT INTO notices ({columns}) VALUES (UTC_TIMESTAMP(6), ?, ?, ?, ?, ?)"
        return self._write(insert, (account, connection, reason, message, statement))

    def note_look(self) -> None:
        """Write down that the watchdog has looked."""
        now = "at = UTC_TIMESTAMP(6)"
        self._write(f"INSERT INTO looks SET {now} ON DUPLICATE KEY UPDATE {now}")

    def forget_notices(self) -> None:
        """Delete notices that are a month old."""
        self._write(f"DELETE FROM notices WHERE at < UTC_TIMESTAMP() - INTERVAL {KEPT_DAYS} DAY")

    def prepared(self) -> list[str]:
        """Return the names of transactions that were prepared (XA); they outlive the connection that made them."""
        return [row[-1] for row in self._rows("XA RECOVER FORMAT = 'SQL'")]

    def roll_back(self, name: str) -> bool:
        """Roll a prepared transaction back; return False if its connection still has it."""
        try:
            self._run(f"XA ROLLBACK {name}")
        except mariadb.Error:
            return False
        return True

    def scratches(self) -> list[Scratch]:
        """Return everybody's scratch database."""
        return [Scratch(int(p), bool(full), int(noted), int(limit)) for p, full, noted, limit in self._rows(SCRATCH)]

    def sizes(self, irregular: Sequence[Irregular]) -> dict[int, int]:
        """Return the size of each scratch database, in bytes of its files."""
        sizes = {int(person): int(size) for person, size in self._rows(SIZES)}
        for table in irregular:
            person = person_of(table.home.replace("my_", "gh"))
            if person is not None:
                sizes[person] = sizes.get(person, 0) + table.bytes
        return sizes

    def irregular(self) -> list[Irregular]:
        """Return what is looked at one by one."""
        return [Irregular(*row) for row in self._rows("CALL irregular_tables()")]

    def drop(self, irregular: Irregular) -> None:
        """Drop a foreign key, or a table."""
        self._run("CALL drop_irregular(?, ?, ?)", (irregular.home, irregular.table, irregular.foreign_key))

    def note_size(self, person: int, size_bytes: int) -> None:
        """Write down the size of a scratch database."""
        self._write("UPDATE people SET scratch_bytes = ? WHERE id = ?", (size_bytes, person))

    def close_scratch(self, person: int) -> None:
        """Leave a scratch database to be read and deleted from, and end the person's connections."""
        self._run("CALL close_scratch(?)", (person,))

    def reopen_scratch(self, person: int) -> None:
        """Let it be added to again."""
        self._run("CALL reopen_scratch(?)", (person,))

    def _rows(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, values or None)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            while cursor.nextset():
                pass
            return rows

    def _run(self, statement: str, values: tuple[Any, ...] = ()) -> None:
        with closing(self._connection.cursor()) as cursor:
            cursor.execute(statement, values or None)

    def _write(self, statement: str, values: tuple[Any, ...] = ()) -> bool:
        try:
            self._run(statement, values)
        except mariadb.Error as error:
            if getattr(error, "errno", None) != LOCK_WAIT:
                raise
            return False
        return True


def _process(number: int, account: str, command: str, state: str, seconds: Any, statement: str | None) -> Process:
    return Process(number, account, command, state, float(seconds), statement)
