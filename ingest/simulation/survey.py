"""When the survey looks where, through which filter and under what sky.

The public survey (programme 1) comes back to a field every second or third night, in g and in r. The
partnership (programmes 2 and 3) adds exposures in i and some more in g and r. An exposure takes 30 s and
begins 45 s after the one before, so no two of a night share a start, and a candid is unique. The simulated
telescope knows no seasons: every night it sees the whole sky, so that every night has the poles and RA 0.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from dataclasses import fields as dataclass_fields
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from alertdb.errors import BadNightError
from ingest.simulation.sky import fields

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats, Ints

__all__ = [
    "DAYS_OF_HISTORY",
    "FIRST_JD",
    "Epochs",
    "Plan",
    "filter_name",
    "night_number",
    "night_text",
    "plan",
]

FIRST_JD = 2457754.5  # 2017 January 1, 0 h UTC: night 0
DAYS_OF_HISTORY = 30
VISITS = 4  # possible exposures of one field in one night
_LAST_NIGHT = 9222  # a later night's candid has no room in 64 bits
_START_SECONDS = 3 * 3600  # of the first exposure, after 0 h UTC
_SPACING_SECONDS = 45
_OFTEN = 0.6  # share of the fields that are visited in one of two nights, not of three
_CLOUDED = 0.07  # share of the planned visits that are lost
_IN_I, _EXTRA = 0.25, 0.2  # share of the visits to which the partnership adds exposures


def night_number(night: int) -> int:
    """Turn a night such as 20210901 into the survey's count of days.

    Raises
    ------
    BadNightError
        If it is no date, or before 2017 January 2, or so late that a candid would pass 64 bits.
    """
    try:
        date = datetime.datetime.strptime(str(night), "%Y%m%d").replace(tzinfo=datetime.UTC).date()
    except ValueError:
        raise BadNightError(night) from None
    number = (date - datetime.date(2017, 1, 1)).days
    if not 0 < number <= _LAST_NIGHT:
        raise BadNightError(night)
    return number


@lru_cache(maxsize=256)
def night_text(nid: int) -> str:
    """Write night 1704 as 20210901."""
    return (datetime.date(2017, 1, 1) + datetime.timedelta(days=nid)).strftime("%Y%m%d")


def filter_name(fid: int) -> str:
    """Give the letter of filter 1, 2 or 3."""
    return "gri"[fid - 1]


@dataclass(frozen=True)
class Plan:
    """The exposures of one night; arrays have shape (fields, `VISITS`).

    Attributes
    ----------
    jd
        Start of the exposure, UTC [days]; NaN where the field is not visited.
    fid, programid
        Filter and programme of each visit.
    """

    jd: Floats
    fid: Ints
    programid: Ints


@dataclass(frozen=True)
class Epochs:
    """Quadrants of fields at some times, one a row. All arrays have shape (n,)."""

    nid: Ints
    field: Ints  # index of the field
    rcid: Ints
    visit: Ints
    jd: Floats
    fid: Ints
    programid: Ints

    @property
    def pid(self) -> Ints:
        """Number of the image: night, hundred-thousandth of the day, channel, and the survey's 15."""
        fraction = np.floor((self.jd - FIRST_JD - self.nid) * 1e5 + 1e-4).astype(np.int64)
        return ((self.nid * 100_000 + fraction) * 100 + self.rcid) * 100 + 15

    def at(self, rows: npt.NDArray[np.generic]) -> Epochs:
        """Choose rows by index or mask."""
        return Epochs(*(getattr(self, field.name)[rows] for field in dataclass_fields(self)))


@lru_cache(maxsize=128)
def plan(dice: Dice, nid: int) -> Plan:
    """Plan a night: which observed fields are visited, and when."""
    observed = fields().observed
    visited = _due(dice, nid, observed)
    wanted = np.zeros((len(fields().ra), VISITS), dtype=bool)
    wanted[observed, 0] = wanted[observed, 1] = visited
    wanted[observed, 2] = visited & (dice.uniform("in i", observed, nid) < _IN_I)
    wanted[observed, 3] = visited & (dice.uniform("extra", observed, nid) < _EXTRA)
    fid = np.broadcast_to(np.array([1, 2, 3, 1]), wanted.shape).copy()
    fid[:, 3] += dice.integers("extra filter", np.arange(len(fid)), nid, below=2)
    programid = np.broadcast_to(np.array([1, 1, 2, 3]), wanted.shape)
    return Plan(_times(dice, nid, wanted), fid, programid)


def _due(dice: Dice, nid: int, field: Ints) -> npt.NDArray[np.bool_]:
    """Tell which fields are visited this night: one of every one to three nights, less what clouds take."""
    cadence = np.where(dice.uniform("cadence", field) < _OFTEN, 2, 3)
    cadence = np.where(np.abs(fields().dec[field]) > 85.0, 1, cadence)
    turn, day = np.divmod(nid + dice.integers("phase of cadence", field, below=6), cadence)
    chosen = np.floor(dice.uniform("night of turn", field, turn) * cadence)
    due: npt.NDArray[np.bool_] = (day == chosen) & (dice.uniform("clouded", field, nid) > _CLOUDED)
    return due


def _times(dice: Dice, nid: int, wanted: npt.NDArray[np.bool_]) -> Floats:
    """Put the wanted exposures in a random order, one after the other from the start of the night."""
    field, visit = np.nonzero(wanted)
    order = np.argsort(dice.bits("order", field, visit, nid), kind="stable")
    jd = np.full(wanted.shape, np.nan)
    seconds = _START_SECONDS + _SPACING_SECONDS * np.arange(len(order))
    jd[field[order], visit[order]] = np.round(FIRST_JD + nid + seconds / 86_400.0, 7)
    return jd
