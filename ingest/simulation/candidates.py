"""The columns that only a candidate has: catalogues, coverage, reference image, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.simulation import tracks
from ingest.simulation.names import ps1_numbers, reference_numbers
from ingest.simulation.population import Kind, is_passing
from ingest.simulation.sky import offset
from ingest.simulation.surroundings import COUNT, MISSING, neighbours

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.simulation.conditions import Conditions
    from ingest.simulation.dice import Dice, Floats, Ints
    from ingest.simulation.photometry import Photometry
    from ingest.simulation.sources import Sources
    from ingest.simulation.survey import Epochs

__all__ = ["candidate_columns"]

_DRB_VERSION = "d6_m7"
_SURVEY_START_JD = 2458194.5  # 2018 March 17
_VISITS_PER_DAY = 0.8


def candidate_columns(
    dice: Dice, objects: Sources, epochs: Epochs, sky: Conditions, light: Photometry, detections: Ints
) -> dict[str, list[object]]:
    """Give the columns that only the candidate has, row by row.

    `detections` is the number of detections in each history of 30 days, this one not counted.
    """
    columns: dict[str, npt.NDArray[np.generic]] = {
        "exptime": np.full(len(epochs.jd), 30.0),
        "drb": _deep_score(dice, objects, epochs),
        "tooflag": np.zeros(len(epochs.jd), dtype=np.int64),
        **_catalogue(dice, objects),
        **_gaia(dice, objects),
        **_coverage(objects, epochs, detections),
        **_reference_image(dice, epochs),
        **_calibration(dice, epochs, sky, light),
        **_solar_system(dice, objects, epochs),
    }
    listed: dict[str, list[object]] = {name: column.tolist() for name, column in columns.items()}
    asteroid = (objects.kind == Kind.ASTEROID).tolist()
    known = tracks.names(objects.rank)
    listed["ssnamenr"] = [name if moving else "null" for name, moving in zip(known, asteroid, strict=True)]
    listed["drbversion"] = [_DRB_VERSION] * len(epochs.jd)
    return listed


def _deep_score(dice: Dice, objects: Sources, epochs: Epochs) -> Floats:
    draw = dice.uniform("drb", objects.identity, epochs.nid, epochs.visit)
    return np.where(objects.kind == Kind.BOGUS, 0.25 * draw, 1.0 - 0.2 * draw**6)


def _solar_system(dice: Dice, objects: Sources, epochs: Epochs) -> dict[str, Floats]:
    """Give how far off a known asteroid is predicted, and how bright: to a tenth, as in the survey."""
    moving = objects.kind == Kind.ASTEROID
    predicted = np.round(tracks.predicted(dice, objects.rank, epochs.jd), 1)
    distance = np.floor(2.0 * dice.uniform("error of the orbit", objects.identity) ** 4)
    return {
        "ssdistnr": np.where(moving, distance, MISSING),
        "ssmagnr": np.where(moving, predicted, MISSING),
    }


def _catalogue(dice: Dice, objects: Sources) -> dict[str, npt.NDArray[np.generic]]:
    """Give the three nearest PS1 sources."""
    near = neighbours(dice, objects)
    columns: dict[str, npt.NDArray[np.generic]] = {}
    for i in range(COUNT):
        ra, dec = offset(objects.ra, objects.dec, near.distance_arcsec[:, i], near.angle[:, i])
        columns[f"distpsnr{i + 1}"] = near.distance_arcsec[:, i]
        columns[f"sgscore{i + 1}"] = near.star_score[:, i]
        columns[f"objectidps{i + 1}"] = ps1_numbers(ra, dec)
        for band, letter in enumerate("griz"):
            columns[f"s{letter}mag{i + 1}"] = near.magnitudes[:, i, band]
    columns["nmtchps"] = COUNT + dice.integers("PS1 sources", objects.identity, below=25)
    return _without_third(dice, objects, columns)


def _without_third(
    dice: Dice, objects: Sources, columns: dict[str, npt.NDArray[np.generic]]
) -> dict[str, npt.NDArray[np.generic]]:
    """Take the third neighbour away where the sky is empty: every column of it becomes -999."""
    empty = dice.uniform("empty sky", objects.identity) < 0.08
    for name in columns:
        if name.endswith("3"):
            columns[name] = np.where(empty, np.int64(-999), columns[name])
    columns["nmtchps"] = np.where(empty, COUNT - 1, columns["nmtchps"])
    return columns


def _gaia(dice: Dice, objects: Sources) -> dict[str, Floats]:
    """Give the nearest Gaia sources: the first PS1 source that is bright enough, and a bright star if any."""
    near = neighbours(dice, objects)
    in_r = np.where(near.magnitudes[:, :, 1] == MISSING, 99.0, near.magnitudes[:, :, 1])
    seen = (in_r < 20.7) & (near.is_galaxy == 0)
    first = np.argmax(seen, axis=1)
    rows = np.arange(len(first))
    far = 20.0 + 60.0 * dice.uniform("distance in Gaia", objects.identity)
    distance = np.where(seen.any(axis=1), near.distance_arcsec[rows, first], far)
    mag = np.where(seen.any(axis=1), in_r[rows, first], dice.uniform("Gaia", objects.identity, low=15, high=20.5))
    bright = in_r < 14.0
    which, some = np.argmax(bright, axis=1), bright.any(axis=1)
    passing = dice.uniform("bright star", objects.identity) < 0.3
    by = np.where(some, near.distance_arcsec[rows, which], np.where(passing, far + 10.0, MISSING))
    mag_by = np.where(some, in_r[rows, which], np.where(passing, 13.0 - 0.02 * far, MISSING))
    return {"neargaia": distance, "maggaia": mag, "neargaiabright": by, "maggaiabright": mag_by}


def _coverage(objects: Sources, epochs: Epochs, detections: Ints) -> dict[str, npt.NDArray[np.generic]]:
    """Count detections and visits since the survey began; what is older than the history follows its rate."""
    begin = np.where(objects.kind == Kind.SUPERNOVA, objects.exploded_jd, _SURVEY_START_JD)
    older = np.maximum(epochs.jd - 30.0 - begin, 0.0)
    alone = is_passing(objects.kind)
    count = 1 + detections + np.where(alone, 0, np.floor(older / 60.0 * detections)).astype(np.int64)
    since = np.where(count > 1, np.minimum(np.maximum(begin, epochs.jd - 30.0 - older), epochs.jd), epochs.jd)
    visits = np.maximum(epochs.jd - _SURVEY_START_JD, 30.0) * _VISITS_PER_DAY
    return {
        "ndethist": count,
        "ncovhist": count + visits.astype(np.int64),
        "jdstarthist": np.round(since, 7),
        "jdendhist": epochs.jd,
    }


def _reference_image(dice: Dice, epochs: Epochs) -> dict[str, npt.NDArray[np.generic]]:
    key = (epochs.field, epochs.rcid, epochs.fid)
    start = _SURVEY_START_JD + 90.0 * dice.uniform("start of reference", *key)
    return {
        "rfid": reference_numbers(epochs.field + 1, epochs.fid, epochs.rcid),
        "jdstartref": np.round(start, 6),
        "jdendref": np.round(start + 10.0 + 80.0 * dice.uniform("end of reference", *key), 6),
        "nframesref": 15 + dice.integers("frames", *key, below=26),
    }


def _calibration(dice: Dice, epochs: Epochs, sky: Conditions, light: Photometry) -> dict[str, npt.NDArray[np.generic]]:
    key = (epochs.nid, epochs.field, epochs.visit, epochs.rcid)
    ratio = np.abs(light.measured) / light.error
    dsnrms, ssnrms = 0.9 * ratio, 2.0 * ratio
    return {
        "dsnrms": dsnrms,
        "ssnrms": ssnrms,
        "dsdiff": dsnrms - ssnrms,
        "nmatches": 200 + dice.integers("matches", *key, below=1500),
        "zpclrcov": -1.1 * sky.magzpsciunc,
        "zpmed": sky.magzpsci + sky.clrcoeff * 0.65,
        "clrmed": 0.65 + 0.1 * dice.normal("median colour", *key),
        "clrrms": 0.27 * np.exp(0.15 * dice.normal("scatter of colour", *key)),
    }
