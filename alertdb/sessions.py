"""Connections of the reading account that are kept open between questions."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import finalize

import mariadb
from sqlalchemy.exc import DBAPIError

from alertdb.columns import Columns, declared_columns
from alertdb.database import Account, explain_refusal, open_engine
from alertdb.errors import AlertdbError, StatementTooLong
from alertdb.interrupts import interruptible
from alertdb.wire.link import Link, can_link, open_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.config import Config
    from alertdb.wire.link import Batch

__all__ = ["Limits", "Session", "Sessions", "is_lost"]

KEPT = 4  # connections that nobody uses
BATCH_ROWS = 20_000
LOST = (2002, 2006, 2013, 2055)  # the connection broke, as when the server was restarted
NOT_PREPARABLE = 1295
UNLIMITED = 2**63


def is_lost(error: BaseException) -> bool:
    """Tell whether an error of the driver means that the connection broke."""
    return getattr(error, "errno", None) in LOST


class Limits(NamedTuple):
    """What a session may take: rows of a result and seconds of a statement (None: no limit), a statement's bytes."""

    rows: int | None
    seconds: float | None
    statement_bytes: int


class Session:
    """One connection: statements in, columns and batches of rows out.

    Parameters
    ----------
    connection
        A connection of the driver.
    sessions
        Whose it is: asked to end what this one is doing.
    """

    def __init__(self, connection: Any, sessions: Sessions) -> None:
        self._connection = connection
        self._sessions = sessions
        self.number: int = connection.connection_id
        self.limits = _limits(connection)
        self._line = open_line(connection)
        finalize(self, self._line.close)  # an archive that is forgotten need not be closed
        self._link = Link(self._line) if can_link(connection) else None

    def close(self) -> None:
        """Close the connection, whatever is under way on it."""
        self._line.close()
        with suppress(mariadb.Error):
            self._connection.close()

    def is_alive(self) -> bool:
        """Tell whether the server keeps it: on one that nobody uses nothing comes in but its end."""
        line = poll()
        line.register(self._line, POLLIN)
        return not line.poll(0)

    def run(self, statement: str) -> tuple[Columns, Iterator[Batch]]:
        """Run a statement; return its columns and its rows, which must be taken before the next is run."""
        if len(statement.encode()) >= self.limits.statement_bytes:
            raise StatementTooLong(len(statement.encode()), self.limits.statement_bytes)
        if self._link is None:
            return self._run_by_driver(statement)
        try:
            layout, batches = self._link.run(statement)
        except mariadb.Error as error:
            if getattr(error, "errno", None) != NOT_PREPARABLE:
                raise
            return self._run_by_driver(statement)
        return layout.columns, batches

    def run_prepared(self, statement: str, texts: tuple[str, ...]) -> tuple[Columns, Iterator[Batch]]:
        """Run a statement with places (`?`) for texts that is asked again and again."""
        if self._link is None:
            return self._run_by_driver(statement, texts)
        layout, batches = self._link.run_prepared(statement, texts)
        return layout.columns, batches

    def _run_by_driver(self, statement: str, texts: tuple[str, ...] = ()) -> tuple[Columns, Iterator[Batch]]:
        """Run a statement through the driver: where the line is encrypted, and what cannot be prepared."""
        return interruptible(lambda: self._fetch(statement, texts), lambda: self._sessions.kill(self.number))

    def _fetch(self, statement: str, texts: tuple[str, ...]) -> tuple[Columns, Iterator[Batch]]:
        try:
            # Buffered: an unbuffered cursor takes an error in the middle of the rows for their end (driver 1.1.14).
            with self._connection.cursor(binary=True, buffered=True) as cursor:
                return _read(cursor, statement, texts)
        except mariadb.Error as error:
            if getattr(error, "errno", None) != NOT_PREPARABLE:
                raise
        with self._connection.cursor() as cursor:
            return _read(cursor, statement, texts)


class Sessions:
    """The sessions of one archive: those that nobody uses are kept for the next question.

    Parameters
    ----------
    config
        Settings of the archive.
    database
        Database whose tables are meant by names without one.
    """

    def __init__(self, config: Config, database: str) -> None:
        self._config = config
        self._engine = open_engine(config, Account.READER, database)
        self._free: list[Session] = []
        self._process = os.getpid()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Lend a session; one in whose use something went wrong is closed, for rows may be left in it.

        Raises
        ------
        ArchiveMissing, ServerStopped, ServerRefused
            If the server cannot be reached.
        """
        session = self._take()
        try:
            yield session
        except (KeyboardInterrupt, GeneratorExit):
            self.kill(session.number)
            session.close()
            raise
        except BaseException:
            session.close()
            raise
        self._give_back(session)

    def close(self) -> None:
        """Close the sessions that nobody uses."""
        while self._free:
            self._free.pop().close()

    def kill(self, number: int) -> None:
        """End what a connection is doing on the server."""
        with suppress(mariadb.Error, AlertdbError):
            session = self._open()
            try:
                session.run(f"KILL QUERY {number}")
            finally:
                session.close()

    def _take(self) -> Session:
        if self._process != os.getpid():  # a fork: the connections are those of the parent
            self._free, self._process = [], os.getpid()
        with suppress(IndexError):
            while True:
                session = self._free.pop()
                if session.is_alive():
                    return session
                session.close()
        return self._open()

    def _give_back(self, session: Session) -> None:
        if len(self._free) < KEPT:
            self._free.append(session)
        else:
            session.close()

    def _open(self) -> Session:
        try:
            pooled = self._engine.raw_connection()
            connection: Any = pooled.driver_connection
            pooled.detach()
            connection.autocommit = True  # each statement is a transaction, and none holds a lock after it
            with connection.cursor() as cursor:
                cursor.execute("SET SESSION TRANSACTION READ ONLY")
            return Session(connection, self)
        except DBAPIError as error:
            raise explain_refusal(self._config, Account.READER, error.orig) from error
        except mariadb.Error as error:
            raise explain_refusal(self._config, Account.READER, error) from error


def _limits(connection: Any) -> Limits:
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@sql_select_limit, @@max_statement_time, @@max_allowed_packet")
        rows, seconds, size = cursor.fetchone()
    return Limits(rows if rows < UNLIMITED else None, float(seconds) or None, size)


def _read(cursor: Any, statement: str, texts: tuple[str, ...]) -> tuple[Columns, Iterator[Batch]]:
    cursor.execute(statement, texts or None)
    if cursor.description is None:
        return Columns(), iter(())
    columns = declared_columns(cursor.metadata)
    fetched = list(iter(lambda: cursor.fetchmany(BATCH_ROWS), []))
    return columns, (
        [column.from_values(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
        for rows in fetched
    )
