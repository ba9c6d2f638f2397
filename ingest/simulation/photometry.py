"""What the survey measures of a difference flux: only what stands out of the noise is a detection."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.simulation.sources import flux

if TYPE_CHECKING:
    from ingest.simulation.conditions import Conditions
    from ingest.simulation.dice import Dice, Floats
    from ingest.simulation.sources import Sources
    from ingest.simulation.survey import Epochs

__all__ = ["Photometry", "measure"]

_THRESHOLD = 5.0
_CALIBRATION = 0.012  # relative error that no bright source escapes


@dataclass(frozen=True)
class Photometry:
    """Measured difference fluxes, in units of a source of magnitude 0; all arrays have shape (n,)."""

    true: Floats
    measured: Floats
    error: Floats
    detected: npt.NDArray[np.bool_]

    def at(self, rows: npt.NDArray[np.generic]) -> Photometry:
        """Choose rows by index or mask."""
        return Photometry(*(getattr(self, field.name)[rows] for field in fields(self)))


def measure(dice: Dice, objects: Sources, epochs: Epochs, sky: Conditions, true: Floats) -> Photometry:
    """Add noise to true difference fluxes. An object's epoch gives the same values whoever asks."""
    noise = flux(sky.diffmaglim) / _THRESHOLD
    error = np.hypot(noise, _CALIBRATION * true)
    measured = true + error * dice.normal("photometry", objects.identity, epochs.nid, epochs.visit)
    # What is dark is no source, whatever the noise does: else empty places would alert.
    detected = (np.abs(measured) >= _THRESHOLD * noise) & (true != 0.0)
    return Photometry(true, measured, error, detected)
