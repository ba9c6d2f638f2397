"""The summary: one row per object with two or more alerts, kept in step by every load, or rebuilt as a whole.

What its columns are stands in ``sql/summary``; both ways use the same statements, so they agree.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import text

from alertdb.database import Account, connect
from alertdb.errors import UnknownObject
from alertdb.schema import public_database, read_sql, summary_columns, summary_ddl
from ingest.load import MERGE_LOCK_SECONDS, database_errors, lock, merge_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from alertdb.config import Config

__all__ = ["rebuild_all", "update_all", "update_summary"]

REBUILD_OBJECTS = 100_000  # objects per statement of a rebuild: what the temporary tables hold at once
# InnoDB takes keys that are texts in a fraction of the time that Aria takes.
TOUCHED = "CREATE TEMPORARY TABLE touched (objectId VARCHAR(32) NOT NULL PRIMARY KEY) ENGINE = InnoDB"


def update_summary(connection: Connection, survey: str) -> None:
    """Bring the rows of the objects in the temporary table `touched` up to date, in both databases of the survey."""
    for database in (survey, public_database(survey)):
        connection.exec_driver_sql(f"DELETE s FROM touched AS t STRAIGHT_JOIN {database}.summary AS s USING (objectId)")
        _insert(connection, database, f"{database}.summary")


def update_all(config: Config, survey: str, objects: Sequence[str] | None, progress: Callable[[int], None]) -> int:
    """Bring the rows of some objects, or of all, up to date in place; return the number of rows of the summary.

    Parameters
    ----------
    objects
        Their objectIds; all if None.
    progress
        Told the number of objects done.
    """
    with _merging(config, Account.LOADER, survey) as connection:
        done = 0
        for count in _touch_all(connection) if objects is None else _touch(connection, objects):
            update_summary(connection, survey)
            connection.commit()
            done += count
            progress(done)
        return _count(connection, survey)


def rebuild_all(config: Config, survey: str, progress: Callable[[int], None]) -> int:
    """Compute the summary of all objects anew and put it in the place of the old one; return its number of rows.

    Needs the admin account, since the tables are made anew: columns added under ``sql/summary`` appear. `progress` is
    told the number of objects done.
    """
    databases = (survey, public_database(survey))
    with _merging(config, Account.ADMIN, survey) as connection:
        for database in databases:
            connection.exec_driver_sql(f"DROP TABLE IF EXISTS {database}.summary_new")
            connection.exec_driver_sql(summary_ddl(f"{database}.summary_new"))
        done = 0
        for count in _touch_all(connection):
            for database in databases:
                _insert(connection, database, f"{database}.summary_new")
            connection.commit()
            done += count
            progress(done)
        for database in databases:
            _swap(connection, database)
        return _count(connection, survey)


def _swap(connection: Connection, database: str) -> None:
    connection.exec_driver_sql(f"DROP TABLE IF EXISTS {database}.summary_old")
    connection.exec_driver_sql(
        f"RENAME TABLE {database}.summary TO {database}.summary_old, {database}.summary_new TO {database}.summary"
    )
    connection.exec_driver_sql(f"DROP TABLE {database}.summary_old")


@contextmanager
def _merging(config: Config, account: Account, survey: str) -> Iterator[Connection]:
    """Give a connection that holds the lock under which tarballs merge, so that nothing changes meanwhile."""
    with connect(config, account, survey) as connection, database_errors("the summary"):
        lock(connection, merge_lock(survey), MERGE_LOCK_SECONDS)
        yield connection


def _count(connection: Connection, survey: str) -> int:
    return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {survey}.summary").scalar_one())


def _touch(connection: Connection, objects: Sequence[str]) -> Iterator[int]:
    """Fill the temporary table `touched` with these objects; yield how many they are."""
    connection.exec_driver_sql(TOUCHED)
    insert = text("INSERT INTO touched SELECT DISTINCT objectId FROM alerts WHERE objectId = :name")
    for name in objects:
        if connection.execute(insert, {"name": name}).rowcount == 0:
            raise UnknownObject(name)
    yield len(objects)


def _touch_all(connection: Connection) -> Iterator[int]:
    """Fill the temporary table `touched` with all objects, a part at a time; yield how many the part has."""
    last = ""
    while True:
        connection.exec_driver_sql("DROP TEMPORARY TABLE IF EXISTS touched")
        connection.exec_driver_sql(TOUCHED)
        part = text(
            "INSERT INTO touched SELECT DISTINCT objectId FROM alerts WHERE objectId > :last ORDER BY objectId LIMIT :n"
        )
        count = connection.execute(part, {"last": last, "n": REBUILD_OBJECTS}).rowcount
        if count == 0:
            return
        yield count
        last = str(connection.exec_driver_sql("SELECT MAX(objectId) FROM touched").scalar_one())


def _insert(connection: Connection, database: str, target: str) -> None:
    columns = summary_columns()
    names = ", ".join(column.name for column in columns)
    expressions = ",\n".join(column.expression for column in columns)
    connection.exec_driver_sql("DROP TEMPORARY TABLE IF EXISTS objects")
    connection.exec_driver_sql(_without_comments(read_sql("summary/objects.sql")).format(database=database))
    connection.exec_driver_sql(
        f"INSERT INTO {target} ({names}) SELECT {expressions} FROM objects AS o "
        f"STRAIGHT_JOIN {database}.alerts AS a ON a.objectId = o.objectId GROUP BY o.objectId"
    )
    connection.exec_driver_sql("DROP TEMPORARY TABLE objects")


def _without_comments(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.startswith("--")).rstrip().rstrip(";")
