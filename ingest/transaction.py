"""The one transaction that brings a tarball in: absent or complete, whatever dies whenever.

Alerts of several tarballs load side by side. What all nights share (the tables of histories, the summary, the ledger)
is merged at the end, one tarball at a time, under a named lock.
"""

from __future__ import annotations

from contextlib import nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from ingest.ledger import Reject, record_change, write_entry
from ingest.locks import MERGE_LOCK_SECONDS, holding, merge_lock
from ingest.owned_alerts import OwnedAlerts
from ingest.shared_tables import drop_arrived, merge_stage
from ingest.spool import spooling
from ingest.stage import Stage
from ingest.summary import SummaryOfLoad
from ingest.workers import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from sqlalchemy import Connection

    from ingest.reading_ahead import ReadAhead
    from ingest.removal import Removal, Removed
    from ingest.shared_tables import Change
    from ingest.surveys import Rows, SharedTable, Survey

__all__ = ["TarballTransaction"]


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
        self._survey = survey
        self._name, self._id = tarball
        self._folder = folder
        self._ahead = ahead
        self._removal = removal
        self._waiting: list[Path] = []
        self.removed: Removed | None = None
        self._alerts = OwnedAlerts(connection, watch, survey, tarball)
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
        self._alerts.note(alerts)
        if self._removal is None:
            self._alerts.add(alerts)
        else:
            self._waiting.append(self._folder / f"waiting-{len(self._waiting):05}.arrow")
            with spooling(self._folder):
                alerts.write_ipc(self._waiting[-1])
        for name, stage in self._stages.items():
            stage.add(rows.shared[name])

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
        alerts_held = nullcontext() if self._removal is None else self._alerts.held()
        with holding(self._connection, merge_lock(self._survey.name), MERGE_LOCK_SECONDS, self._name), alerts_held:
            self._replace()
            duplicates = self._alerts.settle()
            self._alerts.list_arrived()
            entry = {**facts, **self._merge_shared(), **self._alerts.describe(), "duplicates": duplicates}
            self._summary.write(self._connection)
            self._alerts.check()
            entry |= {"id": self._id, "name": self._name, "survey": self._survey.name, "rejects": len(rejects)}
            write_entry(self._connection, entry, rejects)
            before_commit()
            self._connection.commit()
        return entry

    @property
    def taken_over(self) -> int:
        """How many alerts of ours another tarball owned before."""
        return self._alerts.taken_over

    def object_keys(self) -> frozenset[int]:
        """Return a 64-bit hash of each object's name."""
        return frozenset(self._alerts.arrived()["objectId"].unique().hash().to_list())

    def _replace(self) -> None:
        """Take out the tarball that this one replaces, then load the alerts that wait for that."""
        if self._removal is None:
            return
        self.removed = self._removal.run()
        for path in self._waiting:
            self._alerts.add(pl.read_ipc(path))

    def _merge_shared(self) -> dict[str, int]:
        """Merge what all nights share; the summary is computed beside it once the limits are in that it counts."""
        survey = self._survey
        objects = self._alerts.arrived().select("objectId").unique().sort("objectId")
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
