"""Who lives in the simulated sky: numbered slots, each with a class, most with a fixed place in one quadrant.

Slot 0 is always the asteroid 138847. A star's slot is one object for ever. A supernova's slot holds one
object after the other, each at its own place. Asteroids and artefacts get a new name at every detection, as
in the survey, whose names belong to places of the sky.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.simulation.sky import COLUMNS, ROWS, fields

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats, Ints

__all__ = [
    "FIRST_OF_ASTEROIDS",
    "MOST_SLOTS",
    "Cells",
    "Kind",
    "cells",
    "class_rank",
    "is_passing",
    "kinds",
    "supernova_cycle",
]


class Kind(IntEnum):
    """Class of an object."""

    SINUSOID = 0
    ECLIPSING = 1
    RR_LYRAE = 2
    SUPERNOVA = 3
    NEIGHBOUR = 4  # a variable star beside a bright star
    ASTEROID = 5
    BOGUS = 6


# The classes repeat in this pattern. Roughly, of the alerts of a night three quarters are variable stars.
_S, _E, _R, _N = Kind.SINUSOID, Kind.ECLIPSING, Kind.RR_LYRAE, Kind.NEIGHBOUR
_SN, _A, _B = Kind.SUPERNOVA, Kind.ASTEROID, Kind.BOGUS
_PATTERN = np.array([_A, _R, _S, _E, _SN, _N, _S, _R, _B, _E, _S, _A, _R, _E, _S, _SN, _N, _R, _E, _S], dtype=np.int64)
_RANKS = np.array([np.count_nonzero(_PATTERN[:i] == kind) for i, kind in enumerate(_PATTERN)])
_CHANNELS = 64
_COPIES = 5  # of the special fields in the list that slots are dealt to
MOST_SLOTS = 6_000_000  # so that every `tblid` of a cell stays below `FIRST_OF_ASTEROIDS`
FIRST_OF_ASTEROIDS = 3000
SUPERNOVA_CYCLE_DAYS = 130.0


def kinds(slot: Ints) -> Ints:
    """Give the class of each slot, as the value of `Kind`."""
    return _PATTERN[slot % len(_PATTERN)]


def is_passing(kind: Ints) -> npt.NDArray[np.bool_]:
    """Tell which classes leave nothing at their place before and after: asteroids and artefacts."""
    return np.isin(kind, (Kind.ASTEROID, Kind.BOGUS))


def class_rank(slot: Ints) -> Ints:
    """Give the number of each slot within its class, from 0."""
    per_pattern = np.bincount(_PATTERN)
    rank: Ints = slot // len(_PATTERN) * per_pattern[kinds(slot)] + _RANKS[slot % len(_PATTERN)]
    return rank


def supernova_cycle(dice: Dice, slot: Ints, jd: Floats) -> tuple[Ints, Floats]:
    """Tell which supernova of its slot is on at a time, and when it exploded (jd)."""
    start = dice.uniform("first supernova", slot, high=SUPERNOVA_CYCLE_DAYS)
    cycle = np.floor((jd - start) / SUPERNOVA_CYCLE_DAYS)
    return cycle.astype(np.int64), start + SUPERNOVA_CYCLE_DAYS * cycle


@dataclass(frozen=True)
class Cells:
    """Where slots are on the camera; all arrays have shape (n,). No two slots share field, rcid and tblid."""

    field: Ints
    rcid: Ints
    tblid: Ints
    x: Floats
    y: Floats


def cells(dice: Dice, slot: Ints, occupant: Ints) -> Cells:
    """Place slots. `occupant` numbers the objects that follow each other in a slot, each at its own pixel."""
    order, copies = _field_order(dice)
    turn, layer = slot // len(order), slot // (len(order) * _CHANNELS)
    field, copy = order[slot % len(order)], copies[slot % len(order)]
    rcid = (turn + dice.integers("first channel", field, below=_CHANNELS)) % _CHANNELS
    tblid = 1 + 3 * (_COPIES * layer + copy) + dice.integers("tblid", slot, below=3)
    x = np.round(dice.uniform("x", slot, occupant, low=5.0, high=COLUMNS - 5.0), 4)
    y = np.round(dice.uniform("y", slot, occupant, low=5.0, high=ROWS - 5.0), 4)
    return Cells(field, rcid, tblid, x, y)


@lru_cache(maxsize=8)
def _field_order(dice: Dice) -> tuple[Ints, Ints]:
    """Shuffle the observed fields, but with the poles and RA 0 early and often: small nights have them too.

    Gives the fields, and how often each had come before.
    """
    grid = fields()
    shuffled = grid.observed[np.argsort(dice.bits("field order", grid.observed))]
    special = [len(grid.dec) - 1, 0, int(np.flatnonzero((grid.ra == 0.0) & (np.abs(grid.dec) < 5.0))[0])]
    rest = shuffled[~np.isin(shuffled, special)]
    copies = np.zeros(len(rest) + _COPIES * len(special), dtype=np.int64)
    copies[1 : 1 + _COPIES * len(special)] = np.repeat(np.arange(_COPIES), len(special))
    return np.concatenate([rest[:1], *[special] * _COPIES, rest[1:]]), copies
