"""The state of the sky and of the instrument in an exposure: moon, seeing, limiting magnitude, zero point."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats
    from ingest.simulation.survey import Epochs

__all__ = ["Conditions", "conditions", "moonlight"]

_NEW_MOON_JD = 2451550.1  # 2000 January 6
_SYNODIC_MONTH_DAYS = 29.530588
# By filter g, r, i; the first entry is unused, so that fid is the index.
_DARK_LIMIT = np.array([np.nan, 20.75, 20.65, 20.05])
_MOON_LOSS = np.array([np.nan, 1.1, 0.75, 0.45])
_ZERO_POINT = np.array([np.nan, 26.25, 26.2, 25.6])
_COLOUR_TERM = np.array([np.nan, -0.07, 0.1, 0.01])
_DARK_SKY_DN = np.array([np.nan, 120.0, 180.0, 260.0])
_GAIN = 6.2  # electrons per DN


@dataclass(frozen=True)
class Conditions:
    """What the exposures were like; all arrays have shape (n,)."""

    diffmaglim: Floats  # five standard deviations [mag]
    seeing: Floats  # full width at half maximum [pixels]
    background: Floats  # [DN]
    noise: Floats  # standard deviation of a pixel [DN]
    magzpsci: Floats  # [mag]
    magzpsciunc: Floats  # [mag]
    magzpscirms: Floats  # [mag]
    clrcoeff: Floats
    clrcounc: Floats

    def at(self, rows: npt.NDArray[np.generic]) -> Conditions:
        """Choose rows by index or mask."""
        return Conditions(*(getattr(self, field.name)[rows] for field in fields(self)))


def moonlight(jd_utc: Floats) -> Floats:
    """Give the lit share of the moon's disc, from 0 at new moon to 1 at full moon."""
    phase = (jd_utc - _NEW_MOON_JD) / _SYNODIC_MONTH_DAYS
    return 0.5 * (1.0 - np.cos(2.0 * np.pi * phase))


def conditions(dice: Dice, epochs: Epochs) -> Conditions:
    """Find the conditions of each epoch: the same for all that lies in one quadrant of one exposure."""
    exposure = (epochs.nid, epochs.field, epochs.visit)
    quadrant = (*exposure, epochs.rcid)
    fid, moon = epochs.fid, moonlight(epochs.jd)
    nightly = np.exp(0.15 * dice.normal("seeing of the night", epochs.nid))
    seeing = 2.0 * nightly * np.exp(0.12 * dice.normal("seeing", *exposure)) + 0.1 * (fid == 1)
    haze = 0.12 * dice.normal("haze", *exposure) ** 2
    limit = _DARK_LIMIT[fid] - _MOON_LOSS[fid] * moon**1.5 - 0.45 * (seeing - 2.0) - haze
    background = _DARK_SKY_DN[fid] * (1.0 + 2.5 * moon**1.5) * (0.9 + 0.2 * dice.uniform("glow", *quadrant))
    uncertainty = 1e-5 * np.exp(0.6 * dice.normal("zero point uncertainty", *quadrant))
    return Conditions(
        diffmaglim=limit + 0.08 * dice.normal("limit", *quadrant),
        seeing=seeing,
        background=background,
        noise=np.sqrt(background / _GAIN + 2.0),
        magzpsci=_ZERO_POINT[fid] - 0.5 * haze + 0.04 * dice.normal("zero point", *quadrant),
        magzpsciunc=uncertainty,
        magzpscirms=0.035 * np.exp(0.25 * dice.normal("zero point scatter", *quadrant)),
        clrcoeff=_COLOUR_TERM[fid] + 0.01 * dice.normal("colour term", *quadrant),
        clrcounc=1.3 * uncertainty,
    )
