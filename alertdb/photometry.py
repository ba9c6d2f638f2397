"""Magnitudes and fluxes of difference photometry: pure functions over arrays.

The survey subtracts a reference image. What it measures is the flux f of the difference, positive (isdiffpos t) or
negative (f). The apparent magnitude adds the flux of the source in the reference image, where there is one beneath:

    f = s 10^(-0.4 magpsf),  s = +1 or -1;    apparent magnitude = -2.5 log10(10^(-0.4 magnr) + f)

All fluxes are in microjansky: magnitude 0 is 3631 Jy, as for the AB system, to which the survey is calibrated.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = [
    "apparent_magnitude",
    "difference_flux",
    "flux_of_magnitude",
    "forced_flux",
    "is_source_beneath",
    "magnitude_of_flux",
]

Floats: TypeAlias = npt.NDArray[np.float64]
Measured: TypeAlias = tuple[Floats, Floats]  # values and their 1-sigma errors

ZERO_UJY = 3631e6  # flux of magnitude 0
POGSON = 2.5 / np.log(10)  # relative error of a flux to error of a magnitude
MAX_DISTANCE_PIXELS = 1.5
CHI = (0.5, 1.5)
MAX_SHARP = 0.5
SIGNS = {"t": 1.0, "1": 1.0, "f": -1.0, "0": -1.0}


def flux_of_magnitude(magnitude: ArrayLike, error: ArrayLike = np.nan) -> Measured:
    """Return flux and error [microjansky] of magnitudes and their errors [mag]."""
    flux = ZERO_UJY * 10 ** (-0.4 * _floats(magnitude))
    return flux, flux * _floats(error) / POGSON


def magnitude_of_flux(flux: ArrayLike, error: ArrayLike = np.nan) -> Measured:
    """Return magnitude and error [mag] of fluxes [microjansky]; NaN where the flux is not positive."""
    known = np.where(_floats(flux) > 0, _floats(flux), np.nan)
    return -2.5 * np.log10(known / ZERO_UJY), POGSON * _floats(error) / known


def difference_flux(magpsf: ArrayLike, sigmapsf: ArrayLike, isdiffpos: ArrayLike) -> Measured:
    """Return the signed flux of differences, and its error [microjansky].

    Parameters
    ----------
    magpsf, sigmapsf
        Difference magnitude and its error [mag], shape (n,).
    isdiffpos
        ``t`` or ``1`` where the difference is positive, ``f`` or ``0`` where it is negative; else the flux is NaN.
    """
    flux, error = flux_of_magnitude(magpsf, sigmapsf)
    return flux * _signs(isdiffpos), error


def forced_flux(counts: ArrayLike, counts_error: ArrayLike, magzpsci: ArrayLike) -> Measured:
    """Return flux and error [microjansky] of forced photometry.

    Parameters
    ----------
    counts, counts_error
        forcediffimflux and forcediffimfluxunc [DN], shape (n,).
    magzpsci
        Zero point of the science image: magnitude of 1 DN [mag].
    """
    ujy_per_count, _ = flux_of_magnitude(magzpsci)
    return _floats(counts) * ujy_per_count, _floats(counts_error) * ujy_per_count


def is_source_beneath(distnr: ArrayLike, chinr: ArrayLike, sharpnr: ArrayLike) -> npt.NDArray[np.bool_]:
    """Return whether the nearest source of the reference image lies beneath, and is a star or nearly so.

    It does within 1.5 pixels, if chinr is 0.5 to 1.5 or sharpnr -0.5 to 0.5. The latter two count only where both are
    given.

    Parameters
    ----------
    distnr
        Distance [pixels; those of the survey have 1.01 arcsec], shape (n,).
    chinr, sharpnr
        Shape of the source as DAOPhot sees it.
    """
    distance, chi, sharp = _floats(distnr), _floats(chinr), _floats(sharpnr)
    is_stellar = ((chi >= CHI[0]) & (chi <= CHI[1])) | (np.abs(sharp) <= MAX_SHARP)
    is_shape_unknown = np.isnan(chi) | np.isnan(sharp)
    beneath: npt.NDArray[np.bool_] = (distance >= 0) & (distance <= MAX_DISTANCE_PIXELS)
    return beneath & (is_stellar | is_shape_unknown)


def apparent_magnitude(
    flux: ArrayLike, flux_error: ArrayLike, magnr: ArrayLike, sigmagnr: ArrayLike, beneath: ArrayLike
) -> Measured:
    """Return apparent magnitude and error [mag]: that of the flux in the reference image and the difference together.

    Parameters
    ----------
    flux, flux_error
        Signed flux of the difference [microjansky], shape (n,).
    magnr, sigmagnr
        Magnitude and error of the nearest source of the reference image [mag].
    beneath
        Whether that source lies beneath (`is_source_beneath`). Where none does, the difference is all there is: its
        apparent magnitude is its difference magnitude.

    Returns
    -------
    tuple of arrays
        NaN where the sum is not positive, as for a negative difference with nothing beneath. The errors of both are
        added in quadrature.

    Examples
    --------
    >>> flux, error = difference_flux([18.0, 18.0], [0.1, 0.1], ["t", "f"])
    >>> magnitude, _ = apparent_magnitude(flux, error, [17.0, 17.0], [0.02, 0.02], [True, True])
    >>> magnitude.round(3)
    array([16.636, 17.551])
    """
    reference, reference_error = (
        np.where(np.asarray(beneath, bool), values, 0.0) for values in flux_of_magnitude(magnr, sigmagnr)
    )
    return magnitude_of_flux(reference + _floats(flux), np.hypot(reference_error, _floats(flux_error)))


def _signs(isdiffpos: ArrayLike) -> Floats:
    texts: npt.NDArray[Any] = np.atleast_1d(np.asarray(isdiffpos, dtype=object))
    signs = np.array([SIGNS.get(text, np.nan) if isinstance(text, str) else np.nan for text in texts], np.float64)
    return signs.reshape(np.shape(isdiffpos))


def _floats(values: ArrayLike) -> Floats:
    return np.asarray(values, dtype=np.float64)
