"""What lies around an object on the sky: its source in the reference image, PS1 and Gaia neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from ingest.simulation.population import Kind, is_passing
from ingest.simulation.stars import mean_magnitude

if TYPE_CHECKING:
    from ingest.simulation.dice import Dice, Floats, Ints
    from ingest.simulation.sources import Sources

__all__ = ["MISSING", "Neighbours", "Reference", "neighbours", "reference"]

MISSING = -999.0
COUNT = 3  # neighbours of the PS1 catalogue that a packet names


@dataclass(frozen=True)
class Reference:
    """The nearest source in the reference image; arrays have shape (n,)."""

    distance_arcsec: Floats
    angle: Floats  # position angle from the object [rad, north through east]
    magnitude: Floats

    def profile(self, dice: Dice, objects: Sources, fid: Ints) -> dict[str, Floats]:
        """Give how bright and how round it is, as columns of a packet; the same at every epoch."""
        key = (objects.identity, fid)
        return {
            "magnr": np.round(self.magnitude, 3),
            "sigmagnr": np.round(0.01 + 0.002 * np.exp(np.minimum(self.magnitude, 23.0) - 18.0), 3),
            "chinr": np.round(0.8 * np.exp(0.3 * dice.normal("reference chi", *key)), 3),
            "sharpnr": np.round(0.1 * dice.normal("reference sharpness", *key), 3),
        }


@dataclass(frozen=True)
class Neighbours:
    """The nearest PS1 sources; arrays have shape (n, 3), `magnitudes` (n, 3, 4) in g, r, i, z.

    The object itself, where the catalogue has it, is the first. Magnitudes that were not measured are -999.
    """

    distance_arcsec: Floats
    angle: Floats
    magnitudes: Floats
    star_score: Floats
    is_galaxy: Floats  # 1 where extended, else 0


def reference(dice: Dice, objects: Sources, fid: Ints) -> Reference:
    """Find the nearest source of the reference image: a star itself, a supernova's host, else a passer-by."""
    first = neighbours(dice, objects)
    column = np.array([-1, 0, 1, 2])[fid]
    seen = first.magnitudes[np.arange(len(fid)), 0, column]
    far = first.distance_arcsec[:, 0] > 0.4  # a star itself is closer, a host farther
    mean = np.where(far, 0.0, mean_magnitude(dice, objects.kind, objects.slot, fid))
    magnitude = np.where(far, np.where(seen == MISSING, 21.5, seen), mean)
    return Reference(first.distance_arcsec[:, 0], first.angle[:, 0], magnitude)


def neighbours(dice: Dice, objects: Sources) -> Neighbours:
    """Find the three nearest PS1 sources of each object, in order of distance."""
    key, kind = objects.identity[:, None], objects.kind[:, None]
    which = np.arange(COUNT)
    spread = dice.uniform("distance of neighbour", key, which)
    distance = np.sort(2.0 + 26.0 * spread**0.7, axis=1)
    own = ~is_passing(objects.kind)
    host = 0.5 + 5.0 * spread[:, 0] ** 2
    itself = 0.05 + 0.25 * spread[:, 0]
    distance[:, 0] = np.where(own, np.where(objects.kind == Kind.SUPERNOVA, host, itself), distance[:, 0])
    is_galaxy = (dice.uniform("is galaxy", key, which) < 0.4).astype(np.float64)
    is_galaxy[:, 0] = np.where(own, (objects.kind == Kind.SUPERNOVA).astype(np.float64), is_galaxy[:, 0])
    bright = (kind == Kind.NEIGHBOUR) & (which == 1) | (kind == Kind.BOGUS) & (which == 0)
    is_galaxy[bright] = 0.0
    distance = np.where(bright, 4.0 + 9.0 * spread, distance)
    for i in range(1, COUNT):
        distance[:, i] = np.maximum(distance[:, i], distance[:, i - 1] + 0.1)
    magnitudes = _magnitudes(dice, objects, bright)
    score = np.where(is_galaxy > 0, 0.25, 1.0) * dice.uniform("star score", key, which, low=0.7) ** 0.5
    return Neighbours(distance, _angles(dice, objects), magnitudes, np.round(score, 6), is_galaxy)


def _angles(dice: Dice, objects: Sources) -> Floats:
    return dice.uniform("angle of neighbour", objects.identity[:, None], np.arange(COUNT), high=2.0 * np.pi)


def _magnitudes(dice: Dice, objects: Sources, bright: npt.NDArray[np.bool_]) -> Floats:
    """Give g, r, i, z of the three neighbours, shape (n, 3, 4); some of faint sources are missing."""
    key, which, band = objects.identity[:, None, None], np.arange(COUNT)[:, None], np.arange(4)
    in_r = 22.3 - 5.0 * dice.uniform("brightness of neighbour", key, which) ** 1.5
    in_r = np.where(bright[:, :, None], dice.uniform("bright neighbour", key, which, low=11.5, high=14.5), in_r)
    colour = dice.uniform("colour of neighbour", key, which, low=0.2, high=1.2)
    result = in_r + colour * np.array([1.0, 0.0, -0.4, -0.6])
    lost = (dice.uniform("missing band", key, which, band) < 0.3) & (result > 19.5)
    result = np.where(lost, MISSING, np.round(result, 4))
    return _with_own(dice, objects, result)


def _with_own(dice: Dice, objects: Sources, result: Floats) -> Floats:
    """Put the object's own mean magnitudes into the first row where the object is a star."""
    star = ~is_passing(objects.kind) & (objects.kind != Kind.SUPERNOVA)
    rows = np.flatnonzero(star)
    own = [mean_magnitude(dice, objects.kind[rows], objects.slot[rows], np.full(len(rows), fid)) for fid in (1, 2, 3)]
    result[rows, 0, :] = np.round(np.stack([*own, own[2] - 0.1], axis=-1), 4)
    return result
