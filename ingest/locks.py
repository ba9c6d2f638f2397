"""Named locks of the server: who may change what, one load after the other."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import mariadb
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from alertdb.errors import LockNotGiven

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

__all__ = ["MERGE_LOCK_SECONDS", "alerts_lock", "holding", "merge_lock"]

MERGE_LOCK_SECONDS = 24 * 3600  # a rebuild of the summary holds it for long


def merge_lock(survey: str) -> str:
    """Name of the lock under which one tarball at a time changes what all nights share."""
    return f"alertdb.{survey}.merge"


def alerts_lock(survey: str) -> str:
    """Name of the lock under which one batch of alerts at a time is looked up and loaded."""
    return f"alertdb.{survey}.alerts"


@contextmanager
def holding(connection: Connection, name: str, seconds: float, what: str) -> Iterator[None]:
    """Hold a named lock; a connection that holds it already may hold it once more.

    After an error the open transaction is rolled back before the lock is given back: who gets it next may read what
    others have not committed, and must not find what is about to go.

    Parameters
    ----------
    seconds
        How long to wait for it at most; 0 is not at all.
    what
        What needs the lock, for the error.

    Raises
    ------
    LockNotGiven
        If others hold it for longer than that.
    """
    if connection.execute(text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": seconds}).scalar() != 1:
        holder = connection.execute(text("SELECT IS_USED_LOCK(:name)"), {"name": name}).scalar()
        raise LockNotGiven(what, name, seconds, holder)
    try:
        yield
    except BaseException:
        with suppress(SQLAlchemyError, mariadb.Error):  # the first error is to be told
            connection.rollback()
            _release(connection, name)
        raise
    _release(connection, name)


def _release(connection: Connection, name: str) -> None:
    """Give a lock back; the server does so itself for a connection that is lost."""
    if connection.invalidated:
        return
    try:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": name})
    except DBAPIError as error:
        if not error.connection_invalidated:
            raise
