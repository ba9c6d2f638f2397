"""A batch of alerts with their histories: everything that is known of it before it is written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ingest.simulation.conditions import Conditions, conditions
from ingest.simulation.photometry import Photometry, measure
from ingest.simulation.population import is_passing
from ingest.simulation.sources import difference_flux
from ingest.simulation.survey import DAYS_OF_HISTORY, VISITS, Epochs, plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from ingest.simulation.dice import Dice, Ints
    from ingest.simulation.selection import Selection

__all__ = ["Batch", "look_back"]


@dataclass(frozen=True)
class Batch:
    """Alerts and the epochs of the 30 days up to them.

    Attributes
    ----------
    alerts
        The alerts, n of them.
    owner
        For each epoch the row of its alert, shape (m,); epochs are sorted by alert and time.
    epochs, sky, light
        The epochs, row by row; the last of each alert is the alert's own.
    last
        For each alert the row of its own epoch, shape (n,).
    """

    alerts: Selection
    owner: Ints
    epochs: Epochs
    sky: Conditions
    light: Photometry
    last: Ints


def look_back(dice: Dice, nid: int, programs: Collection[int], alerts: Selection) -> Batch:
    """Find every epoch of some programmes in the 30 days up to each alert of a night, and measure it."""
    owner, epochs = _epochs(dice, nid, programs, alerts)
    last = np.searchsorted(owner, np.arange(len(alerts)), side="right") - 1
    objects, sky = alerts.objects.at(owner), conditions(dice, epochs)
    true = difference_flux(dice, objects, epochs)
    elsewhere = is_passing(objects.kind)
    elsewhere[last] = False
    light = measure(dice, objects, epochs, sky, np.where(elsewhere, 0.0, true))
    return Batch(alerts, owner, epochs, sky, light, last)


def _epochs(dice: Dice, nid: int, programs: Collection[int], alerts: Selection) -> tuple[Ints, Epochs]:
    """List the visits to the alerts' fields, sorted by alert and time."""
    nights = np.arange(max(nid - DAYS_OF_HISTORY - 1, 0), nid + 1)
    plans = [plan(dice, int(night)) for night in nights]
    field = alerts.epochs.field
    jd = np.stack([each.jd[field] for each in plans], axis=1)  # (alerts, nights, visits)
    wanted = np.isin(np.arange(VISITS), [v for v in range(VISITS) if plans[0].programid[0, v] in programs])
    end = alerts.epochs.jd[:, None, None]
    with np.errstate(invalid="ignore"):
        inside = (jd <= end) & (jd >= end - DAYS_OF_HISTORY) & wanted
    owner, night, visit = np.nonzero(inside)
    order = np.lexsort((jd[inside], owner))
    owner, night, visit = owner[order], night[order], visit[order]
    fid = np.stack([each.fid for each in plans])
    epochs = Epochs(
        nid=nights[night],
        field=field[owner],
        rcid=alerts.epochs.rcid[owner],
        visit=visit,
        jd=jd[owner, night, visit],
        fid=fid[night, field[owner], visit],
        programid=plans[0].programid[0, visit],
    )
    return owner, epochs
