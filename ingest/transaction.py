"""The one transaction that brings a tarball in: absent or complete, whatever dies whenever.

Alerts of several tarballs load side by side. What all nights share (the tables of histories, the summary, the ledger)
is merged at the end, one tarball at a time, under a named lock. Nobody waits for a row that another load has
written: which candids others are writing is looked up first, under a lock held for one batch only.
"""

from __future__ import annotations

from contextlib import nullcontext
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from alertdb.errors import LoadRefused
from ingest.checksum import MODULUS, checksum
from ingest.ledger import Reject, record_change, write_entry
from ingest.load import load_rows
from ingest.locks import MERGE_LOCK_SECONDS, alerts_lock, holding, merge_lock
from ingest.removal import hand_over
from ingest.shared_tables import drop_arrived, merge_stage
from ingest.spool import spooling
from ingest.stage import Stage
from ingest.summary import SummaryOfLoad
from ingest.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sqlalchemy import Connection

    from ingest.reading_ahead import ReadAhead
    from ingest.removal import Removal, Removed
    from ingest.shared_tables import Change
    from ingest.surveys import Rows, SharedTable, Survey

__all__ = ["LoadedElsewhere", "TarballTransaction"]

BATCH_LOCK_SECONDS = 600
CANDIDS_PER_QUERY = 5000
EMPTY = pl.DataFrame(schema={"objectId": pl.String, "candid": pl.Int64, "jd": pl.Float64, "programid": pl.Int32})


class LoadedElsewhere(Exception):
    """Another load that is still under way holds some of the same alerts."""

    def __init__(self, tarball: int) -> None:
        super().__init__(tarball)
        self.tarball = tarball


class TarballTransaction:
    """Rows of one tarball on their way into the tables.

    Parameters
    ----------
    connection
        The loader's connection; its open transaction is ours.
    watch
        A second connection, at READ UNCOMMITTED: it sees what other loads are writing.
    survey
        Whose packets they are.
    tarball
        The tarball's name and id.
    folder
        Where rows wait that cannot be loaded yet.
    ahead
        Reads from the disk what merging will need.
    removal
        Of the tarball that this one replaces. Alerts wait on disk then until the old ones are out.

    Attributes
    ----------
    removed
        What became of the tarball that was replaced, once it is out.
    """

    def __init__(
        self,
        connection: Connection,
        watch: Connection,
        survey: Survey,
        tarball: tuple[str, int],
        folder: Path,
        ahead: ReadAhead,
        removal: Removal | None = None,
    ) -> None:
        self._connection = connection
        self._watch = watch
        self._survey = survey
        self._name, self._id = tarball
        self._folder = folder
        self._ahead = ahead
        self._removal = removal
        self._waiting: list[Path] = []
        self.removed: Removed | None = None
        self._contested: list[pl.DataFrame] = []  # alerts that a tarball already in the archive holds
        self._arrived: list[pl.DataFrame] = []
        self.taken_over = 0  # alerts of ours that another tarball owned before
        self._alerts = 0
        self._sum = 0
        self._checksum = 0
        self._stages = {table.name: Stage(table, folder) for table in survey.shared}
        self._summary = SummaryOfLoad(watch, survey.name, self._id, folder, ahead)

    def add(self, rows: Rows) -> None:
        """Take the rows of a batch, each candid once in the whole tarball.

        Raises
        ------
        LoadedElsewhere
            If another load under way holds one of the alerts; wait for it, begin again.
        LockNotGiven
            If others give no turn.
        """
        alerts = rows.alerts.select(self._survey.alert_columns)
        # Sorted, and so in memory of their own: columns taken as they are would keep their whole batch alive.
        self._arrived.append(alerts.select(EMPTY.columns).sort("candid"))
        if self._removal is None:
            self._add(alerts)
        else:
            self._waiting.append(self._folder / f"waiting-{len(self._waiting):05}.arrow")
            with spooling(self._folder):
                alerts.write_ipc(self._waiting[-1])
        for name, stage in self._stages.items():
            stage.add(rows.shared[name])

    def _add(self, alerts: pl.DataFrame) -> None:
        with self._alerts_held():
            known = self._known_elsewhere(alerts["candid"].to_list())
            if known:
                self._contested.append(alerts.filter(pl.col("candid").is_in(known)))
                alerts = alerts.filter(~pl.col("candid").is_in(known))
            self._load_alerts(alerts)

    def _alerts_held(self) -> AbstractContextManager[None]:
        """Let no other load look for known alerts, or add any, meanwhile."""
        return holding(self._connection, alerts_lock(self._survey.name), BATCH_LOCK_SECONDS, self._name)

    def close(
        self,
        rejects: Sequence[Reject],
        facts: Mapping[str, Any],
        before_commit: Callable[[], None] = lambda: None,
    ) -> dict[str, Any]:
        """Merge everything, write the ledger and commit; return the ledger's row.

        Parameters
        ----------
        facts
            Columns of the ledger that only the caller knows.
        before_commit
            Called when all is done but the commit.

        Raises
        ------
        LockNotGiven
            If others give no turn.
        """
        # Others must not see some alerts that go and have gone.
        alerts_held = nullcontext() if self._removal is None else self._alerts_held()
        with holding(self._connection, merge_lock(self._survey.name), MERGE_LOCK_SECONDS, self._name), alerts_held:
            self._replace()
            duplicates = self._settle_contested()
            self._fill_helper("arrived", self._all_arrived())
            entry = {**facts, **self._merge_shared(), **self._describe_alerts(), "duplicates": duplicates}
            self._summary.write(self._connection)
            self._check_alerts()
            entry |= {"id": self._id, "name": self._name, "survey": self._survey.name, "rejects": len(rejects)}
            write_entry(self._connection, entry, rejects)
            before_commit()
            self._connection.commit()
        return entry

    def object_keys(self) -> frozenset[int]:
        """Return a 64-bit hash of each object's name."""
        return frozenset(self._all_arrived()["objectId"].unique().hash().to_list())

    def _replace(self) -> None:
        """Take out the tarball that this one replaces, then load the alerts that wait for that."""
        if self._removal is None:
            return
        self.removed = self._removal.run()
        for path in self._waiting:
            self._add(pl.read_ipc(path))

    def _load_alerts(self, alerts: pl.DataFrame) -> None:
        if alerts.is_empty():
            return
        columns = self._survey.alert_columns
        load_rows(self._connection, "alerts", alerts.select(columns, tarball=pl.lit(self._id, pl.Int64)))
        self._alerts += alerts.height
        self._sum += sum(alerts["candid"].to_list())
        self._checksum = (self._checksum + checksum(alerts.select(columns))) % MODULUS

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

    def _settle_contested(self) -> int:
        """Decide who owns an alert that several tarballs hold: the one whose name sorts first, whatever came first.

        Return how many of ours stay with another tarball.
        """
        if not self._contested:
            return 0
        contested = pl.concat(self._contested)
        owners = self._owners(self._connection, contested["candid"].to_list())
        names = {row.id: row.name for row in self._connection.exec_driver_sql("SELECT id, name FROM tarballs")}
        left = contested.filter(~pl.col("candid").is_in(list(owners)))  # their tarball was removed meanwhile
        self._load_alerts(left)
        ours = [candid for candid, owner in owners.items() if names[owner] > self._name]
        for owner in {owners[candid] for candid in ours}:
            self._take_over(contested.filter(pl.col("candid").is_in([c for c in ours if owners[c] == owner])), owner)
        return contested.height - len(ours) - left.height

    def _take_over(self, alerts: pl.DataFrame, owner: int) -> None:
        self.taken_over += alerts.height
        # Joined, so that each row is reached by its key: a scan, which the optimizer prefers in a small table, would
        # wait for the rows that other loads are writing, and they wait for us.
        self._fill_helper("taken", alerts)
        self._connection.exec_driver_sql(
            "DELETE a FROM taken AS t STRAIGHT_JOIN alerts AS a FORCE INDEX (PRIMARY) ON a.candid = t.candid"
        )
        self._connection.exec_driver_sql("DROP TEMPORARY TABLE taken")
        self._load_alerts(alerts)
        # The rows that went were equal to ours: the same packets. So is their part of the checksum.
        hand_over(self._connection, owner, alerts.select(self._survey.alert_columns), sign=-1)

    def _fill_helper(self, table: str, alerts: pl.DataFrame) -> None:
        """Make a temporary table of the different candids of some alerts (InnoDB: see `ingest.summary`)."""
        self._connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE {table} (candid BIGINT NOT NULL PRIMARY KEY) ENGINE = InnoDB"
        )
        load_rows(self._connection, table, alerts.select("candid").unique().sort("candid"))

    def _all_arrived(self) -> pl.DataFrame:
        return pl.concat(self._arrived) if self._arrived else EMPTY

    def _merge_shared(self) -> dict[str, int]:
        """Merge what all nights share; the summary is computed beside it once the limits are in that it counts."""
        survey = self._survey
        objects = self._all_arrived().select("objectId").unique().sort("objectId")
        self._record(survey.history, drop_arrived(self._connection, survey.history, "arrived"))
        totals = self._merge("limits", survey.limits)
        with Worker("summary") as summary:
            summary.submit(partial(self._summary.compute, alone=self._removal is not None), objects)
            totals |= self._merge("history", survey.history) | self._merge("forced", survey.forced)
            summary.finish()
        return totals

    def _merge(self, column: str, table: SharedTable) -> dict[str, int]:
        """Merge the rows for one table; return what the ledger says of them, in the columns of this name."""
        stage = self._stages[table.name]
        self._record(table, merge_stage(self._connection, table, stage, self._ahead))
        count, checksum = stage.count()
        return {column: count, f"{column}_checksum": checksum}

    def _record(self, table: SharedTable, change: Change) -> None:
        record_change(self._connection, table.name, change.rows, change.checksum)

    def _describe_alerts(self) -> dict[str, Any]:
        """Return what the ledger says of the tarball's alerts, whether or not another tarball owns some of them."""
        arrived = self._all_arrived()
        public = [program for program in arrived["programid"].unique() if self._survey.rights(program) == "public"]
        return {
            "alerts": self._alerts,
            "objects": arrived["objectId"].n_unique(),
            "partnership": arrived.filter(~pl.col("programid").is_in(public)).height,
            "candid_sum": Decimal(self._sum),  # the driver stores an integer of more than 64 bits as another number
            "candid_first": arrived["candid"].min(),
            "candid_last": arrived["candid"].max(),
            "jd_first": arrived["jd"].min(),
            "jd_last": arrived["jd"].max(),
            "alerts_checksum": self._checksum,
        }

    def _check_alerts(self) -> None:
        """Compare what the table holds of this tarball with what was written: their number and the sum of candids."""
        row = self._connection.exec_driver_sql(
            "SELECT COUNT(*) AS n, COALESCE(SUM(a.candid), 0) AS total FROM arrived AS t "
            f"STRAIGHT_JOIN alerts AS a USING (candid) WHERE a.tarball = {self._id}"
        ).one()
        if (row.n, int(row.total)) != (self._alerts, self._sum):
            found = f"{row.n} alerts with candid sum {row.total} in the table, {self._alerts} with {self._sum} written"
            raise LoadRefused.because(self._name, found)
