"""Taking a tarball out of the archive, so that the archive equals one that never had it.

Its alerts go, and so do the rows of the shared tables that its packets had won. What other tarballs hold of both
comes back from these, where they are at hand: histories reach back 30 days (in 2018 up to two months), so only the
tarballs of the nights around matter. All of it is part of the caller's transaction, under the lock under which
tarballs merge.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
from sqlalchemy import text

from ingest.checksum import MODULUS, checksum
from ingest.ledger import delete_entry, record_change
from ingest.load import load_rows
from ingest.neighbours import Neighbours, find_neighbours
from ingest.shared_tables import Change, delete_rows, merge_rows
from ingest.stored import listed, read_frame
from ingest.summary import update_touched

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from ingest.ledger import Entry
    from ingest.surveys import SharedTable, Survey

__all__ = ["Removal", "Removed", "hand_over"]

HELPERS = ("removed", "touched")
HISTORY_DAYS = 31  # packets look back 30 days, and a night may be a day long; what they told may say more
HAND_OVER = f"""
UPDATE tarballs SET alerts = alerts + :n, duplicates = duplicates - :n, candid_sum = candid_sum + :sum,
    alerts_checksum = (CAST(alerts_checksum AS DECIMAL(30)) + :part) % {MODULUS}
WHERE id = :id
"""


@dataclass(frozen=True)
class Removed:
    """What a removal did.

    Attributes
    ----------
    alerts
        Alerts that left the archive.
    handed_over
        Alerts that stay, since another tarball holds them.
    rows
        By how many rows each shared table shrank (or grew, if negative).
    missing
        Tarballs of the nights around that were not at hand.
    left
        By object, how many rows may be missing for want of these.
    """

    alerts: int
    handed_over: int
    rows: Mapping[str, int]
    missing: Sequence[str] = ()
    left: Mapping[str, int] = field(default_factory=dict)


class Removal:
    """One tarball on its way out.

    Parameters
    ----------
    connection
        The loader's connection; its open transaction is ours.
    survey
        Whose packets they are.
    entry
        The tarball's entry in the ledger.
    folder
        Where rows of other tarballs wait.
    places
        Files and folders in which the other tarballs may lie.
    """

    def __init__(
        self, connection: Connection, survey: Survey, entry: Entry, folder: Path, places: Sequence[Path]
    ) -> None:
        self._connection = connection
        self._survey = survey
        self._entry = entry
        self._folder = folder
        self._places = places
        self._tables = survey.shared
        self._reach = 0.0
        self._neighbours = self._read_neighbours()

    def run(self) -> Removed:
        """Take it out, within the open transaction; the caller holds the lock under which tarballs merge."""
        if find_neighbours(self._connection, self._entry, self._reach) != self._neighbours.entries:
            self._neighbours = self._read_neighbours()  # tarballs came or went before we had the lock
        self._fill_helpers()
        alerts = self._connection.exec_driver_sql("SELECT COUNT(*) FROM removed").scalar_one()
        changes = {table.name: self._delete_won(table) for table in self._tables}
        self._connection.exec_driver_sql(
            "DELETE a FROM removed AS r STRAIGHT_JOIN alerts AS a FORCE INDEX (PRIMARY) ON a.candid = r.candid"
        )
        delete_entry(self._connection, self._entry.id)
        handed_over = self._hand_over()
        for table in self._tables:
            changes[table.name] += self._restore(table)
            record_change(self._connection, table.name, changes[table.name].rows, changes[table.name].checksum)
        update_touched(self._connection, self._survey.name)
        left = self._count_left() if self._neighbours.missing else {}
        for helper in HELPERS:
            self._connection.exec_driver_sql(f"DROP TEMPORARY TABLE {helper}")
        rows = {name: -change.rows for name, change in changes.items()}
        return Removed(alerts - handed_over, handed_over, rows, self._neighbours.missing, left)

    def _read_neighbours(self) -> Neighbours:
        self._fill_helpers()
        owned = read_frame(self._connection, "SELECT candid, objectId FROM removed")
        self._reach = max(HISTORY_DAYS, self._days_told())
        entries = find_neighbours(self._connection, self._entry, self._reach)
        neighbours = Neighbours(entries, self._survey, self._folder, owned)
        neighbours.read(self._places)
        return neighbours

    def _days_told(self) -> float:
        """Return how far before the tarball's last alert its packets told of anything; others look as far back."""
        last = self._connection.exec_driver_sql(f"SELECT jd_last FROM tarballs WHERE id = {self._entry.id}").scalar()
        queries = (f"SELECT MIN(p.jd) {self._won(table)}" for table in self._tables)
        first = [self._connection.exec_driver_sql(query).scalar() for query in queries]
        return max((float(last) - jd for jd in first if jd is not None and last is not None), default=0.0)

    def _won(self, table: SharedTable) -> str:
        """Return the rows that packets of this tarball had won, as what follows SELECT from FROM on."""
        return (
            f"FROM touched AS o STRAIGHT_JOIN {table.name} AS p FORCE INDEX (PRIMARY) ON p.objectId = o.objectId "
            "STRAIGHT_JOIN removed AS r ON r.candid = p.packet_candid"
        )

    def _owned(self) -> str:
        return (
            "FROM tarballs AS t STRAIGHT_JOIN alerts AS a FORCE INDEX (PRIMARY) ON a.candid BETWEEN t.candid_first "
            f"AND t.candid_last AND a.tarball = t.id WHERE t.id = {self._entry.id}"
        )

    def _fill_helpers(self) -> None:
        """Fill the temporary tables `removed` (candid, objectId) and `touched` (objectId)."""
        connection = self._connection
        connection.exec_driver_sql(f"DROP TEMPORARY TABLE IF EXISTS {', '.join(HELPERS)}")
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE removed (candid BIGINT NOT NULL PRIMARY KEY, objectId VARCHAR(32) NOT NULL) "
            "ENGINE = Aria TRANSACTIONAL = 0 CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
        )
        connection.exec_driver_sql(f"INSERT INTO removed SELECT a.candid, a.objectId {self._owned()}")
        connection.exec_driver_sql(
            "CREATE TEMPORARY TABLE touched (objectId VARCHAR(32) NOT NULL PRIMARY KEY) ENGINE = Aria "
            "TRANSACTIONAL = 0 CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin SELECT DISTINCT objectId FROM removed"
        )

    def _delete_won(self, table: SharedTable) -> Change:
        """Delete the rows that packets of this tarball had won; if some may be missed later, note their keys."""
        rows = self._won(table)
        if self._neighbours.missing:
            keys = ", ".join(f"p.{name}" for name in table.key)
            self._connection.exec_driver_sql(f"CREATE TEMPORARY TABLE gone_{table.name} SELECT {keys} {rows}")
        return delete_rows(self._connection, rows)

    def _hand_over(self) -> int:
        """Load the alerts that other tarballs hold as theirs; return how many they are."""
        count = 0
        for tarball, alerts in self._neighbours.owners():
            columns = self._survey.alert_columns
            load_rows(self._connection, "alerts", alerts.select(columns, tarball=pl.lit(tarball, pl.Int64)))
            hand_over(self._connection, tarball, alerts.select(columns))
            count += alerts.height
        return count

    def _restore(self, table: SharedTable) -> Change:
        return merge_rows(self._connection, table, self._neighbours.shared[table.name].merged(), self._folder)

    def _count_left(self) -> dict[str, int]:
        """Return, by object, the rows that are gone and that a tarball which was not at hand may have told as well."""
        query = "SELECT tarballs.id FROM tarballs WHERE name IN ({})"
        missing = read_frame(self._connection, query.format(listed(self._neighbours.missing)))["id"]
        self._connection.exec_driver_sql(
            f"INSERT INTO gone_{self._survey.history.name} SELECT r.objectId, r.candid FROM removed AS r "
            "WHERE NOT EXISTS (SELECT 1 FROM alerts AS a WHERE a.candid = r.candid)"
        )
        left: dict[str, int] = {}
        for table in self._tables:
            keys = ", ".join(table.key)
            rows = self._connection.exec_driver_sql(
                f"SELECT g.objectId, COUNT(*) AS n FROM (SELECT DISTINCT {keys} FROM gone_{table.name}) AS g "
                f"LEFT JOIN {table.name} AS p USING ({keys}) WHERE p.packet_candid IS NULL AND EXISTS (SELECT 1 FROM "
                f"alerts AS a WHERE a.objectId = g.objectId AND a.tarball IN ({listed(missing)})) GROUP BY g.objectId"
            )
            for name, count in rows:
                left[name] = left.get(name, 0) + count
            self._connection.exec_driver_sql(f"DROP TEMPORARY TABLE gone_{table.name}")
        return left


def hand_over(connection: Connection, tarball: int, alerts: pl.DataFrame, sign: int = 1) -> None:
    """Make alerts the tarball's own in its entry of the ledger, which had them as duplicates; sign -1: the reverse."""
    part = sign * checksum(alerts) % MODULUS
    total = Decimal(sign * sum(alerts["candid"].to_list()))  # the driver would cut an int to 64 bits
    numbers = {"n": sign * alerts.height, "sum": total, "part": part, "id": tarball}
    connection.execute(text(HAND_OVER), numbers)
