"""Bulk loading: CSV files into tables through LOAD DATA, with every count checked.

Plain `LOAD DATA LOCAL` turns bad values into 0 and drops duplicates with mere warnings, even in strict mode;
`LOAD DATA LOCAL … REPLACE` is strict. It would replace rows silently, though, so a load is accepted only when the
server reports exactly the rows of the file, none deleted, and no warning.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import mariadb
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, PendingRollbackError

from alertdb.errors import AlertdbError, DatabaseFull, LoadRefused, ServerLost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

__all__ = ["MERGE_LOCK_SECONDS", "alerts_lock", "database_errors", "load_csv", "lock", "merge_lock", "release"]

MERGE_LOCK_SECONDS = 24 * 3600  # a rebuild of the summary holds it for long

DISK_FULL = (1021, 1114, 28)
GONE = (2002, 2006, 2013, 1927, 1053, 1317)
SHOWN_WARNINGS = 3


def load_csv(
    connection: Connection, table: str, columns: Sequence[str], path: Path, rows: int, constant: str = ""
) -> None:
    """Load a CSV file of `ingest.spool.write_csv` into a table, within the open transaction.

    Parameters
    ----------
    columns
        The table's columns in the order of the file's.
    rows
        How many rows the file holds.
    constant
        A ``SET`` clause for columns that the file lacks.

    Raises
    ------
    LoadRefused
        If the server took more or fewer rows, replaced some, or had to change a value.
    """
    names = ", ".join(f"`{name}`" for name in columns)
    statement = f"LOAD DATA LOCAL INFILE ? REPLACE INTO TABLE {table} CHARACTER SET utf8mb4 ({names}) {constant}"
    with closing(connection.connection.cursor()) as cursor:
        cursor.execute(statement, (str(path),))
        affected, warnings = cursor.rowcount, cursor.warnings
        # The server counts a replaced row twice, so an equal count means: all of them, and none replaced.
        if affected != rows or warnings:
            cursor.execute(f"SHOW WARNINGS LIMIT {SHOWN_WARNINGS}")
            raise LoadRefused(table, path.name, rows, affected, [str(row[2]) for row in cursor.fetchall()])


def lock(connection: Connection, name: str, seconds: float) -> bool:
    """Take a named lock of the server, waiting at most `seconds`; return whether we have it."""
    return (
        connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": seconds}).scalar() == 1
    )


def merge_lock(survey: str) -> str:
    """Name of the lock under which one tarball at a time changes what all nights share."""
    return f"alertdb.{survey}.merge"


def alerts_lock(survey: str) -> str:
    """Name of the lock under which one batch of alerts at a time is looked up and loaded."""
    return f"alertdb.{survey}.alerts"


def release(connection: Connection, name: str) -> None:
    """Give a named lock back."""
    connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})


@contextmanager
def database_errors(what: str) -> Iterator[None]:
    """Turn whatever the driver raises while `what` is loaded into an error that says what to do.

    The driver raises errors of many kinds when the server dies under it, so anything that is not ours counts.
    """
    try:
        yield
    except AlertdbError:
        raise
    except PendingRollbackError as error:  # giving a lock back failed after the connection broke
        raise ServerLost(what, "the connection broke") from error
    except (DBAPIError, mariadb.Error) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        number = getattr(cause, "errno", None)
        if number in DISK_FULL:
            raise DatabaseFull(what, str(cause)) from error
        if number in GONE or getattr(error, "connection_invalidated", False):
            raise ServerLost(what, str(cause)) from error
        raise LoadRefused.because(what, str(cause)) from error
