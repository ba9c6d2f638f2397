"""Brightness of variable stars and of supernovae: periods, amplitudes, mean and peak magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.simulation import curves
from ingest.simulation.population import Kind

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats, Ints

__all__ = ["mean_magnitude", "period_days", "supernova_days", "supernova_peak", "variation"]

_TYPICAL_LIMIT = 20.3
# By class: shortest and longest period [days], smallest and largest amplitude in r [mag].
_RANGES = {
    Kind.SINUSOID: (0.3, 20.0, 0.10, 0.6),
    Kind.ECLIPSING: (0.4, 2.5, 0.30, 0.9),
    Kind.RR_LYRAE: (0.4, 0.7, 0.45, 0.9),
    Kind.NEIGHBOUR: (20.0, 120.0, 0.15, 0.6),
}
_SHAPES = {
    Kind.SINUSOID: curves.sinusoid,
    Kind.ECLIPSING: curves.eclipsing,
    Kind.RR_LYRAE: curves.rr_lyrae,
    Kind.NEIGHBOUR: curves.sinusoid,
}
# By filter g, r, i; the first entry is unused, so that fid is the index.
_AMPLITUDE = np.array([np.nan, 1.25, 1.0, 0.8])
_FALL_DAYS = np.array([np.nan, 16.0, 24.0, 30.0])
_SUPERNOVA_COLOUR = np.array([np.nan, 0.1, 0.0, 0.3])


def _range(kind: Ints, column: int) -> Floats:
    """Look a column of `_RANGES` up by class; NaN for the classes that have no row."""
    table = np.full(len(Kind), np.nan)
    for each, row in _RANGES.items():
        table[each] = row[column]
    return table[kind]


def period_days(dice: Dice, kind: Ints, slot: Ints) -> Floats:
    """Give the true period of variable stars; NaN for other classes."""
    short, long = _range(kind, 0), _range(kind, 1)
    return short * (long / short) ** dice.uniform("period", slot)


def _amplitude(dice: Dice, kind: Ints, slot: Ints) -> Floats:
    low, high = _range(kind, 2), _range(kind, 3)
    return low + (high - low) * dice.uniform("amplitude", slot)


def variation(dice: Dice, kind: Ints, slot: Ints, jd: Floats, fid: Ints) -> Floats:
    """Give how much fainter than its mean a variable star is at a time [mag]."""
    phase = jd / period_days(dice, kind, slot) + dice.uniform("phase", slot)
    shape = np.select([kind == each for each in _SHAPES], [curve(phase) for curve in _SHAPES.values()])
    fainter: Floats = _amplitude(dice, kind, slot) * _AMPLITUDE[fid] * shape
    return fainter


def mean_magnitude(dice: Dice, kind: Ints, slot: Ints, fid: Ints) -> Floats:
    """Give the magnitude of variable stars in the reference image.

    Most vary by about as much as the survey's limit, so that some epochs are detections and some are limits,
    as in the survey; one in eight is bright.
    """
    usual = 0.75 * 4.0 ** dice.uniform("contrast", slot)
    bright = 4.0 * 25.0 ** dice.uniform("bright contrast", slot)
    contrast = np.where(dice.uniform("is bright", slot) < 0.12, bright, usual)
    swing = 10.0 ** (0.2 * _amplitude(dice, kind, slot)) - 1.0
    in_r = _TYPICAL_LIMIT - 2.5 * np.log10(contrast / swing)
    colour = dice.uniform("colour", slot, low=0.1, high=0.6)
    return in_r + np.select([fid == 1, fid == 3], [colour, -0.4 * colour], default=0.0)


def supernova_days(dice: Dice, identity: Ints, fid: Ints) -> tuple[Floats, Floats]:
    """Give how long supernovae rise and how fast they fall [days]."""
    stretch = dice.uniform("stretch", identity, low=0.8, high=1.25)
    return 17.0 * stretch, _FALL_DAYS[fid] * stretch


def supernova_peak(dice: Dice, identity: Ints, fid: Ints) -> Floats:
    """Give the magnitude of supernovae at their peak: the fainter the more of them."""
    reach = dice.uniform("distance", identity) ** 0.5
    peak: Floats = 16.5 + 3.2 * reach + _SUPERNOVA_COLOUR[fid]
    return peak
