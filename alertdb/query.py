"""One reading SQL statement in, an Arrow table of declared types out, through the reading account.

The driver's binary protocol is used: FLOAT columns arrive exactly, where the text protocol cuts them to six digits.
"""

from __future__ import annotations

import difflib
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import mariadb
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from alertdb.columns import declared_columns, to_table
from alertdb.database import Account, explain_refusal, open_engine
from alertdb.errors import AlertdbError, NotReading, QueryRefused, SyntaxMistake
from alertdb.mistakes import explain_mistake
from alertdb.parameters import bind, first_word

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

    from alertdb.config import Config

__all__ = ["Reader"]

READING = {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "ANALYZE", "VALUES", "TABLE", "HELP", "CHECK"}
KEPT_CONNECTIONS = 2
BATCH_ROWS = 20_000
LOST = (2002, 2006, 2013, 2055)  # the connection broke, as when the server was restarted
NOT_PREPARABLE = 1295
SIGNAL_SECONDS = 0.2

T = TypeVar("T")


class Reader:
    """Reads one database of the archive; connections are kept and opened anew after the server was restarted.

    Parameters
    ----------
    config
        Settings of the archive.
    database
        Database whose tables are meant by names without one.
    """

    def __init__(self, config: Config, database: str = "ztf") -> None:
        self.config = config
        self.database = database
        self._engine = open_engine(config, Account.READER, database)
        self._pool = QueuePool(self._open, pool_size=KEPT_CONNECTIONS, max_overflow=-1, dialect=self._engine.dialect)

    def query(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run one statement that reads and return its rows.

        Parameters
        ----------
        statement
            SQL; values stand in it as ``:name``.
        parameters
            Their values: numbers, texts, times, or lists for ``IN``.

        Raises
        ------
        NotReading
            If the statement would change something.
        ParameterMissing, UnknownColumn, UnknownTable, SyntaxMistake, QueryRefused
            If the server cannot run it.
        ArchiveMissing, ServerStopped, ServerRefused
            If the server cannot be reached.
        """
        _check_reads(statement)
        text = bind(statement.strip().rstrip(";"), parameters or {})
        try:
            return self._run_again_if_lost(text)
        except mariadb.Error as error:
            if getattr(error, "errno", None) in LOST:
                raise explain_refusal(self.config, Account.READER, error) from error
            raise explain_mistake(error, statement, self._lookup) from error

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._pool.dispose()

    def _run_again_if_lost(self, text: str) -> pa.Table:
        try:
            return self._run(text)
        except mariadb.Error as error:
            if getattr(error, "errno", None) not in LOST:
                raise
        self.close()
        return self._run(text)

    def _run(self, text: str) -> pa.Table:
        with self._connection() as connection:
            number = connection.connection_id
            return _interruptible(lambda: _fetch(connection, text), lambda: self._kill(number))

    @contextmanager
    def _connection(self) -> Iterator[Any]:
        pooled = self._pool.connect()
        try:
            yield pooled.driver_connection
        except BaseException:
            pooled.invalidate()  # rows may be left in it, or a broken socket
            raise
        finally:
            pooled.close()

    def _open(self) -> Any:
        try:
            opened = self._engine.raw_connection()
        except DBAPIError as error:
            raise explain_refusal(self.config, Account.READER, error.orig) from error
        except mariadb.Error as error:
            raise explain_refusal(self.config, Account.READER, error) from error
        connection = opened.driver_connection
        opened.detach()
        return connection

    def _kill(self, number: int) -> None:
        """End what a connection is doing on the server."""
        with suppress(mariadb.Error, AlertdbError), self._connection() as other, other.cursor() as cursor:
            cursor.execute(f"KILL QUERY {number}")

    def _lookup(self, statement: str) -> list[tuple[Any, ...]]:
        with self._connection() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return list(cursor.fetchall())


def _check_reads(statement: str) -> None:
    """Refuse what does not begin like a reading statement; the account and the transaction refuse the rest."""
    word = first_word(statement)
    if not word:
        raise QueryRefused("it is empty")
    words = " ".join(statement.upper().split()[:2])
    if word in READING or words == "SET STATEMENT":
        return
    if near := difflib.get_close_matches(word, READING, 1, cutoff=0.75):
        raise SyntaxMistake(f"at its first word '{word}'", f"Nearest: {near[0]}.")
    raise NotReading(f"'{' '.join(statement.split())[:40]}…'")


def _fetch(connection: Any, text: str) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute("START TRANSACTION READ ONLY")
    try:
        # Buffered: an unbuffered cursor takes an error in the middle of the rows for their end (driver 1.1.14).
        with connection.cursor(binary=True, buffered=True) as cursor:
            return _read(cursor, text)
    except mariadb.Error as error:
        if getattr(error, "errno", None) != NOT_PREPARABLE:
            raise
    with connection.cursor() as cursor:
        return _read(cursor, text)


def _read(cursor: Any, text: str) -> pa.Table:
    cursor.execute(text)
    if cursor.description is None:
        return to_table([], [])
    columns = declared_columns(cursor.metadata)
    return to_table(columns, list(iter(lambda: cursor.fetchmany(BATCH_ROWS), [])))


def _interruptible(work: Callable[[], T], stop: Callable[[], None]) -> T:
    """Run `work` so that Ctrl-C ends it on the server as well: the driver itself waits deaf in C code."""
    if threading.current_thread() is not threading.main_thread():
        return work()
    results: list[T] = []
    errors: list[BaseException] = []
    ended = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)
        ended.set()

    threading.Thread(target=run, daemon=True).start()
    try:
        _wait(ended)
    except KeyboardInterrupt:
        stop()
        _wait(ended)  # its connection must not be closed while the thread still reads from it
        raise
    if errors:
        raise errors[0]
    return results[0]


def _wait(event: threading.Event) -> None:
    """Wait, looking for signals now and then: one may have gone to another thread.

    Not with Thread.join(): once interrupted, it takes the thread for ended (Python 3.11).
    """
    while not event.wait(SIGNAL_SECONDS):
        pass
