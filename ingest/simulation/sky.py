"""The survey's grid of fields, and the way from a pixel of the camera to the sky and back.

Fields lie in rows of declination, numbered from the south pole to the north pole. A field is imaged through a
tangent plane at its centre, by 8 x 8 quadrants without gaps. In an image x grows to the west and y to the
north: shown with row 0 at the bottom, north is up and east is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from ingest.simulation.dice import Floats, Ints

__all__ = ["COLUMNS", "PIXEL_ARCSEC", "ROWS", "Fields", "fields", "offset", "to_pixels", "to_sky"]

PIXEL_ARCSEC = 1.01
COLUMNS, ROWS = 3072, 3080  # pixels of one quadrant in x and y
SOUTHERN_LIMIT_DEGREES = -31.0
_ROW_DEGREES = 7.2
_ROW_COUNT = 26
_ACROSS = 8  # quadrants along each side of the camera


@dataclass(frozen=True)
class Fields:
    """All fields of the sky; arrays have shape (fields,), and field `number` is at index ``number - 1``.

    Attributes
    ----------
    ra, dec
        Centre, J2000 [deg].
    observed
        Indices of the fields that the simulated survey visits.
    """

    ra: Floats
    dec: Floats
    observed: Ints

    def vectors(self) -> Floats:
        """Give the unit vectors to the centres, shape (fields, 3)."""
        return unit_vectors(self.ra, self.dec)


@lru_cache(maxsize=1)
def fields() -> Fields:
    """Lay out the grid: every field north of dec -31, and the one at the south pole.

    No telescope on Palomar sees the south pole; programs that read alerts must cope with both poles.
    """
    rows = -90.0 + _ROW_DEGREES * np.arange(_ROW_COUNT)
    counts = np.maximum(1, np.ceil(360.0 * np.cos(np.radians(rows)) / _ROW_DEGREES - 1e-9)).astype(np.int64)
    ra = np.concatenate([np.arange(count) * (360.0 / count) for count in counts])
    dec = np.repeat(rows, counts)
    observed = np.flatnonzero((dec > SOUTHERN_LIMIT_DEGREES) | (dec == -90.0))
    return Fields(ra, dec, observed)


def unit_vectors(ra_degrees: Floats, dec_degrees: Floats) -> Floats:
    """Turn positions of shape (n,) into unit vectors of shape (n, 3)."""
    ra, dec = np.radians(ra_degrees), np.radians(dec_degrees)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def _from_plane(ra0: Floats, dec0: Floats, east: Floats, north: Floats) -> tuple[Floats, Floats]:
    """Lift tangent-plane offsets [deg] at a centre [deg] to the sky; also right at the poles."""
    xi, eta, dec0 = np.radians(east), np.radians(north), np.radians(dec0)
    along = np.cos(dec0) - eta * np.sin(dec0)
    ra = ra0 + np.degrees(np.arctan2(xi, along))
    dec = np.degrees(np.arctan2(np.sin(dec0) + eta * np.cos(dec0), np.hypot(xi, along)))
    return np.round(ra, 7) % 360.0, np.round(dec, 7)


def offset(ra: Floats, dec: Floats, distance_arcsec: Floats, angle: Floats) -> tuple[Floats, Floats]:
    """Move by a small distance at a position angle [rad, north through east]; gives ra, dec [deg]."""
    distance = distance_arcsec / 3600.0
    return _from_plane(ra, dec, distance * np.sin(angle), distance * np.cos(angle))


def to_sky(field: Ints, rcid: Ints, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Find ra, dec [deg] of pixels (x, y) in quadrant `rcid` of fields given by index; all of shape (n,)."""
    column, row = _grid(rcid)
    east = -((column - _ACROSS // 2) * COLUMNS + x) * PIXEL_ARCSEC / 3600.0
    north = ((row - _ACROSS // 2) * ROWS + y) * PIXEL_ARCSEC / 3600.0
    centres = fields()
    return _from_plane(centres.ra[field], centres.dec[field], east, north)


def to_pixels(field: Ints, vectors: Floats) -> tuple[Ints, Floats, Floats]:
    """Find rcid, x, y of unit vectors (n, 3) in fields given by index; rcid is -1 off the camera."""
    centres = fields()
    ra0, dec0 = np.radians(centres.ra[field]), np.radians(centres.dec[field])
    along = np.einsum("ij,ij->i", vectors, centres.vectors()[field])
    east = -np.sin(ra0) * vectors[:, 0] + np.cos(ra0) * vectors[:, 1]
    north = np.cos(dec0) * vectors[:, 2] - np.sin(dec0) * (np.cos(ra0) * vectors[:, 0] + np.sin(ra0) * vectors[:, 1])
    scale = np.degrees(1.0) * 3600.0 / PIXEL_ARCSEC
    column, x = np.divmod(-east / along * scale, COLUMNS)
    row, y = np.divmod(north / along * scale, ROWS)
    rcid = _channel(column.astype(np.int64) + _ACROSS // 2, row.astype(np.int64) + _ACROSS // 2)
    return np.where(along > 0, rcid, -1), x, y


def _grid(rcid: Ints) -> tuple[Ints, Ints]:
    """Give the column and row (0..7) of a quadrant: 4 x 4 detectors of 2 x 2 quadrants each."""
    detector, quadrant = rcid // 4, rcid % 4
    return 2 * (detector % 4) + quadrant % 2, 2 * (detector // 4) + quadrant // 2


def _channel(column: Ints, row: Ints) -> Ints:
    rcid = 4 * (4 * (row // 2) + column // 2) + 2 * (row % 2) + column % 2
    inside = (column >= 0) & (column < _ACROSS) & (row >= 0) & (row < _ACROSS)
    return np.where(inside, rcid, -1)
