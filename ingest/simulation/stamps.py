"""Cutouts: science, template and difference images of 63 x 63 pixels around a detection, as gzipped FITS.

Row 0 of an image is its southern edge and column 0 its eastern edge: shown with row 0 at the bottom, north is
up and east is left. The object is in the central pixel, at row 31 and column 31 counted from 0. Pixels beyond
the edge of the detector are NaN. As in the survey the header has no coordinates, and its SIMPLE card is not
standard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from isal import igzip

from ingest.simulation.population import Kind
from ingest.simulation.sky import COLUMNS, PIXEL_ARCSEC, ROWS
from ingest.simulation.sources import flux
from ingest.simulation.surroundings import MISSING, neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ingest.simulation.batch import Batch
    from ingest.simulation.dice import Dice, Floats

__all__ = ["NAMES", "SIZE", "fits_stamp", "images", "stamps"]

NAMES = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
SIZE = 63
_CENTRE = SIZE // 2
_BLOCK = 2880
_CARDS = (
    "SIMPLE  =  T",
    "BITPIX  =                  -32",
    "NAXIS   =                    2",
    "NAXIS1  =                   63",
    "NAXIS2  =                   63",
    "BUNIT   = 'DN      '",
    "END",
)
_HEADER = "".join(card.ljust(80) for card in _CARDS).ljust(_BLOCK).encode("ascii")
_PADDING = bytes(-SIZE * SIZE * 4 % _BLOCK)
_LEVEL = 1  # what does not compress gains nothing from more
_REFERENCE_SEEING = 2.1  # pixels
_REFERENCE_SCALE = 10.0 ** (0.4 * 26.2)  # DN of a source of magnitude 0
_REFERENCE_NOISE_DN = 2.0
_FIELD_STARS = 4
_FULL_WELL_DN = 60_000.0
_BOGUS_WIDTH = 0.4  # times the width of a star: most artefacts are sharp
_GALAXY_WIDTH = 1.8  # times the width of a star
_GAUSS = 1.0 / np.sqrt(8.0 * np.log(2.0))  # standard deviation of a Gaussian of full width 1 at half maximum

_Images = npt.NDArray[np.float32]


def fits_stamp(image: _Images) -> bytes:
    """Write an image of shape (63, 63) as FITS, compressed by gzip without a time in it."""
    return igzip.compress(_HEADER + image.astype(">f4").tobytes() + _PADDING, _LEVEL, mtime=0)


def stamps(dice: Dice, batch: Batch) -> Iterator[tuple[bytes, bytes, bytes]]:
    """Make the science, template and difference stamp of each alert of a batch."""
    for science, template, difference in zip(*images(dice, batch), strict=True):
        yield fits_stamp(science), fits_stamp(template), fits_stamp(difference)


def images(dice: Dice, batch: Batch) -> tuple[_Images, _Images, _Images]:
    """Make the images of a batch of n alerts, each of shape (n, 63, 63), in DN.

    Science and template show the stars around and the object; the difference is what has changed.
    """
    sky, light, objects = batch.sky.at(batch.last), batch.light.at(batch.last), batch.alerts.objects
    noise, old_noise = _noise(dice, batch, sky.noise)
    scale = flux(-sky.magzpsci)
    width = sky.seeing * np.where(objects.kind == Kind.BOGUS, _BOGUS_WIDTH, 1.0)
    change = _blobs(np.zeros((len(batch.alerts), 1, 2)), (light.measured * scale)[:, None], width[:, None])
    scene = _scene(dice, batch)
    old = _painted(scene, np.full(len(width), _REFERENCE_SEEING), np.full(len(width), _REFERENCE_SCALE))
    now = _painted(scene, sky.seeing, scale)
    science = sky.background[:, None, None] + now + change + noise
    difference = change + noise - old_noise + _residue(batch, now)
    shown = (np.minimum(science, _FULL_WELL_DN), 150.0 + old + old_noise, difference)
    return _cut(batch, shown[0]), _cut(batch, shown[1]), _cut(batch, shown[2])


@dataclass(frozen=True)
class _Scene:
    """Steady sources around n objects: offsets to the west and north [pixels], (n, s, 2); the rest (n, s)."""

    place: Floats
    flux: Floats  # in units of magnitude 0
    is_galaxy: Floats


def _scene(dice: Dice, batch: Batch) -> _Scene:
    """Collect the PS1 neighbours, the object itself among them, and some fainter stars of the field."""
    objects, fid = batch.alerts.objects, batch.alerts.epochs.fid
    near = neighbours(dice, objects)
    mag = np.where(near.magnitudes == MISSING, 23.0, near.magnitudes)[np.arange(len(fid)), :, fid - 1]
    step = near.distance_arcsec / PIXEL_ARCSEC
    known = np.stack([-step * np.sin(near.angle), step * np.cos(near.angle)], axis=-1)
    key, which = objects.identity[:, None, None], np.arange(_FIELD_STARS)[:, None]
    others = dice.uniform("field star", key, which, np.arange(2), low=-_CENTRE, high=_CENTRE)
    faint = 22.5 - 4.0 * dice.uniform("field star brightness", objects.identity[:, None], which[:, 0]) ** 2
    return _Scene(
        np.concatenate([known, others], axis=1),
        flux(np.concatenate([mag, faint], axis=1)),
        np.concatenate([near.is_galaxy, np.zeros(faint.shape)], axis=1),
    )


def _painted(scene: _Scene, seeing: Floats, scale: Floats) -> Floats:
    """Draw a scene as seen with some seeing [pixels]; `scale` turns its flux into DN."""
    width = seeing[:, None] * np.where(scene.is_galaxy > 0, _GALAXY_WIDTH, 1.0)
    return _blobs(scene.place, scene.flux * scale[:, None], width)


def _blobs(place: Floats, total: Floats, width: Floats) -> Floats:
    """Draw s round Gaussians into each of n images: `place` is (n, s, 2), `total` [DN] and `width` (n, s)."""
    pixels = np.arange(SIZE) - _CENTRE
    sigma = (width * _GAUSS)[:, :, None]
    across = np.exp(-0.5 * ((pixels - place[:, :, 0, None]) / sigma) ** 2)
    up = np.exp(-0.5 * ((pixels - place[:, :, 1, None]) / sigma) ** 2) * total[:, :, None]
    up /= 2.0 * np.pi * sigma**2
    drawn = np.zeros((len(place), SIZE, SIZE))
    for i in range(place.shape[1]):  # one source at a time: a product over all would need s times the memory
        drawn += up[:, i, :, None] * across[:, i, None, :]
    return drawn


def _noise(dice: Dice, batch: Batch, deviation: Floats) -> tuple[Floats, Floats]:
    """Draw the noise of the science images and of the references; a reference is the same at every alert."""
    identity, epochs = batch.alerts.objects.identity, batch.alerts.epochs
    new = dice.bits("noise", identity, epochs.nid, epochs.visit)
    old = dice.bits("reference noise", identity, epochs.fid)
    return deviation[:, None, None] * _normal(new), _REFERENCE_NOISE_DN * _normal(old)


def _normal(keys: npt.NDArray[np.uint64]) -> Floats:
    """Draw an image of standard normal numbers for each key."""
    drawn = (
        np.random.Generator(np.random.SFC64(key)).standard_normal((SIZE, SIZE), dtype=np.float32)
        for key in keys.tolist()
    )
    return np.stack(list(drawn))


def _residue(batch: Batch, now: Floats) -> Floats:
    """Leave a dipole where a bright star did not subtract well."""
    kind = batch.alerts.objects.kind
    share = np.where((kind == Kind.NEIGHBOUR) | (kind == Kind.BOGUS), 0.04, 0.0)[:, None, None]
    return share * (np.roll(now, 1, axis=1) - np.roll(now, -1, axis=1))


def _cut(batch: Batch, image: Floats) -> _Images:
    """Blank what lies beyond the edge of the detector."""
    pixels = np.arange(SIZE) - _CENTRE
    x = np.round(batch.alerts.objects.x)[:, None] + pixels
    y = np.round(batch.alerts.objects.y)[:, None] + pixels
    inside = ((y >= 0) & (y < ROWS))[:, :, None] & ((x >= 0) & (x < COLUMNS))[:, None, :]
    return np.where(inside, image, np.nan).astype(np.float32)
