"""Asteroids: where they are, how bright they are predicted to be, and how they rotate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.simulation.curves import rotation
from ingest.simulation.population import Cells, class_rank
from ingest.simulation.sky import COLUMNS, ROWS, fields, to_pixels
from ingest.simulation.survey import FIRST_JD, Plan

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats, Ints

__all__ = ["KNOWN_NAME", "KNOWN_PERIOD_DAYS", "locate", "magnitude", "names", "predicted", "rotation_days"]

KNOWN_NAME = "138847"
KNOWN_PERIOD_DAYS = 7.6 / 24.0
_OBLIQUITY = np.radians(23.44)
_COLOUR = np.array([np.nan, 0.4, -0.1, -0.25])  # magnitude in g, r, i less V


def names(rank: Ints) -> list[str]:
    """Name asteroids by number; the first is 138847."""
    numbers = np.where(rank == 0, int(KNOWN_NAME), 1001 + rank + (rank >= int(KNOWN_NAME) - 1001))
    return [str(number) for number in numbers.tolist()]


def rotation_days(dice: Dice, rank: Ints) -> Floats:
    """Give the period of rotation, a few hours [days]."""
    period = np.exp(dice.uniform("rotation", rank, low=np.log(3.0), high=np.log(14.0))) / 24.0
    return np.where(rank == 0, KNOWN_PERIOD_DAYS, period)


def predicted(dice: Dice, rank: Ints, jd: Floats) -> Floats:
    """Predict the V magnitude without rotation: it brightens and fades slowly with the distance."""
    mean = np.where(rank == 0, 17.5, dice.uniform("asteroid brightness", rank, low=16.5, high=20.0))
    cycle = (jd - FIRST_JD) / 480.0 + dice.uniform("opposition", rank)
    return mean - 0.6 * np.cos(2.0 * np.pi * cycle)


def magnitude(dice: Dice, rank: Ints, jd: Floats, fid: Ints) -> Floats:
    """Give the true magnitude, with colour and rotation."""
    depth = np.where(rank == 0, 0.6, dice.uniform("elongation", rank, low=0.1, high=0.7))
    phase = (jd - FIRST_JD) / rotation_days(dice, rank) + dice.uniform("rotation phase", rank)
    total: Floats = predicted(dice, rank, jd) + _COLOUR[fid] + depth * rotation(phase)
    return total


def _directions(dice: Dice, rank: Ints, jd: Floats) -> Floats:
    """Give unit vectors, shape (n, 3): each asteroid runs along a great circle near the ecliptic."""
    rate = np.radians(dice.uniform("motion", rank, low=0.15, high=0.35))
    along = rate * (jd - FIRST_JD) + dice.uniform("longitude", rank, high=2.0 * np.pi)
    node = dice.uniform("node", rank, high=2.0 * np.pi)
    tilt = np.radians(np.abs(8.0 * dice.normal("inclination", rank)))
    up = np.sin(along) * np.sin(tilt)
    ahead = np.cos(along) * np.cos(node) - np.sin(along) * np.cos(tilt) * np.sin(node)
    aside = np.cos(along) * np.sin(node) + np.sin(along) * np.cos(tilt) * np.cos(node)
    dec_part = aside * np.sin(_OBLIQUITY) + up * np.cos(_OBLIQUITY)
    ra_part = aside * np.cos(_OBLIQUITY) - up * np.sin(_OBLIQUITY)
    return np.stack([ahead, ra_part, dec_part], axis=-1)


def locate(dice: Dice, slot: Ints, nid: int, night: Plan, visit: int) -> tuple[Cells, npt.NDArray[np.bool_]]:
    """Find where asteroids are in one visit of a night, and which of them are on the camera then.

    Rows without such a visit hold meaningless numbers. `tblid` is 0 until the night's sources are numbered.
    """
    rank = class_rank(slot)
    midnight = _directions(dice, rank, np.full(len(slot), FIRST_JD + nid + 0.3))
    field = np.argmax(midnight @ fields().vectors().T, axis=1)
    jd = night.jd[field, visit]
    rcid, x, y = to_pixels(field, _directions(dice, rank, np.nan_to_num(jd, nan=FIRST_JD + nid)))
    inside = ~np.isnan(jd) & (rcid >= 0) & (np.abs(x - COLUMNS / 2) < COLUMNS / 2 - 5)
    inside &= np.abs(y - ROWS / 2) < ROWS / 2 - 5
    return Cells(field, rcid, np.zeros(len(slot), dtype=np.int64), np.round(x, 4), np.round(y, 4)), inside
