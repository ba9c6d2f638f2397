"""Random numbers that depend on names and keys, not on what was drawn before.

A night must be the same whether it is simulated alone or after others, by one process or by eight. So
nothing is drawn from a running generator: every number is a hash of the seed, the name of what is drawn, and
integer keys such as the object and the night.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Dice", "Floats", "Ints"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_Bits = npt.NDArray[np.uint64]
_MASK = (1 << 64) - 1
_STEP = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio, the step of SplitMix64
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB  # multipliers of its finalizer


def _mix(state: _Bits) -> _Bits:
    state = (state ^ (state >> np.uint64(30))) * np.uint64(_FIRST)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(_SECOND)
    return state ^ (state >> np.uint64(31))


@dataclass(frozen=True)
class Dice:
    """Draws numbers for a seed. Keys are integers, or integer arrays that broadcast together."""

    seed: int

    def bits(self, name: str, *keys: npt.ArrayLike) -> npt.NDArray[np.uint64]:
        """Draw 64 random bits for each combination of keys; at least one-dimensional."""
        start = (self.seed * _STEP + zlib.crc32(name.encode())) & _MASK
        state = _mix(np.array([start], dtype=np.uint64))
        for key in keys:
            steps = np.atleast_1d(np.asarray(key, dtype=np.int64)).astype(np.uint64) + np.uint64(1)
            state = _mix(state ^ (steps * np.uint64(_STEP)))
        return state

    def uniform(self, name: str, *keys: npt.ArrayLike, low: float = 0.0, high: float = 1.0) -> Floats:
        """Draw evenly from `low` to `high`, `high` excluded."""
        unit = (self.bits(name, *keys) >> np.uint64(11)).astype(np.float64) * 2.0**-53
        return low + (high - low) * unit

    def normal(self, name: str, *keys: npt.ArrayLike) -> Floats:
        """Draw from the standard normal distribution (Box and Muller)."""
        radius = np.sqrt(-2.0 * np.log1p(-self.uniform(name, *keys)))
        return radius * np.cos(2.0 * np.pi * self.uniform(name + "/angle", *keys))

    def integers(self, name: str, *keys: npt.ArrayLike, below: int) -> Ints:
        """Draw whole numbers from 0 to `below`, `below` excluded."""
        return np.floor(self.uniform(name, *keys, high=float(below))).astype(np.int64)
