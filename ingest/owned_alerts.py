"""The alerts of one tarball on their way into their table, where each alert belongs to one tarball.

Nobody waits for a row that another load has written: which candids others are writing is looked up first, under a lock
held for one batch only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from alertdb.errors import LoadRefused
from ingest.checksum import MODULUS, checksum
from ingest.load import load_rows
from ingest.locks import alerts_lock, holding
from ingest.removal import hand_over

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from sqlalchemy import Connection

    from ingest.surveys import Survey

__all__ = ["LoadedElsewhere", "OwnedAlerts"]

BATCH_LOCK_SECONDS = 600
CANDIDS_PER_QUERY = 5000
EMPTY = pl.DataFrame(schema={"objectId": pl.String, "candid": pl.Int64, "jd": pl.Float64, "programid": pl.Int32})


class LoadedElsewhere(Exception):
    """Another load that is still under way holds some of the same alerts."""

    def __init__(self, tarball: int) -> None:
        super().__init__(tarball)
        self.tarball = tarball


class OwnedAlerts:
    """Alerts of one tarball.

    Parameters
    ----------
    connection
        The loader's connection; its open transaction is ours.
    watch
        A second connection, at READ UNCOMMITTED: it sees what other loads are writing.
    survey
        Whose alerts they are.
    tarball
        The tarball's name and id.

    Attributes
    ----------
    taken_over
        How many of them another tarball owned before.
    """

    def __init__(self, connection: Connection, watch: Connection, survey: Survey, tarball: tuple[str, int]) -> None:
        self._connection = connection
        self._watch = watch
        self._survey = survey
        self._name, self._id = tarball
        self._arrived: list[pl.DataFrame] = []
        self._contested: list[pl.DataFrame] = []  # alerts that a tarball already in the archive holds
        self.taken_over = 0
        self._count = 0
        self._sum = 0
        self._checksum = 0

    def note(self, alerts: pl.DataFrame) -> None:
        """Note that the tarball tells of these alerts, whoever will own them."""
        # Sorted, and so in memory of their own: columns taken as they are would keep their whole batch alive.
        self._arrived.append(alerts.select(EMPTY.columns).sort("candid"))

    def add(self, alerts: pl.DataFrame) -> None:
        """Load alerts that were noted; set those aside that a tarball in the archive holds.

        Raises
        ------
        LoadedElsewhere
            If another load under way holds one of them; wait for it, begin again.
        LockNotGiven
            If others give no turn.
        """
        with self.held():
            known = self._known_elsewhere(alerts["candid"].to_list())
            if known:
                self._contested.append(alerts.filter(pl.col("candid").is_in(known)))
                alerts = alerts.filter(~pl.col("candid").is_in(known))
            self._load(alerts)

    def held(self) -> AbstractContextManager[None]:
        """Let no other load look for known alerts, or add any, meanwhile."""
        return holding(self._connection, alerts_lock(self._survey.name), BATCH_LOCK_SECONDS, self._name)

    def settle(self) -> int:
        """Decide who owns an alert that several tarballs hold: the one whose name sorts first, whatever came first.

        Return how many of ours stay with another tarball.
        """
        if not self._contested:
            return 0
        contested = pl.concat(self._contested)
        owners = self._owners(self._connection, contested["candid"].to_list())
        names = {row.id: row.name for row in self._connection.exec_driver_sql("SELECT id, name FROM tarballs")}
        left = contested.filter(~pl.col("candid").is_in(list(owners)))  # their tarball was removed meanwhile
        self._load(left)
        ours = [candid for candid, owner in owners.items() if names[owner] > self._name]
        for owner in {owners[candid] for candid in ours}:
            self._take_over(contested.filter(pl.col("candid").is_in([c for c in ours if owners[c] == owner])), owner)
        return contested.height - len(ours) - left.height

    def list_arrived(self) -> None:
        """Make a temporary table `arrived` of the candids noted."""
        self._list("arrived", self.arrived())

    def arrived(self) -> pl.DataFrame:
        """Return the alerts noted: objectId, candid, jd and programid."""
        return pl.concat(self._arrived) if self._arrived else EMPTY

    def describe(self) -> dict[str, Any]:
        """Return what the ledger says of the tarball's alerts, whether or not another tarball owns some of them."""
        arrived = self.arrived()
        public = [program for program in arrived["programid"].unique() if self._survey.rights(program) == "public"]
        return {
            "alerts": self._count,
            "objects": arrived["objectId"].n_unique(),
            "partnership": arrived.filter(~pl.col("programid").is_in(public)).height,
            "candid_sum": Decimal(self._sum),  # the driver stores an integer of more than 64 bits as another number
            "candid_first": arrived["candid"].min(),
            "candid_last": arrived["candid"].max(),
            "jd_first": arrived["jd"].min(),
            "jd_last": arrived["jd"].max(),
            "alerts_checksum": self._checksum,
        }

    def check(self) -> None:
        """Compare what the table holds of this tarball with what was written: their number and the sum of candids."""
        row = self._connection.exec_driver_sql(
            "SELECT COUNT(*) AS n, COALESCE(SUM(a.candid), 0) AS total FROM arrived AS t "
            f"STRAIGHT_JOIN alerts AS a USING (candid) WHERE a.tarball = {self._id}"
        ).one()
        if (row.n, int(row.total)) != (self._count, self._sum):
            found = f"{row.n} alerts with candid sum {row.total} in the table, {self._count} with {self._sum} written"
            raise LoadRefused.because(self._name, found)

    def _known_elsewhere(self, candids: list[int]) -> set[int]:
        """Return those candids that a committed tarball holds; fail where one is being loaded right now."""
        owners = self._owners(self._watch, candids)
        self._watch.rollback()
        under_way = set(owners.values()) - self._committed(set(owners.values()))
        if under_way:
            raise LoadedElsewhere(min(under_way))
        return set(owners)

    def _owners(self, connection: Connection, candids: list[int]) -> dict[int, int]:
        """Return the tarball of each of these candids that the table holds, but ours."""
        owners: dict[int, int] = {}
        for start in range(0, len(candids), CANDIDS_PER_QUERY):
            listed = ", ".join(str(int(candid)) for candid in candids[start : start + CANDIDS_PER_QUERY])
            query = f"SELECT candid, tarball FROM alerts WHERE candid IN ({listed}) AND tarball <> {self._id}"
            owners |= {row.candid: row.tarball for row in connection.exec_driver_sql(query)}
        return owners

    def _committed(self, tarballs: set[int]) -> set[int]:
        if not tarballs:
            return set()
        listed = ", ".join(str(tarball) for tarball in tarballs)
        return set(self._connection.exec_driver_sql(f"SELECT id FROM tarballs WHERE id IN ({listed})").scalars())

    def _take_over(self, alerts: pl.DataFrame, owner: int) -> None:
        self.taken_over += alerts.height
        # Joined, so that each row is reached by its key: a scan, which the optimizer prefers in a small table, would
        # wait for the rows that other loads are writing, and they wait for us.
        self._list("taken", alerts)
        self._connection.exec_driver_sql(
            "DELETE a FROM taken AS t STRAIGHT_JOIN alerts AS a FORCE INDEX (PRIMARY) ON a.candid = t.candid"
        )
        self._connection.exec_driver_sql("DROP TEMPORARY TABLE taken")
        self._load(alerts)
        # The rows that went were equal to ours: the same packets. So is their part of the checksum.
        hand_over(self._connection, owner, alerts.select(self._survey.alert_columns), sign=-1)

    def _load(self, alerts: pl.DataFrame) -> None:
        if alerts.is_empty():
            return
        columns = self._survey.alert_columns
        load_rows(self._connection, "alerts", alerts.select(columns, tarball=pl.lit(self._id, pl.Int64)))
        self._count += alerts.height
        self._sum += sum(alerts["candid"].to_list())
        self._checksum = (self._checksum + checksum(alerts.select(columns))) % MODULUS

    def _list(self, table: str, alerts: pl.DataFrame) -> None:
        """Make a temporary table of the different candids of some alerts (InnoDB: see `ingest.summary`)."""
        self._connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {table} (candid BIGINT NOT NULL PRIMARY KEY) ENGINE = InnoDB"
        )
        load_rows(self._connection, table, alerts.select("candid").unique().sort("candid"))
