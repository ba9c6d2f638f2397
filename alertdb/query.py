"""One reading SQL statement in, Arrow of declared types out, through the reading account.

The binary protocol is used: FLOAT columns arrive exactly, where the text protocol cuts them to six digits.
"""

from __future__ import annotations

import difflib
import re
import time
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import mariadb

from alertdb.columns import to_batch, to_table
from alertdb.database import SURVEY, Account, explain_refusal
from alertdb.errors import NotReading, QueryRefused, ResultCut, SyntaxMistake
from alertdb.mistakes import explain_mistake
from alertdb.parameters import bind, first_word, without_texts
from alertdb.people.ended import explain_end
from alertdb.sessions import Sessions, is_lost
from alertdb.wire.rows import ProtocolBroken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import pyarrow as pa

    from alertdb.config import Config
    from alertdb.sessions import Limits, Session
    from alertdb.wire.link import Batch

__all__ = ["Reader"]

READING = {"SELECT", "WITH", "SHOW", "DESCRIBE", "DESC", "EXPLAIN", "ANALYZE", "VALUES", "TABLE", "HELP", "CHECK"}
FOR_ONE = re.compile(r"\s*SET\s+STATEMENT\b(?P<settings>.*?)\bFOR\s+(?P<word>\w+)", re.IGNORECASE | re.DOTALL)


class Reader:
    """Reads one database of the archive; connections are kept, and opened anew after the server was restarted.

    Parameters
    ----------
    config
        Settings of the archive.
    database
        Database whose tables are meant by names without one.
    """

    def __init__(self, config: Config, database: str = SURVEY) -> None:
        self.config = config
        self.database = database
        self._sessions = Sessions(config, database)

    def query(
        self,
        statement: str,
        parameters: Mapping[str, Any] | None = None,
        told: Callable[[int], None] | None = None,
    ) -> pa.Table:
        """Run one statement that reads and return its rows.

        Parameters
        ----------
        statement
            SQL; values stand in it as ``:name``.
        parameters
            Their values: numbers, texts, times, or lists for ``IN``.
        told
            Told how many rows there are so far, now and then.

        Raises
        ------
        NotReading
            If the statement would change something.
        ParameterMissing, UnknownColumn, UnknownTable, SyntaxMistake, QueryRefused
            If the server cannot run it.
        ArchiveMissing, ServerStopped, ServerRefused
            If the server cannot be reached.
        """
        text = _reading(statement, parameters)
        with self._session(statement) as session:
            columns, batches = session.run(text)
            return to_table(columns, list(self._watched(session, batches, told)))

    def batches(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Iterator[pa.RecordBatch]:
        """Run one statement that reads and yield its rows as they come, some ten thousand at a time.

        The first batch is empty: it has the columns. What `query` raises may come between two batches. To stop early,
        close the iterator.
        """
        text = _reading(statement, parameters)
        with self._session(statement) as session:
            columns, batches = session.run(text)
            yield to_batch(columns, [column.from_values([]) for column in columns])
            for batch in self._watched(session, batches):
                yield to_batch(columns, batch)

    def look_up(self, statement: str, *texts: str) -> pa.Table:
        """Run a statement of ours that is asked again and again, with texts for its places (`?`)."""
        with self._session(statement) as session:
            columns, batches = session.run_prepared(statement, texts)
            return to_table(columns, list(batches))

    def limits(self) -> Limits:
        """Return what the server allows the reading account."""
        with self._session("") as session:
            return session.limits

    def close(self) -> None:
        """Close the connections that are not in use."""
        self._sessions.close()

    @contextmanager
    def _session(self, statement: str) -> Iterator[Session]:
        """Lend a session for a statement; what the driver raises becomes one of our errors."""
        began, number = time.monotonic(), 0
        try:
            with self._sessions.session() as session:
                number = session.number
                yield session
        except ProtocolBroken as error:
            raise QueryRefused(str(error)) from error
        except mariadb.Error as error:
            # The message says all that the driver's does: in a notebook, one traceback is enough.
            cause = error if is_lost(error) else None
            raise self._explain(error, statement, number, time.monotonic() - began) from cause

    def _explain(self, error: mariadb.Error, statement: str, connection: int, seconds: float) -> Exception:
        if ended := explain_end(error, connection, self._lookup):
            return ended
        if is_lost(error):
            return explain_refusal(self.config, Account.READER, error)
        return explain_mistake(error, statement, self._lookup, seconds)

    def _watched(
        self, session: Session, batches: Iterator[Batch], told: Callable[[int], None] | None = None
    ) -> Iterator[Batch]:
        """Yield batches; say so where the server cut the result at a limit of the site's."""
        rows = 0
        for batch in batches:
            rows += len(batch[0])
            if told is not None:
                told(rows)
            yield batch
        if rows and rows == session.limits.rows:
            warnings.warn(ResultCut(rows), stacklevel=3)

    def _lookup(self, statement: str) -> list[tuple[Any, ...]]:
        with self._sessions.session() as session:
            columns, batches = session.run(statement)
            rows = to_table(columns, list(batches))
        return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def _reading(statement: str, parameters: Mapping[str, Any] | None) -> str:
    """Return a statement with its values; refuse what does not begin like a reading one.

    The account and the transaction refuse the rest.
    """
    _check_reads(statement)
    return bind(statement.strip().rstrip(";"), parameters or {})


def _check_reads(statement: str) -> None:
    word = first_word(statement)
    if not word:
        raise QueryRefused("it is empty")
    for_one = FOR_ONE.match(without_texts(statement))
    if for_one is not None and "read_only" not in for_one["settings"].lower():
        word = for_one["word"].upper()
    if word in READING:
        return
    if near := difflib.get_close_matches(word, READING, 1, cutoff=0.75):
        raise SyntaxMistake(f"at its first word '{word}'", f"Nearest: {near[0]}.")
    raise NotReading(f"'{' '.join(statement.split())[:40]}…'")
