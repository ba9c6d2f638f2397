"""From a batch of alerts to records as their Avro schema wants them, cutouts left out."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.simulation.candidates import candidate_columns
from ingest.simulation.forced import MOST, forced_columns
from ingest.simulation.measurements import exposure_columns, measured_columns
from ingest.simulation.names import object_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.simulation.batch import Batch
    from ingest.simulation.dice import Dice, Ints
    from ingest.simulation.packets import Schema

__all__ = ["Record", "records"]

Record = dict[str, Any]
_PUBLISHER = "alertdb simulation"
_ARCHIVE = "/ztf/archive/sci"


def records(dice: Dice, batch: Batch, schema: Schema) -> Iterator[Record]:
    """Make one record an alert, in the order of the batch, without its cutouts."""
    histories = _histories(dice, batch)
    forced = _forced(dice, batch) if schema.has_forced else [None] * len(batch.alerts)
    detections = np.bincount(batch.owner, batch.light.detected).astype(np.int64) - 1
    last = batch.last
    objects, epochs = batch.alerts.objects, batch.epochs.at(last)
    sky, light = batch.sky.at(last), batch.light.at(last)
    columns = (
        exposure_columns(epochs, sky)
        | measured_columns(dice, objects, epochs, sky, light, batch.alerts.tblid)
        | candidate_columns(dice, objects, epochs, sky, light, detections)
    )
    names = object_ids(objects.identity)
    for name, candidate, history, points in zip(names, _rows(columns), histories, forced, strict=True):
        yield {
            "schemavsn": schema.version,
            "publisher": _PUBLISHER,
            "objectId": name,
            "candid": candidate["candid"],
            "candidate": candidate,
            "prv_candidates": history,
            "fp_hists": points,
        }


def _rows(columns: dict[str, list[object]]) -> list[Record]:
    """Turn columns into one dictionary a row."""
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _histories(dice: Dice, batch: Batch) -> list[list[Record]]:
    """Make the earlier epochs of each alert: detections with all their columns, limits with few."""
    rows = np.setdiff1d(np.arange(len(batch.owner)), batch.last)
    owner, light = batch.owner[rows], batch.light.at(rows)
    epochs, sky = batch.epochs.at(rows), batch.sky.at(rows)
    entries = _rows(exposure_columns(epochs, sky))
    for entry in entries:
        entry["pdiffimfilename"] = _archived(entry["pdiffimfilename"])
    found = np.flatnonzero(light.detected)
    objects = batch.alerts.objects.at(owner[found])
    measured = measured_columns(
        dice, objects, epochs.at(found), sky.at(found), light.at(found), batch.alerts.tblid[owner[found]]
    )
    for row, values in zip(found.tolist(), _rows(measured), strict=True):
        entries[row].update(values)
    return _by_alert(entries, owner, len(batch.alerts))


def _forced(dice: Dice, batch: Batch) -> list[list[Record]]:
    """Make the forced photometry of each alert: of its latest earlier epochs, the newest first."""
    age = batch.last[batch.owner] - np.arange(len(batch.owner))
    rows = np.flatnonzero((age > 0) & (age <= MOST))
    rows = rows[np.lexsort((age[rows], batch.owner[rows]))]
    owner = batch.owner[rows]
    objects, epochs = batch.alerts.objects.at(owner), batch.epochs.at(rows)
    columns = forced_columns(dice, objects, epochs, batch.sky.at(rows), batch.light.at(rows))
    return _by_alert(_rows(columns), owner, len(batch.alerts))


def _by_alert(entries: list[Record], owner: Ints, alerts: int) -> list[list[Record]]:
    """Cut a list of entries, sorted by alert, into one list an alert."""
    ends = np.searchsorted(owner, np.arange(alerts + 1)).tolist()
    return [entries[start:end] for start, end in itertools.pairwise(ends)]


def _archived(name: str) -> str:
    """Give the path under which the archive of images keeps a difference image."""
    return f"{_ARCHIVE}/{name[4:8]}/{name[8:12]}/{name[12:18]}/{name}.fz"
