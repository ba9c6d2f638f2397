"""Names and numbers in the survey's style: objects, images, references, sources of the PS1 catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.simulation.population import Kind, class_rank, is_passing, kinds
from ingest.simulation.survey import FIRST_JD, VISITS, filter_name, night_text

if TYPE_CHECKING:
    from ingest.simulation.dice import Floats, Ints

__all__ = ["file_name", "identities", "object_ids", "ps1_numbers", "reference_numbers"]

_DAY_ZERO = np.datetime64("2017-01-01")
_LETTERS = 26**7  # seven letters follow the year
_FACTOR = 712_345_679  # shares no divisor with 26: multiplying by it shuffles the names, one to one
_CYCLES = 4  # so many supernovae in a row in one slot have different names whatever their years


def identities(slot: Ints, nid: Ints, visit: Ints, cycle: Ints, exploded_jd: Floats) -> Ints:
    """Give the number of the objects behind detections: one number per objectId, also over the years.

    A star is its slot; a supernova is its slot and its `cycle`; an asteroid or an artefact is one visit.
    """
    kind, rank = kinds(slot), class_rank(slot)
    bogus = (kind == Kind.BOGUS).astype(np.int64)
    year, day = _calendar(np.where(kind == Kind.SUPERNOVA, np.floor(exploded_jd - FIRST_JD), nid))
    passing = (((2 * rank + bogus) * VISITS + visit) * 366 + day) * 3 + 2
    exploding = (rank * _CYCLES + cycle % _CYCLES) * 3 + 1
    stays = ~is_passing(kind) & (kind != Kind.SUPERNOVA)
    number = np.where(stays, slot * 3, np.where(kind == Kind.SUPERNOVA, exploding, passing))
    return np.where(stays, 17 + slot // 7 % 2, year % 100) * _LETTERS + number


def _calendar(nid: npt.NDArray[np.float64 | np.int64]) -> tuple[Ints, Ints]:
    """Turn nights into the year and the day of the year, from 0."""
    date = _DAY_ZERO + nid.astype("timedelta64[D]")
    year = date.astype("datetime64[Y]")
    return year.astype(np.int64) + 1970, (date - year).astype(np.int64)


def object_ids(identity: Ints) -> list[str]:
    """Write names such as ZTF21abiuvdk."""
    year, number = np.divmod(identity, _LETTERS)
    letters = (number * _FACTOR) % _LETTERS
    digits = letters[:, None] // 26 ** np.arange(6, -1, -1) % 26
    words = (digits + ord("a")).astype(np.uint8)
    return [f"ZTF{y:02d}{word.tobytes().decode()}" for y, word in zip(year.tolist(), words, strict=True)]


def file_name(nid: int, jd: float, field: int, fid: int, rcid: int) -> str:
    """Name the difference image of one quadrant of an exposure; `field` is the survey's number."""
    fraction = round((jd - FIRST_JD - nid) * 1e6)
    place = f"{field:06d}_z{filter_name(fid)}_c{rcid // 4 + 1:02d}_o_q{rcid % 4 + 1}"
    return f"ztf_{night_text(nid)}{fraction:06d}_{place}_scimrefdiffimg.fits"


def reference_numbers(field: Ints, fid: Ints, rcid: Ints) -> Ints:
    """Give the numbers of the reference images of fields given by the survey's number."""
    return field * 1_000_000 + 120_000 + fid * 100 + rcid


def ps1_numbers(ra: Floats, dec: Floats) -> Ints:
    """Give numbers of catalogue sources from their position: zone of declination, then right ascension."""
    zone = np.floor((dec + 90.0) * 120.0).astype(np.int64)
    return zone * 10_000_000_000_000 + np.floor(ra * 1e10).astype(np.int64)
