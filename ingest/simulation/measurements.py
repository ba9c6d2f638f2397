"""The columns of a detection that the alert and all later histories share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.simulation.names import file_name
from ingest.simulation.population import Kind
from ingest.simulation.sky import COLUMNS, PIXEL_ARCSEC, ROWS, offset
from ingest.simulation.sources import magnitude
from ingest.simulation.surroundings import reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from ingest.simulation.conditions import Conditions
    from ingest.simulation.dice import Dice, Floats, Ints
    from ingest.simulation.photometry import Photometry
    from ingest.simulation.sources import Sources
    from ingest.simulation.survey import Epochs

    Columns = Mapping[str, list[object]]

__all__ = ["RB_VERSION", "exposure_columns", "measured_columns"]

RB_VERSION = "t17_f5_c3"
_INVESTIGATORS = ("", "Public survey", "Partnership", "Observatory")


def exposure_columns(epochs: Epochs, sky: Conditions) -> dict[str, list[object]]:
    """Give what detections and limits alike tell of their exposure; field names as in a history."""
    field = epochs.field + 1
    arguments = (epochs.nid, epochs.jd, field, epochs.fid, epochs.rcid)
    rows = zip(*(column.tolist() for column in arguments), strict=True)
    columns: dict[str, npt.NDArray[np.generic]] = {
        "jd": epochs.jd,
        "fid": epochs.fid,
        "pid": epochs.pid,
        "diffmaglim": sky.diffmaglim,
        "programid": epochs.programid,
        "nid": epochs.nid,
        "rcid": epochs.rcid,
        "field": field,
        "magzpsci": sky.magzpsci,
        "magzpsciunc": sky.magzpsciunc,
        "magzpscirms": sky.magzpscirms,
        "clrcoeff": sky.clrcoeff,
        "clrcounc": sky.clrcounc,
    }
    return {
        **{name: column.tolist() for name, column in columns.items()},
        "pdiffimfilename": [file_name(*row) for row in rows],
        "programpi": [_INVESTIGATORS[program] for program in epochs.programid.tolist()],
        "rbversion": [RB_VERSION] * len(field),
    }


def measured_columns(
    dice: Dice, objects: Sources, epochs: Epochs, sky: Conditions, light: Photometry, tblid: Ints
) -> dict[str, list[object]]:
    """Give what only a detection has; field names as in a history. All inputs are row by row."""
    key = (objects.identity, epochs.nid, epochs.visit)
    columns = {
        "candid": epochs.pid * 1_000_000 + 15_000 + tblid,
        "tblid": tblid,
        **_place(dice, objects, light, key),
        **_brightness(dice, light, sky, key),
        **_shape(dice, objects, sky, key),
        **_quality(dice, objects, light, key),
        **_reference(dice, objects, epochs),
    }
    digits = dice.uniform("digit for sign", epochs.nid, epochs.field, epochs.visit) < 0.01
    words = np.where(light.measured > 0, np.where(digits, "1", "t"), np.where(digits, "0", "f"))
    listed: dict[str, list[object]] = {name: column.tolist() for name, column in columns.items()}
    return listed | {"isdiffpos": words.tolist()}


def _ratio(light: Photometry) -> Floats:
    """Give the signal-to-noise ratio."""
    return np.abs(light.measured) / light.error


def _place(dice: Dice, objects: Sources, light: Photometry, key: tuple[Ints, ...]) -> dict[str, Floats]:
    """Give the measured place: true but for a tenth of an arcsecond, more where it is faint."""
    scatter = 0.06 + 0.6 / _ratio(light)
    east, north = scatter * dice.normal("east", *key), scatter * dice.normal("north", *key)
    ra, dec = offset(objects.ra, objects.dec, np.hypot(east, north), np.arctan2(east, north))
    x, y = objects.x - east / PIXEL_ARCSEC, objects.y + north / PIXEL_ARCSEC
    edge = np.minimum(np.minimum(x, COLUMNS - x), np.minimum(y, ROWS - y))
    return {"ra": ra, "dec": dec, "xpos": x, "ypos": y, "mindtoedge": edge}


def _brightness(dice: Dice, light: Photometry, sky: Conditions, key: tuple[Ints, ...]) -> dict[str, Floats]:
    """Give the magnitudes of the difference in the fit and in two apertures."""
    magpsf, sigma = magnitude(light.measured), 1.0857 / _ratio(light)
    small = magpsf + 0.5 * sigma * dice.normal("aperture", *key)
    large = magpsf + 0.7 * sigma * dice.normal("larger aperture", *key)
    return {
        "magpsf": magpsf,
        "sigmapsf": sigma,
        "magap": small,
        "sigmagap": 1.2 * sigma,
        "magapbig": large,
        "sigmagapbig": 1.5 * sigma,
        "magdiff": small - magpsf,
        "magfromlim": sky.diffmaglim - small,
        "chipsf": np.exp(0.4 * dice.normal("chi", *key)) * (1.0 + 0.02 * _ratio(light)),
        "sky": 0.4 * dice.normal("sky", *key),
        "scorr": np.round(0.95 * _ratio(light), 4),
    }


def _shape(dice: Dice, objects: Sources, sky: Conditions, key: tuple[Ints, ...]) -> dict[str, Floats]:
    """Give width and axes: round and as wide as stars, but for artefacts."""
    odd = np.where(objects.kind == Kind.BOGUS, 1.0, 0.0)
    ratio = np.exp((0.08 + 0.4 * odd) * dice.normal("width", *key))
    fwhm = sky.seeing * ratio
    elong = 1.0 + np.abs((0.08 + 0.6 * odd) * dice.normal("elongation of detection", *key))
    minor = 0.31 * fwhm
    return {
        "fwhm": fwhm,
        "seeratio": ratio,
        "elong": elong,
        "aimage": minor * elong,
        "bimage": minor,
        "aimagerat": 0.31 * elong,
        "bimagerat": np.full(len(fwhm), 0.31),
    }


def _quality(
    dice: Dice, objects: Sources, light: Photometry, key: tuple[Ints, ...]
) -> dict[str, npt.NDArray[np.generic]]:
    """Give scores and counts of pixels: artefacts score low, neighbours of bright stars in between."""
    draw = dice.uniform("rb", *key)
    real = 0.98 - 0.35 * draw**2 - 0.25 * np.exp(-(_ratio(light) - 5.0) / 6.0)
    beside = objects.kind == Kind.NEIGHBOUR
    bogus = objects.kind == Kind.BOGUS
    rb = np.where(bogus, 0.02 + 0.3 * draw, np.where(beside, real - 0.2, real))
    bad = np.where(bogus, dice.integers("bad pixels", *key, below=5), 0)
    return {
        "rb": np.round(rb * 350.0) / 350.0,  # trees vote: the score comes in steps
        "classtar": np.where(bogus, 0.5, 0.99) - 0.05 * draw,
        "nneg": np.where(bogus, 8, 0) + dice.integers("negative pixels", *key, below=5),
        "nbad": bad,
        "sumrat": np.where(bogus, 0.6, 1.0) - 0.1 * draw**4,
    }


def _reference(dice: Dice, objects: Sources, epochs: Epochs) -> dict[str, Floats]:
    """Give the nearest source of the reference image, which is the same at every epoch of an object."""
    near = reference(dice, objects, epochs.fid)
    ra, dec = offset(objects.ra, objects.dec, near.distance_arcsec, near.angle)
    place = {"distnr": near.distance_arcsec / PIXEL_ARCSEC, "ranr": ra, "decnr": dec}
    return place | near.profile(dice, objects, epochs.fid)
