"""Who may do what to a tarball, one after the other: named locks of the server, and a folder for what it spools."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from alertdb.schema import check_schema
from ingest.ledger import tarball_id
from ingest.locks import holding
from ingest.spool import spooling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config
    from ingest.surveys import Survey

__all__ = ["await_turn", "clear_spool", "spool_folder", "turn"]

TURN_SECONDS = 24 * 3600
ROLLBACK_SECONDS = 1200


@contextmanager
def turn(config: Config, survey: Survey, name: str) -> Iterator[Connection]:
    """Give a connection that alone may load the tarball of this name.

    Raises
    ------
    SchemaOlder, SchemaNewer, SummaryOlder
        If the archive's tables are of another version than this program.
    LockNotGiven
        If another load has had it for a day.
    """
    with connect(config, Account.LOADER, survey.name) as connection:
        # What a killed server left behind is rolled back in the background; its locks are waited for, not reported.
        connection.exec_driver_sql(
            f"SET SESSION sql_mode = 'TRADITIONAL', innodb_lock_wait_timeout = {ROLLBACK_SECONDS}"
        )
        check_schema(connection, survey.name)
        with holding(connection, _turn_name(survey, tarball_id(name)), TURN_SECONDS, name):
            connection.rollback()
            yield connection


def await_turn(config: Config, survey: Survey, tarball: int, what: str) -> None:
    """Wait until the load of this tarball has ended, however it ends.

    Raises
    ------
    LockNotGiven
        If it has not ended after a day; `what` is said to have waited for it.
    """
    with (
        connect(config, Account.LOADER, survey.name) as connection,
        holding(connection, _turn_name(survey, tarball), TURN_SECONDS, what),
    ):
        pass


def _turn_name(survey: Survey, tarball: int) -> str:
    return f"alertdb.{survey.name}.{tarball:x}"


@contextmanager
def spool_folder(spool: Path, name: str) -> Iterator[Path]:
    """Give an empty folder for what waits on disk of one tarball, and remove it afterwards; to be used in its turn."""
    folder = _spool_folder(spool, name)
    clear_spool(spool, name)
    with spooling(spool):
        folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        clear_spool(spool, name)


def clear_spool(spool: Path, name: str) -> None:
    """Remove what a killed load of this tarball spooled; to be used in its turn, when nobody else spools it."""
    shutil.rmtree(_spool_folder(spool, name), ignore_errors=True)


def _spool_folder(spool: Path, name: str) -> Path:
    return spool / f"{name[:100]}.{tarball_id(name):x}"
