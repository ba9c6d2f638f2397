"""The summary: one row per object with two or more alerts, kept in step by every load, or rebuilt as a whole.

What its columns are stands in ``sql/summary``; both ways use the same statements, so they agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import text

from alertdb.schema import public_database, read_sql, summary_columns, summary_ddl

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy import Connection

__all__ = ["rebuild_summary", "touch_all", "update_summary"]

REBUILD_OBJECTS = 100_000  # objects per statement of a rebuild: what the temporary tables hold at once
TOUCHED = "CREATE TEMPORARY TABLE touched (objectId VARCHAR(32) NOT NULL PRIMARY KEY) ENGINE = Aria TRANSACTIONAL = 0"


def update_summary(connection: Connection, survey: str) -> None:
    """Bring the rows of the objects in the temporary table `touched` up to date, in both databases of the survey."""
    for database in (survey, public_database(survey)):
        connection.exec_driver_sql(f"DELETE s FROM touched AS t STRAIGHT_JOIN {database}.summary AS s USING (objectId)")
        _insert(connection, database, f"{database}.summary")


def rebuild_summary(connection: Connection, survey: str, progress: Callable[[int], None]) -> int:
    """Compute the summary of all objects anew and put it in the place of the old one; return its number of rows.

    Needs the admin account, since the tables are made anew: columns added under ``sql/summary`` appear. `progress` is
    told the number of objects done.
    """
    databases = (survey, public_database(survey))
    for database in databases:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {database}.summary_new")
        connection.exec_driver_sql(summary_ddl(f"{database}.summary_new"))
    done = 0
    for count in touch_all(connection):
        for database in databases:
            _insert(connection, database, f"{database}.summary_new")
        connection.commit()
        done += count
        progress(done)
    for database in databases:
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {database}.summary_old")
        connection.exec_driver_sql(
            f"RENAME TABLE {database}.summary TO {database}.summary_old, {database}.summary_new TO {database}.summary"
        )
        connection.exec_driver_sql(f"DROP TABLE {database}.summary_old")
    return int(connection.exec_driver_sql(f"SELECT COUNT(*) FROM {survey}.summary").scalar_one())


def touch_all(connection: Connection) -> Iterator[int]:
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
