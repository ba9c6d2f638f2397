"""Errors about positions, radii and times."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MocUnusable", "NoPositions", "PolygonUnusable", "PositionUnusable", "RadiusUnusable", "TimeUnusable"]


class PositionUnusable(UsageError):
    """Something that is no position on the sky."""

    def __init__(self, found: object) -> None:
        super().__init__(
            f"{_short(found)} is no position; expected (ra, dec) in degrees, '12:34:56.7 -20:11:02' (hours, degrees), "
            "an objectId, a SkyCoord, or a list of these."
        )


class RadiusUnusable(UsageError):
    """Something that is no radius."""

    def __init__(self, found: object) -> None:
        super().__init__(
            f"{_short(found)} is no radius; expected a number of arcsec, '5 arcsec', or a quantity of astropy."
        )


class TimeUnusable(UsageError):
    """Something that is no time."""

    def __init__(self, found: object) -> None:
        super().__init__(
            f"{_short(found)} is no time; expected a Julian date (UTC), '2024-01-10 03:30', a datetime or a Time."
        )


class NoPositions(UsageError):
    """A table without the columns that say where its rows are."""

    def __init__(self, expected: Sequence[str], columns: Sequence[str]) -> None:
        super().__init__(
            f"The table has no columns {' and '.join(expected)} with positions in degrees; its columns are "
            f"{', '.join(columns[:12])}. Name them: crossmatch(table, radius, ra='…', dec='…')."
        )


def _short(found: object) -> str:
    text = " ".join(repr(found).split())
    return text if len(text) <= 60 else text[:60] + "…"


class PolygonUnusable(UsageError):
    """Vertices that make no polygon, or one too large to say what is inside."""

    def __init__(self, found: str) -> None:
        super().__init__(
            f"The polygon {found}; expected three vertices or more, none farther than 60 degrees from their middle."
        )


class MocUnusable(UsageError):
    """Something that is no coverage map of the sky."""

    def __init__(self, found: object, reason: str = "") -> None:
        because = f" ({reason})" if reason else ""
        super().__init__(
            f"{_short(found)} is no MOC{because}; expected a MOC of mocpy, or the path of a FITS file of one."
        )
