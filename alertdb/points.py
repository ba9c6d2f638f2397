"""What a picture of a light curve shows: one value with its error per epoch, in the quantity that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from alertdb.photometry import (
    apparent_magnitude,
    difference_flux,
    flux_of_magnitude,
    forced_flux,
    is_source_beneath,
    magnitude_of_flux,
)
from alertdb.picture_errors import ReferenceMissing, UnknownChoice

if TYPE_CHECKING:
    import pandas as pd

    from alertdb.photometry import Floats, Measured

__all__ = ["MJD_ZERO", "REFERENCE", "Quantity", "apparent", "check_quantity", "fluxes", "points"]

Quantity: TypeAlias = Literal["difference", "apparent", "flux"]

MJD_ZERO = 2400000.5  # Julian date of MJD 0
REFERENCE = ("distnr", "magnr", "sigmagnr", "chinr", "sharpnr")  # the nearest source of the reference image
FORCED_SIGMA = 3.0  # forced photometry fainter than this many errors is no detection
MAX_ERROR = 1.0  # apparent magnitudes with larger errors say nothing
ARCSEC_PER_PIXEL = 1.01  # distnr is in pixels, that of forced photometry in arcsec


def check_quantity(quantity: str) -> None:
    """Refuse what is no quantity.

    Raises
    ------
    UnknownChoice
        Raised if it is none of difference, apparent, flux.
    """
    if quantity not in get_args(Quantity):
        raise UnknownChoice("quantity of a light curve", quantity, get_args(Quantity))


def points(frame: pd.DataFrame, quantity: Quantity = "difference") -> pd.DataFrame:
    """Return what is drawn of a light curve.

    Parameters
    ----------
    frame
        What `Archive.lightcurve` returns.
    quantity
        ``difference``: difference magnitudes and upper limits, and forced photometry over three errors. ``apparent``:
        apparent magnitudes, no limits. ``flux``: fluxes of the difference in microjansky, and limits.

    Returns
    -------
    pandas.DataFrame
        Columns fid, kind, mjd (UTC) [d], value, error [mag or microjansky], and negative: whether the difference is.
    """
    check_quantity(quantity)
    flux, flux_error = fluxes(frame)
    is_limit, is_forced = ((frame["kind"] == kind).to_numpy() for kind in ("limit", "forced"))
    shown = np.isfinite(flux)
    if quantity == "flux":
        value, error = np.where(is_limit, flux_of_magnitude(_floats(frame, "diffmaglim"))[0], flux), flux_error
        shown |= is_limit
    elif quantity == "apparent":
        value, error = apparent(frame)
        shown &= error < MAX_ERROR
    else:
        value, error = _difference_magnitudes(frame, flux, flux_error)
        shown = ~is_forced | (np.abs(flux) > FORCED_SIGMA * flux_error)
    drawn = frame[["fid", "kind"]].assign(
        mjd=frame["jd"] - MJD_ZERO, value=value, error=error, negative=np.nan_to_num(flux) < 0
    )
    chosen: pd.DataFrame = drawn.loc[shown & np.isfinite(drawn["value"])]
    return chosen


def fluxes(frame: pd.DataFrame) -> Measured:
    """Return the signed flux of the difference and its error [microjansky] of each epoch; NaN for upper limits."""
    measured = difference_flux(
        _floats(frame, "magpsf"), _floats(frame, "sigmapsf"), frame["isdiffpos"].to_numpy(object)
    )
    forced = forced_flux(*(_floats(frame, name) for name in ("flux", "flux_error", "magzpsci")))
    is_forced = (frame["kind"] == "forced").to_numpy()
    return np.where(is_forced, forced[0], measured[0]), np.where(is_forced, forced[1], measured[1])


def apparent(frame: pd.DataFrame) -> Measured:
    """Return apparent magnitude and error [mag] of each epoch; NaN for upper limits.

    Raises
    ------
    ReferenceMissing
        Raised if the light curve was read without the sources of the reference image.
    """
    if missing := [name for name in REFERENCE if name not in frame]:
        raise ReferenceMissing(missing)
    is_forced = (frame["kind"] == "forced").to_numpy()
    distance = _floats(frame, "distnr") / np.where(is_forced, ARCSEC_PER_PIXEL, 1.0)
    beneath = is_source_beneath(distance, _floats(frame, "chinr"), _floats(frame, "sharpnr"))
    return apparent_magnitude(*fluxes(frame), _floats(frame, "magnr"), _floats(frame, "sigmagnr"), beneath)


def _difference_magnitudes(frame: pd.DataFrame, flux: Floats, flux_error: Floats) -> Measured:
    """Return magpsf, the limit, or the magnitude of the forced flux, whichever sign it has."""
    forced, forced_error = magnitude_of_flux(np.abs(flux), flux_error)
    is_limit, is_forced = ((frame["kind"] == kind).to_numpy() for kind in ("limit", "forced"))
    value = np.select([is_forced, is_limit], [forced, _floats(frame, "diffmaglim")], _floats(frame, "magpsf"))
    return value, np.where(is_forced, forced_error, _floats(frame, "sigmapsf"))


def _floats(frame: pd.DataFrame, name: str) -> Floats:
    return frame[name].to_numpy(np.float64, na_value=np.nan)
