"""Alerts in regions of any shape: polygons, and coverage maps (MOC), by HEALPix ranges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from alertdb.cones import COLUMNS, alerts_statement, fetch_ranges
from alertdb.position_errors import MocUnusable, PolygonUnusable
from alertdb.sky import ORDER, PIXEL_ARCSEC, cell_ranges

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alertdb.positions import Positions
    from alertdb.query import Reader

__all__ = ["alerts_in_polygon", "alerts_in_ranges", "inside_polygon", "moc_ranges"]

Floats = npt.NDArray[np.float64]

FINER = 4  # orders finer than the polygon's size: some hundred pixels along its edge
LARGEST_DEGREES = 60.0


def alerts_in_ranges(
    reader: Reader,
    ranges: Sequence[tuple[int, int]],
    *,
    columns: Sequence[str] = COLUMNS,
    after_jd: float | None = None,
    before_jd: float | None = None,
) -> pa.Table:
    """Return the alerts in ranges (first, last) of nested HEALPix pixels of order 29, in the order of time."""
    needed = [*dict.fromkeys([*columns, "ra", "dec", "jd", "candid"])]
    rows = fetch_ranges(reader, alerts_statement(needed, after_jd, before_jd), ranges)
    return rows.sort_by([("jd", "ascending"), ("candid", "ascending")])


def alerts_in_polygon(
    reader: Reader,
    vertices: Positions,
    *,
    columns: Sequence[str] = COLUMNS,
    after_jd: float | None = None,
    before_jd: float | None = None,
) -> pa.Table:
    """Return the alerts in a polygon of great circles, in the order of time.

    Raises
    ------
    PolygonUnusable
        Raised if these vertices make none.
    """
    rows = alerts_in_ranges(reader, _polygon_ranges(vertices), columns=columns, after_jd=after_jd, before_jd=before_jd)
    inside = inside_polygon(rows["ra"].to_numpy(), rows["dec"].to_numpy(), vertices.ra, vertices.dec)
    return rows.filter(pa.array(inside))


def inside_polygon(ra: Floats, dec: Floats, vertices_ra: Floats, vertices_dec: Floats) -> npt.NDArray[np.bool_]:
    """Return which places (degrees, shape (n,)) are in a polygon of great circles (vertices in order, shape (k,)).

    Seen from a place inside, the vertices go around once: the angles between them add up to a whole turn. What lies
    opposite on the sky is not told apart.
    """
    places, vertices = _vectors(ra, dec), _vectors(vertices_ra, vertices_dec)
    towards = vertices[None] - (places @ vertices.T)[..., None] * places[:, None]  # along the sky, shape (n, k, 3)
    following = np.roll(towards, -1, axis=1)
    sines = np.einsum("nkx,nx->nk", np.cross(towards, following), places)
    cosines = np.einsum("nkx,nkx->nk", towards, following)
    turn: npt.NDArray[np.bool_] = np.abs(np.arctan2(sines, cosines).sum(axis=1)) > np.pi
    return turn


def moc_ranges(moc: Any) -> list[tuple[int, int]]:
    """Return the ranges (first, last) of pixels of order 29 in a MOC of mocpy, or in a FITS file of one.

    Raises
    ------
    MocUnusable
        Raised if it is none.
    """
    if not hasattr(moc, "to_depth29_ranges"):
        from mocpy import MOC

        try:
            moc = MOC.load(moc, format="fits")
        except Exception as error:  # mocpy tells of a file that is none by whatever its Rust code meets
            raise MocUnusable(moc, " ".join(str(error).split())[:100]) from None
    return [(int(first), int(last) - 1) for first, last in moc.to_depth29_ranges.tolist()]


def _polygon_ranges(vertices: Positions) -> list[tuple[int, int]]:
    """Return ranges of pixels that cover a polygon."""
    import astropy.units as u
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix import nested

    radius = _radius_degrees(vertices)
    depth = min(ORDER, max(0, int(math.log2(PIXEL_ARCSEC / (radius * 3600))) + FINER))
    pixels, orders, _ = nested.polygon_search(Longitude(vertices.ra * u.deg), Latitude(vertices.dec * u.deg), depth)
    return cell_ranges(pixels.astype(np.int64), orders.astype(np.int64))


def _radius_degrees(vertices: Positions) -> float:
    """Return how far the farthest vertex is from the middle of all."""
    if len(vertices.ra) < 3:
        raise PolygonUnusable(f"has {len(vertices.ra)} vertices")
    vectors = _vectors(vertices.ra, vertices.dec)
    middle = vectors.sum(axis=0)
    length = float(np.linalg.norm(middle))
    cosine = float((vectors @ middle).min()) / length if length > 0 else -1.0
    radius = math.degrees(math.acos(min(1.0, cosine)))
    if not 0 < radius <= LARGEST_DEGREES:
        raise PolygonUnusable(f"reaches {radius:.0f} degrees from its middle")
    return radius


def _vectors(ra: Floats, dec: Floats) -> Floats:
    """Return unit vectors, shape (n, 3)."""
    alpha, delta = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(delta) * np.cos(alpha), np.cos(delta) * np.sin(alpha), np.sin(delta)], axis=-1)
