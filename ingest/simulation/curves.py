"""Shapes of light curves: pure functions of phase or of time, in magnitudes or in flux."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ingest.simulation.dice import Floats

__all__ = ["eclipsing", "rotation", "rr_lyrae", "sinusoid", "supernova"]

_RISE = 0.16  # share of an RR Lyrae's period in which it brightens


def sinusoid(phase: Floats) -> Floats:
    """Give magnitudes around 0, from -0.5 to 0.5; brightest at phase 0."""
    return -0.5 * np.cos(2.0 * np.pi * phase)


def rr_lyrae(phase: Floats) -> Floats:
    """Give magnitudes around 0, from -0.5 to 0.5: a steep rise to the maximum at phase 0, a slow decline."""
    cycle = phase % 1.0
    decline = cycle / (1.0 - _RISE)
    rise = 0.5 + 0.5 * np.cos(np.pi * (cycle - (1.0 - _RISE)) / _RISE)
    return np.where(cycle < 1.0 - _RISE, np.minimum(decline, 1.0) ** 0.8, rise) - 0.5


def eclipsing(phase: Floats) -> Floats:
    """Give magnitudes of a close pair: two eclipses a period, 1 deep at phase 0 and 0.7 at phase 0.5."""
    cycle = (phase + 0.25) % 1.0 - 0.25  # from -0.25 to 0.75: both eclipses are inside
    first = np.exp(-0.5 * (cycle / 0.06) ** 2)
    second = 0.7 * np.exp(-0.5 * ((cycle - 0.5) / 0.06) ** 2)
    return first + second + 0.15 * np.cos(4.0 * np.pi * cycle)


def rotation(phase: Floats) -> Floats:
    """Give magnitudes of an elongated body around 0: two unequal maxima in one rotation."""
    return -0.5 * np.cos(4.0 * np.pi * phase) + 0.08 * np.cos(2.0 * np.pi * phase)


def supernova(days_from_peak: Floats, rise_days: Floats, fall_days: Floats) -> Floats:
    """Give the flux relative to the peak: none before the explosion, a smooth rise, a fall with a tail."""
    risen = np.clip(1.0 + days_from_peak / rise_days, 0.0, 1.0)
    after = np.maximum(days_from_peak, 0.0)
    fall = 0.88 * np.exp(-0.5 * (after / fall_days) ** 1.6) + 0.12 * np.exp(-after / 45.0)
    return risen**2 * (3.0 - 2.0 * risen) * fall
