"""Places on the sky: cones as ranges of HEALPix pixels, great-circle distances, coordinates as people write them."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from alertdb.errors import AngleUnusable, ConeUnusable

if TYPE_CHECKING:
    import numpy.typing as npt

    Angles = float | npt.NDArray[np.float64]

__all__ = [
    "LARGEST_RADIUS_ARCSEC",
    "MARGIN_ARCSEC",
    "ORDER",
    "PIXEL_ARCSEC",
    "cell_ranges",
    "cone_ranges",
    "in_degrees",
    "parse_angle",
    "separation_arcsec",
]

ORDER = 29  # of alerts.hpx29
PIXEL_ARCSEC = 58.6 * 3600  # side of a pixel of order 0; each order halves it
FINER = 2  # orders finer than the radius asks for: some 100 pixels around the rim
CHECKED = 2  # orders still finer, at which the library looks whether a pixel touches the cone
LARGEST_RADIUS_ARCSEC = 36_000.0  # 10 degrees
DECIMAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
SEXAGESIMAL = re.compile(r"([+-]?)(\d{1,3})[:hd°\s]\s*(\d{1,2})(?:[:m'\s]\s*(\d{1,2}(?:\.\d*)?)?[s\"]?)?")
MARGIN_ARCSEC = 0.001  # some pixels of order 29: a position on the edge of two may have been put into either


def cone_ranges(ra: float, dec: float, radius_arcsec: float) -> list[tuple[int, int]]:
    """Return ranges (first, last) of nested HEALPix pixels of order 29 that cover a cone.

    Parameters
    ----------
    ra, dec
        Centre in degrees, J2000; ra from 0 to 360 (exclusive above), dec from -90 to 90.
    radius_arcsec
        Radius in arcsec, over 0 and up to 10 degrees.

    Raises
    ------
    ConeUnusable
        If one of the three is out of its bounds.
    """
    _check("right ascension", ra, 0.0, 360.0)
    _check("declination", dec, -90.0, 90.0)
    _check("radius in arcsec", radius_arcsec, 0.0, LARGEST_RADIUS_ARCSEC)
    if radius_arcsec == 0:
        raise ConeUnusable("radius in arcsec", radius_arcsec, 0.0, LARGEST_RADIUS_ARCSEC, above=True)
    pixels, orders = _cover(ra % 360.0, dec, radius_arcsec + MARGIN_ARCSEC)
    return cell_ranges(pixels, orders)


def cell_ranges(pixels: npt.NDArray[np.int64], orders: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return nested HEALPix pixels of any order, shape (n,), as ranges (first, last) of order 29, joined."""
    shifts = 2 * (ORDER - orders)
    ranges: list[tuple[int, int]] = []
    for first, last in sorted(zip((pixels << shifts).tolist(), (((pixels + 1) << shifts) - 1).tolist(), strict=True)):
        if ranges and ranges[-1][1] + 1 == first:
            ranges[-1] = (ranges[-1][0], last)
        else:
            ranges.append((first, last))
    return ranges


def separation_arcsec(
    ra: Angles, dec: Angles, others_ra: npt.NDArray[np.float64], others_dec: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return great-circle distances in arcsec from a place, or as many, to others (degrees) (haversine)."""
    ra0, dec0, ra1, dec1 = (
        np.radians(np.asarray(angle, dtype=np.float64)) for angle in (ra, dec, others_ra, others_dec)
    )
    haversine = np.sin((dec1 - dec0) / 2) ** 2 + np.cos(dec0) * np.cos(dec1) * np.sin((ra1 - ra0) / 2) ** 2
    result: npt.NDArray[np.float64] = np.degrees(2 * np.arcsin(np.sqrt(np.minimum(haversine, 1.0)))) * 3600
    return result


def in_degrees(angle: float | str, *, hours: bool) -> float:
    """Return degrees of an angle given as a number of degrees or as text.

    Parameters
    ----------
    hours
        Whether the first part of a sexagesimal text counts hours (right ascension).

    Raises
    ------
    AngleUnusable
        If it is neither.
    """
    if isinstance(angle, str):
        return parse_angle(angle, hours=hours)
    try:
        return float(angle)
    except (TypeError, ValueError):
        raise AngleUnusable(str(angle), hours=hours) from None


def parse_angle(text: str, *, hours: bool) -> float:
    """Return degrees of an angle written in degrees ("188.7") or sexagesimally ("12:34:56.7", "-20d11m02s").

    Parameters
    ----------
    hours
        Whether the first part of a sexagesimal angle counts hours (right ascension).

    Raises
    ------
    AngleUnusable
        If it is neither.
    """
    try:
        if DECIMAL.fullmatch(text.strip()):
            return float(text)
        match = SEXAGESIMAL.fullmatch(text.strip())
        sign, whole, minutes, seconds = match.groups(default="0") if match else ("", "", "", "")
        value = int(whole) + float(minutes) / 60 + float(seconds) / 3600
    except ValueError:
        raise AngleUnusable(text, hours=hours) from None
    if float(minutes) >= 60 or float(seconds) >= 60:
        raise AngleUnusable(text, hours=hours)
    return (-value if sign == "-" else value) * (15.0 if hours else 1.0)


def _cover(ra: float, dec: float, radius_arcsec: float) -> tuple[Any, Any]:
    """Return pixels and their orders that cover a cone."""
    import astropy.units as u
    import cdshealpix
    from astropy.coordinates import Latitude, Longitude

    depth = min(ORDER - CHECKED, max(0, int(math.log2(PIXEL_ARCSEC / radius_arcsec))) + FINER)
    radius = radius_arcsec * u.arcsec
    found = cdshealpix.nested.cone_search(Longitude(ra * u.deg), Latitude(dec * u.deg), radius, depth, CHECKED)
    return found[0].astype(np.int64), found[1].astype(np.int64)


def _check(what: str, value: float, smallest: float, largest: float) -> None:
    if not isinstance(value, (int, float, np.number)) or not smallest <= value <= largest:
        raise ConeUnusable(what, value, smallest, largest)
