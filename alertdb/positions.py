"""Positions on the sky as people give them: numbers, texts, coordinates of astropy, one or many of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from alertdb.errors import AngleUnusable, ConeUnusable
from alertdb.position_errors import PositionUnusable, RadiusUnusable, TimeUnusable
from alertdb.sky import LARGEST_RADIUS_ARCSEC, in_degrees

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Positions", "is_object_name", "parse_jd", "parse_positions", "parse_radius"]

OBJECT_NAME = re.compile(r"[A-Z]{3}\d{2}[a-z]{7,}")


class Positions(NamedTuple):
    """Positions in degrees, J2000, each of shape (n,), and whether a list was asked for, be it of one."""

    ra: npt.NDArray[np.float64]
    dec: npt.NDArray[np.float64]
    are_many: bool


def is_object_name(position: object) -> bool:
    """Tell whether a position is an objectId."""
    return isinstance(position, str) and OBJECT_NAME.fullmatch(position) is not None


def parse_positions(position: Any) -> Positions:
    """Return positions as degrees.

    Parameters
    ----------
    position
        A pair (ra, dec) of numbers in degrees, quantities or texts, or of arrays of such; a text with both
        (``"12:34:56.7 -20:11:02"``, the first in hours, or ``"188.74 -20.18"`` in degrees); a SkyCoord; or a list of
        these, or an array of shape (n, 2) in degrees.

    Raises
    ------
    AngleUnusable, PositionUnusable
        If it is none of these.
    ConeUnusable
        If a right ascension is not from 0 to 360, or a declination not from -90 to 90.
    """
    ra, dec, are_many = _parse(position)
    positions = Positions(
        _checked("right ascension", ra, 0.0, 360.0), _checked("declination", dec, -90.0, 90.0), are_many
    )
    return positions._replace(ra=positions.ra % 360.0)


def parse_radius(radius: Any) -> float:
    """Return a radius in arcsec: a number of arcsec, a quantity, or a text as ``"5 arcsec"``.

    Raises
    ------
    RadiusUnusable
        If it is none of these.
    ConeUnusable
        If it is not over 0 and up to 10 degrees.
    """
    value = _arcsec(radius)
    if not 0.0 < value <= LARGEST_RADIUS_ARCSEC:
        raise ConeUnusable("radius in arcsec", value, 0.0, LARGEST_RADIUS_ARCSEC, above=True)
    return value


def parse_jd(time: Any) -> float | None:
    """Return a time as Julian date, UTC: a number, a text as ``"2024-01-10"``, a datetime or a Time.

    Raises
    ------
    TimeUnusable
        If it is none of these.
    """
    if time is None or isinstance(time, (int, float)):
        return None if time is None else float(time)
    from astropy.time import Time

    try:
        return float((time if isinstance(time, Time) else Time(time, scale="utc")).utc.jd)
    except (ValueError, TypeError) as error:
        raise TimeUnusable(time) from error


def _arcsec(radius: Any) -> float:
    if isinstance(radius, (int, float, np.number)) and not isinstance(radius, bool):
        return float(radius)
    from astropy.coordinates import Angle
    from astropy.units import UnitsError

    try:
        return float(Angle(radius).arcsec)
    except (ValueError, TypeError, UnitsError) as error:
        raise RadiusUnusable(radius) from error


def _parse(position: Any) -> tuple[Any, Any, bool]:
    if isinstance(position, str):
        return *_parse_text(position), False
    if hasattr(position, "icrs"):
        place = position.icrs
        return place.ra.deg, place.dec.deg, not place.isscalar
    if isinstance(position, np.ndarray) and position.ndim == 2 and position.shape[1] == 2:
        return position[:, 0], position[:, 1], True
    try:
        parts = list(position)
    except TypeError:
        raise PositionUnusable(position) from None
    if isinstance(position, tuple) and len(parts) == 2 and not hasattr(parts[0], "icrs") and not _is_pair(parts[0]):
        ra, dec = (_degrees(part, hours=hours) for part, hours in zip(parts, (True, False), strict=True))
        return ra, dec, np.ndim(ra) > 0
    if isinstance(position, list) and len(parts) == 2 and all(isinstance(part, (int, float)) for part in parts):
        return *parts, False
    each = [_parse(part) for part in parts]
    if any(many for _, _, many in each):
        raise PositionUnusable(position)
    return [ra for ra, _, _ in each], [dec for _, dec, _ in each], True


def _is_pair(part: Any) -> bool:
    """Tell a pair (ra, dec), which makes the whole a list of positions, from an angle or an array of angles."""
    return isinstance(part, tuple) or (isinstance(part, str) and len(part.replace(",", " ").split()) % 2 == 0)


def _parse_text(text: str) -> tuple[float, float]:
    halves = text.split(",")
    if len(halves) != 2:
        words = text.split()
        halves = [" ".join(words[: len(words) // 2]), " ".join(words[len(words) // 2 :])]
        if not words or len(words) % 2:
            raise PositionUnusable(text)
    try:
        return in_degrees(halves[0].strip(), hours=True), in_degrees(halves[1].strip(), hours=False)
    except AngleUnusable:
        raise PositionUnusable(text) from None


def _degrees(part: Any, *, hours: bool) -> Any:
    """Return degrees of an angle, or of an array of them."""
    if isinstance(part, str):
        return in_degrees(part, hours=hours)
    unit = getattr(part, "unit", None)
    if unit is not None and str(unit):
        from astropy.units import UnitsError

        try:
            return part.to_value("deg") if hasattr(part, "to_value") else part.to("deg").value
        except UnitsError:
            raise AngleUnusable(str(part), hours=hours) from None
    try:
        return np.asarray(part, np.float64) if np.ndim(part) else float(part)
    except (TypeError, ValueError):
        raise AngleUnusable(str(part), hours=hours) from None


def _checked(what: str, values: Any, smallest: float, largest: float) -> npt.NDArray[np.float64]:
    degrees = np.atleast_1d(np.asarray(values, np.float64))
    outside = np.flatnonzero(~((degrees >= smallest) & (degrees <= largest)))
    if len(outside):
        where = f" of position {outside[0]} (counted from 0)" if len(degrees) > 1 else ""
        raise ConeUnusable(what + where, float(degrees[outside[0]]), smallest, largest)
    return degrees
