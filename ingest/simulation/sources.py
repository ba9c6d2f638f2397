"""The objects behind detections: who they are, where they are, and how bright they truly are at any time."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.simulation import curves, stars, tracks
from ingest.simulation.names import identities
from ingest.simulation.population import Cells, Kind, class_rank, kinds
from ingest.simulation.sky import to_sky

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats, Ints
    from ingest.simulation.survey import Epochs

__all__ = ["Sources", "difference_flux", "flux", "magnitude", "sources"]


@dataclass(frozen=True)
class Sources:
    """Objects, one a row; all arrays have shape (n,)."""

    slot: Ints
    kind: Ints
    rank: Ints  # number within the class
    identity: Ints  # number that stands for the objectId
    exploded_jd: Floats  # of a supernova
    x: Floats
    y: Floats
    ra: Floats  # true position [deg]
    dec: Floats

    def at(self, rows: npt.NDArray[np.generic]) -> Sources:
        """Choose or repeat rows by index or mask."""
        return Sources(*(getattr(self, field.name)[rows] for field in fields(self)))


def sources(slot: Ints, place: Cells, nid: Ints, visit: Ints, cycle: Ints, exploded_jd: Floats) -> Sources:
    """Make the objects that are detected in given visits, from their slots and places."""
    ra, dec = to_sky(place.field, place.rcid, place.x, place.y)
    identity = identities(slot, nid, visit, cycle, exploded_jd)
    return Sources(slot, kinds(slot), class_rank(slot), identity, exploded_jd, place.x, place.y, ra, dec)


def flux(magnitude: Floats) -> Floats:
    """Turn magnitudes into flux, in units of a source of magnitude 0."""
    return 10.0 ** (-0.4 * magnitude)


def magnitude(flux: Floats) -> Floats:
    """Turn flux, without its sign, into magnitudes."""
    return -2.5 * np.log10(np.maximum(np.abs(flux), 1e-15))


def difference_flux(dice: Dice, objects: Sources, epochs: Epochs) -> Floats:
    """Give the true flux of each object above its reference, row by row, in units of magnitude 0.

    Asteroids and artefacts shine only in the visit in which they are detected: the caller masks the others.
    """
    result = np.zeros(len(objects.slot))
    for kind in Kind:
        rows = objects.kind == kind
        if rows.any():
            result[rows] = _FLUXES[kind](dice, objects.at(rows), epochs.at(rows))
    return result


def _star(dice: Dice, objects: Sources, epochs: Epochs) -> Floats:
    mean = flux(stars.mean_magnitude(dice, objects.kind, objects.slot, epochs.fid))
    return mean * (flux(stars.variation(dice, objects.kind, objects.slot, epochs.jd, epochs.fid)) - 1.0)


def _supernova(dice: Dice, objects: Sources, epochs: Epochs) -> Floats:
    rise, fall = stars.supernova_days(dice, objects.identity, epochs.fid)
    peak = flux(stars.supernova_peak(dice, objects.identity, epochs.fid))
    return peak * curves.supernova(epochs.jd - objects.exploded_jd - rise, rise, fall)


def _asteroid(dice: Dice, objects: Sources, epochs: Epochs) -> Floats:
    return flux(tracks.magnitude(dice, objects.rank, epochs.jd, epochs.fid))


def _bogus(dice: Dice, objects: Sources, epochs: Epochs) -> Floats:
    sign = np.where(dice.uniform("sign", objects.identity) < 0.7, 1.0, -1.0)
    return sign * flux(dice.uniform("bogus", objects.identity, low=16.0, high=19.5) + 0.0 * epochs.jd)


_FLUXES = {
    Kind.SINUSOID: _star,
    Kind.ECLIPSING: _star,
    Kind.RR_LYRAE: _star,
    Kind.NEIGHBOUR: _star,
    Kind.SUPERNOVA: _supernova,
    Kind.ASTEROID: _asteroid,
    Kind.BOGUS: _bogus,
}
