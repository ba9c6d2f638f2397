"""Who may do what to a tarball, one after the other: named locks of the server, and a folder for what it spools."""

from __future__ import annotations

import glob
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from ingest.ledger import tarball_id
from ingest.load import lock
from ingest.spool import spooling

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from alertdb.config import Config
    from ingest.surveys import Survey

__all__ = ["await_turn", "spool_folder", "turn"]

TURN_SECONDS = 24 * 3600
ROLLBACK_SECONDS = 1200


@contextmanager
def turn(config: Config, survey: Survey, name: str) -> Iterator[Connection]:
    """Give a connection that alone may load the tarball of this name."""
    with connect(config, Account.LOADER, survey.name) as connection:
        # What a killed server left behind is rolled back in the background; its locks are waited for, not reported.
        connection.exec_driver_sql(
            f"SET SESSION sql_mode = 'TRADITIONAL', innodb_lock_wait_timeout = {ROLLBACK_SECONDS}"
        )
        lock(connection, _turn_name(survey, tarball_id(name)), TURN_SECONDS)
        connection.rollback()
        yield connection


def await_turn(config: Config, survey: Survey, tarball: int) -> None:
    """Wait until the load of this tarball has ended, however it ends."""
    with connect(config, Account.LOADER, survey.name) as connection:
        lock(connection, _turn_name(survey, tarball), TURN_SECONDS)


def _turn_name(survey: Survey, tarball: int) -> str:
    return f"alertdb.{survey.name}.{tarball:x}"


@contextmanager
def spool_folder(spool: Path, stem: str) -> Iterator[Path]:
    """Give an empty folder for the CSV files of one tarball, and remove it afterwards; also what a killed load left."""
    with spooling(spool):
        spool.mkdir(parents=True, exist_ok=True)
        for left in spool.glob(f"{glob.escape(stem[:100])}.*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{stem[:100]}.", dir=spool))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
