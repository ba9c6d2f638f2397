"""Forced photometry of schema 4: the flux at the alert's place in earlier difference images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.simulation.names import reference_numbers
from ingest.simulation.sky import offset
from ingest.simulation.sources import flux
from ingest.simulation.surroundings import reference

if TYPE_CHECKING:
    import numpy.typing as npt

    from ingest.simulation.conditions import Conditions
    from ingest.simulation.dice import Dice, Floats
    from ingest.simulation.photometry import Photometry
    from ingest.simulation.sources import Sources
    from ingest.simulation.survey import Epochs

__all__ = ["MOST", "forced_columns"]

MOST = 22  # epochs that a packet holds, the latest
_MISSING = -99999.0
_FAILED = 0.05  # share of the fits that fail
_BESIDE_ARCSEC = 5.0  # a reference source farther away is not named


def forced_columns(
    dice: Dice, objects: Sources, epochs: Epochs, sky: Conditions, light: Photometry
) -> dict[str, list[object]]:
    """Give the columns of forced photometry, row by row."""
    failed = dice.uniform("forced fit", objects.identity, epochs.nid, epochs.visit) < _FAILED
    scale = flux(-sky.magzpsci)
    columns: dict[str, npt.NDArray[np.generic]] = {
        "field": epochs.field + 1,
        "rcid": epochs.rcid,
        "fid": epochs.fid,
        "pid": epochs.pid,
        "rfid": reference_numbers(epochs.field + 1, epochs.fid, epochs.rcid),
        "jd": epochs.jd,
        "programid": epochs.programid,
        "exptime": np.full(len(failed), 30.0),
        "sciinpseeing": sky.seeing,
        "scibckgnd": sky.background,
        "scisigpix": sky.noise,
        "magzpsci": sky.magzpsci,
        "magzpsciunc": sky.magzpsciunc,
        "magzpscirms": sky.magzpscirms,
        "clrcoeff": sky.clrcoeff,
        "clrcounc": sky.clrcounc,
        "diffmaglim": sky.diffmaglim,
        "forcediffimflux": np.where(failed, _MISSING, light.measured * scale),
        "forcediffimfluxunc": np.where(failed, _MISSING, light.error * scale),
        "procstatus": np.where(failed, "61", "0"),
        **_astrometry(dice, epochs),
        **_reference(dice, objects, epochs),
    }
    return {name: column.tolist() for name, column in columns.items()}


def _astrometry(dice: Dice, epochs: Epochs) -> dict[str, Floats]:
    key = (epochs.nid, epochs.field, epochs.visit, epochs.rcid)
    return {
        "adpctdif1": 0.08 * np.exp(0.15 * dice.normal("scatter east", *key)),
        "adpctdif2": 0.08 * np.exp(0.15 * dice.normal("scatter north", *key)),
    }


def _reference(dice: Dice, objects: Sources, epochs: Epochs) -> dict[str, Floats]:
    """Give the nearest reference source, here with its distance in arcsec; -99999 where none is near."""
    near = reference(dice, objects, epochs.fid)
    ra, dec = offset(objects.ra, objects.dec, near.distance_arcsec, near.angle)
    columns = {
        "distnr": near.distance_arcsec,
        "ranr": ra,
        "decnr": dec,
        **near.profile(dice, objects, epochs.fid),
    }
    return {name: np.where(near.distance_arcsec < _BESIDE_ARCSEC, column, _MISSING) for name, column in columns.items()}
