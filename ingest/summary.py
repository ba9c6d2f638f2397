"""The summary: one row per object with two or more alerts, kept in step by every load, or rebuilt as a whole.

What its columns are stands in ``sql/summary``; both ways use the same statements, so they agree.
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy import text

from alertdb.database import Account, connect
from alertdb.errors import UnknownObject
from alertdb.schema import public_database, read_sql, summary_columns, summary_ddl
from ingest.load import database_errors, insert_rows, load_rows
from ingest.locks import MERGE_LOCK_SECONDS, alerts_lock, holding, merge_lock
from ingest.spool import spooling
from ingest.stored import listed, read_frame

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from alertdb.config import Config
    from ingest.reading_ahead import ReadAhead

__all__ = ["SummaryOfLoad", "rebuild_all", "update_all", "update_touched"]

SUMMARY = "the summary"  # as errors call it
UPDATE_OBJECTS = 5_000  # per statement; what those of the next need is read from the disk meanwhile
REBUILD_OBJECTS = 100_000  # objects per statement of a rebuild: what the temporary tables hold at once
# InnoDB takes keys that are texts in a fraction of the time that Aria takes.
TOUCHED = "CREATE TEMPORARY TABLE touched (objectId VARCHAR(32) NOT NULL PRIMARY KEY) ENGINE = InnoDB"


class SummaryOfLoad:
    """The rows of the summary that a load changes, in both databases of the survey: computed, kept on disk, written.

    Computing reads alerts and limits only, so that it goes beside the merging of other tables.

    Parameters
    ----------
    watch
        A connection at READ UNCOMMITTED, which computes. It sees the load's alerts. In the key `lightcurve` no other
        way of reading does so without a look at the wide row of each alert beside them.
    survey
        The survey's name.
    tarball
        The load's.
    folder
        Where rows wait until they are written.
    ahead
        Reads from the disk what the statements will need.
    """

    def __init__(self, watch: Connection, survey: str, tarball: int, folder: Path, ahead: ReadAhead) -> None:
        self._watch = watch
        self._survey = survey
        self._tarball = tarball
        self._folder = folder
        self._ahead = ahead
        self._parts: list[tuple[str, Path]] = []  # rows of which database, and where they wait

    def compute(self, objects: pl.DataFrame, *, alone: bool) -> None:
        """Compute the rows of these objects: their names, each once, in the column `objectId`.

        The load holds the lock for merging.

        Parameters
        ----------
        alone
            Whether the load keeps others from adding alerts already.

        Raises
        ------
        LockNotGiven
            If other loads give no turn.
        """
        for part in self._ahead.before(objects.iter_slices(UPDATE_OBJECTS), lambda _: _places(self._survey)):
            self._watch.exec_driver_sql(TOUCHED)
            load_rows(self._watch, "touched", part)
            with nullcontext() if alone else self._alerts_held():
                condition = _leave_out(_find_uncommitted(self._watch, self._tarball))
                for database in (self._survey, public_database(self._survey)):
                    self._keep(database, _summarize(self._watch, database, condition))
            self._watch.exec_driver_sql("DROP TEMPORARY TABLE touched")

    def write(self, connection: Connection) -> None:
        """Write all that was computed, on the load's connection.

        Raises
        ------
        LoadRefused
            If a row is refused.
        """
        names = [column.name for column in summary_columns()]
        newer = ", ".join(f"{name} = VALUES({name})" for name in names)
        for database, path in self._parts:
            rows = pl.read_ipc(path)
            insert_rows(connection, f"{database}.summary", names, [rows], f"ON DUPLICATE KEY UPDATE {newer}")

    def _alerts_held(self) -> AbstractContextManager[None]:
        """Let no other load add alerts meanwhile."""
        return holding(self._watch, alerts_lock(self._survey), MERGE_LOCK_SECONDS, SUMMARY)

    def _keep(self, database: str, rows: pl.DataFrame) -> None:
        path = self._folder / f"summary-{len(self._parts):06}.arrow"
        with spooling(self._folder):
            rows.write_ipc(path)
        self._parts.append((database, path))


def _find_uncommitted(watch: Connection, tarball: int) -> set[int]:
    """Return the tarballs of other loads that have alerts of the objects `touched`, and have not committed them.

    Under the lock for merging no other load has a row in the ledger that is not committed.
    """
    query = "SELECT DISTINCT a.tarball FROM touched AS t STRAIGHT_JOIN alerts AS a ON a.objectId = t.objectId"
    others = set(watch.exec_driver_sql(query).scalars()) - {tarball}
    if others:
        others -= set(watch.exec_driver_sql(f"SELECT id FROM tarballs WHERE id IN ({listed(others)})").scalars())
    return others


def _leave_out(tarballs: set[int]) -> str:
    return f"AND a.tarball NOT IN ({listed(sorted(tarballs))})" if tarballs else ""


def _summarize(connection: Connection, database: str, condition: str) -> pl.DataFrame:
    """Return the summary of the objects `touched`, of those alerts for which the condition holds."""
    make_objects, select = _statements(database, condition)
    connection.exec_driver_sql(make_objects)
    rows = read_frame(connection, select)
    rows.columns = [column.name for column in summary_columns()]
    connection.exec_driver_sql("DROP TEMPORARY TABLE objects")
    return rows


def _places(survey: str) -> Iterator[str]:
    """Return the queries that read what the summary of objects is made of besides alerts, and where it belongs."""
    yield f"SELECT COUNT(*) FROM {survey}.alerts_limmag WHERE objectId IN ({{}})"
    for database in (survey, public_database(survey)):
        yield f"SELECT COUNT(*) FROM {database}.summary WHERE objectId IN ({{}})"


def update_touched(connection: Connection, survey: str) -> None:
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
            update_touched(connection, survey)
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
    with (
        database_errors(SUMMARY),
        connect(config, account, survey) as connection,
        holding(connection, merge_lock(survey), MERGE_LOCK_SECONDS, SUMMARY),
    ):
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
    make_objects, select = _statements(database)
    connection.exec_driver_sql("DROP TEMPORARY TABLE IF EXISTS objects")
    connection.exec_driver_sql(make_objects)
    names = ", ".join(column.name for column in summary_columns())
    connection.exec_driver_sql(f"INSERT INTO {target} ({names}) {select}")
    connection.exec_driver_sql("DROP TEMPORARY TABLE objects")


def _statements(database: str, condition: str = "") -> tuple[str, str]:
    """Return what makes the temporary table `objects` for those in `touched`, and the query for their summary."""
    make_objects = _without_comments(read_sql("summary/objects.sql")).format(database=database, condition=condition)
    expressions = ",\n".join(column.expression for column in summary_columns())
    return make_objects, (
        f"SELECT {expressions} FROM objects AS o STRAIGHT_JOIN {database}.alerts AS a ON a.objectId = o.objectId "
        f"{condition} GROUP BY o.objectId"
    )


def _without_comments(script: str) -> str:
    return "\n".join(line for line in script.splitlines() if not line.startswith("--")).rstrip().rstrip(";")
