"""Which slots raise alerts in a night: the first so many detections, counted slot by slot."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from alertdb.errors import BadSimulationError
from ingest.simulation import tracks
from ingest.simulation.conditions import conditions
from ingest.simulation.photometry import measure
from ingest.simulation.population import (
    FIRST_OF_ASTEROIDS,
    MOST_SLOTS,
    Cells,
    Kind,
    cells,
    is_passing,
    kinds,
    supernova_cycle,
)
from ingest.simulation.sources import Sources, difference_flux, sources
from ingest.simulation.survey import FIRST_JD, VISITS, Epochs, plan

if TYPE_CHECKING:
    from collections.abc import Collection

    from ingest.simulation.dice import Dice, Ints

__all__ = ["Selection", "select"]

_BATCH = 16_384  # slots looked at together
_BOGUS_SHARE = 0.35  # of the visits in which the slot of an artefact has one


@dataclass(frozen=True)
class Selection:
    """The detections that raise alerts, in order of candid; all arrays have shape (n,)."""

    objects: Sources
    epochs: Epochs
    tblid: Ints

    def __len__(self) -> int:
        return len(self.tblid)

    def at(self, rows: npt.NDArray[np.generic]) -> Selection:
        """Choose rows by index or mask."""
        return Selection(self.objects.at(rows), self.epochs.at(rows), self.tblid[rows])


def select(dice: Dice, nid: int, programs: Collection[int], count: int) -> Selection:
    """Find the `count` detections of a night, in exposures of some programmes, that become its alerts.

    Raises
    ------
    BadSimulationError
        If the simulated sky has too few objects for so many.
    """
    found: list[Selection] = []
    total = start = 0
    while total < count:
        if start >= MOST_SLOTS:
            raise BadSimulationError("the number of alerts", count, f"at most {total} for this night")
        # A small night looks at few slots: about three of them give one alert.
        stop = min(start + min(_BATCH, 64 + 4 * (count - total)), MOST_SLOTS)
        batch = _detections(dice, nid, programs, np.arange(start, stop))
        found.append(batch.at(np.arange(min(len(batch), count - total))))
        total += len(found[-1])
        start = stop
    return _numbered(_joined(found))


def _detections(dice: Dice, nid: int, programs: Collection[int], slot: Ints) -> Selection:
    """Find the detections among some slots, in order of slot and visit."""
    night = plan(dice, nid)
    each = [_in_visit(dice, nid, visit, slot) for visit in range(VISITS) if int(night.programid[0, visit]) in programs]
    both = _joined(each)
    return both.at(np.lexsort((both.epochs.visit, both.objects.slot)))


def _in_visit(dice: Dice, nid: int, visit: int, slot: Ints) -> Selection:
    """Find the detections of some slots in one visit of a night to each field."""
    night = plan(dice, nid)
    cycle, exploded_jd = supernova_cycle(dice, slot, np.full(len(slot), FIRST_JD + nid))
    place, rows = _places(dice, nid, visit, slot, cycle)
    slot, place = slot[rows], _rows(place, rows)
    jd = night.jd[place.field, visit]
    same = np.ones(len(slot), dtype=np.int64)
    epochs = Epochs(
        nid=nid * same,
        field=place.field,
        rcid=place.rcid,
        visit=visit * same,
        jd=jd,
        fid=night.fid[place.field, visit],
        programid=night.programid[place.field, visit],
    )
    objects = sources(slot, place, epochs.nid, epochs.visit, cycle[rows], exploded_jd[rows])
    true = difference_flux(dice, objects, epochs)
    light = measure(dice, objects, epochs, conditions(dice, epochs), true)
    return Selection(objects, epochs, place.tblid).at(light.detected)


def _places(dice: Dice, nid: int, visit: int, slot: Ints, cycle: Ints) -> tuple[Cells, npt.NDArray[np.bool_]]:
    """Place slots in a visit of a night, and tell which of them are observed then."""
    night, kind = plan(dice, nid), kinds(slot)
    occupant = np.where(kind == Kind.SUPERNOVA, cycle, 0)
    occupant = np.where(is_passing(kind), nid * VISITS + visit, occupant)
    place = cells(dice, slot, occupant)
    seen = ~np.isnan(night.jd[place.field, visit])
    artefact = dice.uniform("artefact", slot, nid, visit) < _BOGUS_SHARE
    seen &= (kind != Kind.BOGUS) | artefact
    moving, rows = kind == Kind.ASTEROID, np.flatnonzero(kind == Kind.ASTEROID)
    there, inside = tracks.locate(dice, slot[moving], nid, night, visit)
    for field in fields(Cells):
        getattr(place, field.name)[rows] = getattr(there, field.name)
    seen[rows] = inside
    return place, seen


def _rows(place: Cells, rows: npt.NDArray[np.generic]) -> Cells:
    return Cells(*(getattr(place, field.name)[rows] for field in fields(Cells)))


def _joined(parts: list[Selection]) -> Selection:
    """Put selections one after the other."""
    objects = Sources(*(np.concatenate([getattr(p.objects, f.name) for p in parts]) for f in fields(Sources)))
    epochs = Epochs(*(np.concatenate([getattr(p.epochs, f.name) for p in parts]) for f in fields(Epochs)))
    return Selection(objects, epochs, np.concatenate([part.tblid for part in parts]))


def _numbered(found: Selection) -> Selection:
    """Sort by candid, and number the asteroids of each quadrant after its other sources."""
    pid, moving = found.epochs.pid, found.objects.kind == Kind.ASTEROID
    order = np.lexsort((found.objects.slot, moving, pid))
    found, pid, moving = found.at(order), pid[order], moving[order]
    rows = np.flatnonzero(moving)
    first = np.searchsorted(pid[rows], pid[rows], side="left")
    found.tblid[rows] = FIRST_OF_ASTEROIDS + np.arange(len(rows)) - first
    return found
