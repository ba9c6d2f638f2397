"""Bulk loading: frames into tables as values of a prepared INSERT, with every count checked.

Rows go over the socket that the driver has opened, in the protocol's binary form: nothing is turned into text and back.
Where the line is encrypted the driver sends them, row by row as Python values: the same, but several times slower.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any
from weakref import finalize

import mariadb
import polars as pl
import polars.selectors as cs
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from alertdb.errors import AlertdbError, DatabaseFull, LoadRefused, ServerLost
from alertdb.wire.link import Link, can_link, open_line
from alertdb.wire.packets import Done
from ingest.binding import bind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sqlalchemy import Connection

    from alertdb.wire.link import Rows

__all__ = ["database_errors", "insert_rows", "link_of", "load_rows"]

DISK_FULL = (1021, 1114, 28)
GONE = (2002, 2006, 2013, 1927, 1053, 1317)
SHOWN_WARNINGS = 3
LINK = "alertdb.link"
PIECE_BYTES = 2**20  # of rows that the server gets at once; it works at one while the next is made


def load_rows(connection: Connection, table: str, frame: pl.DataFrame) -> None:
    """Load a frame of the table's columns, or of those without a default; see `insert_rows`."""
    insert_rows(connection, table, frame.columns, [frame])


def insert_rows(
    connection: Connection, table: str, columns: Sequence[str], frames: Iterable[pl.DataFrame], clause: str = ""
) -> None:
    """Load frames of these columns, in this order, within the open transaction.

    Parameters
    ----------
    clause
        What becomes of rows whose key is there already: ``ON DUPLICATE KEY UPDATE …``. Without it they are refused.

    Raises
    ------
    LoadRefused
        If the server took more or fewer rows, or had to change a value.
    mariadb.Error
        If it refused one.
    """
    names, places = ", ".join(f"`{name}`" for name in columns), ", ".join("?" * len(columns))
    statement = f"INSERT INTO {table} ({names}) VALUES ({places}) {clause}"
    if not connection.in_transaction():
        connection.begin()  # which SQLAlchemy does for its own statements alone; its commit would do nothing
    link = link_of(connection)
    sent = Sent(frames)
    if link is None:
        taken, warnings = _insert_by_driver(connection, statement, sent)
    else:
        taken, warnings = link.run_for_each(statement, _pieces(sent))
    # Of rows that were there already, the server counts none or two.
    if warnings or (taken != sent.rows and not clause):
        raise LoadRefused(table, sent.rows, taken, _warnings(connection))


class Sent:
    """Frames on their way, those without rows left out, and how many rows they had."""

    def __init__(self, frames: Iterable[pl.DataFrame]) -> None:
        self._frames = frames
        self.rows = 0

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames:
            self.rows += frame.height
            if frame.height:
                yield frame


def _pieces(frames: Iterable[pl.DataFrame]) -> Iterator[Rows]:
    for frame in frames:
        rows = bind(frame)
        for values in rows.pieces(PIECE_BYTES):
            yield rows.kinds, values


def _insert_by_driver(connection: Connection, statement: str, frames: Iterable[pl.DataFrame]) -> Done:
    taken = warnings = 0
    with closing(connection.connection.cursor()) as cursor:
        for frame in frames:
            # The driver would cut an integer to 63 bits.
            cursor.executemany(statement, frame.with_columns(cs.by_dtype(pl.UInt64).cast(pl.String)).rows())
            taken, warnings = taken + cursor.rowcount, warnings + cursor.warnings
    return Done(taken, warnings)


def link_of(connection: Connection) -> Link | None:
    """Return the link over this connection's line, None where it is encrypted; it is kept as long as the connection."""
    if LINK not in connection.info:
        connection.info[LINK] = _open_link(connection.connection.driver_connection)
    link: Link | None = connection.info[LINK]
    return link


def _open_link(driver: Any) -> Link | None:
    if not can_link(driver):
        return None
    line = open_line(driver)
    link = Link(line)
    finalize(link, line.close)
    return link


def _warnings(connection: Connection) -> list[str]:
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(f"SHOW WARNINGS LIMIT {SHOWN_WARNINGS}")
        return [str(row[2]) for row in cursor.fetchall()]


@contextmanager
def database_errors(what: str) -> Iterator[None]:
    """Turn whatever the driver raises while `what` is loaded into an error that says what to do.

    The driver raises errors of many kinds when the server dies under it, so anything that is not ours counts.
    """
    try:
        yield
    except AlertdbError:
        raise
    except PendingRollbackError as error:  # a statement behind one at which the connection broke
        raise ServerLost(what, "the connection broke") from error
    except (DBAPIError, mariadb.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        number = getattr(cause, "errno", None)
        if number in DISK_FULL:
            raise DatabaseFull(what, str(cause)) from error
        if number in GONE or getattr(error, "connection_invalidated", False):
            raise ServerLost(what, str(cause)) from error
        raise LoadRefused.because(what, str(cause)) from error
