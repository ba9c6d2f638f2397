"""Alerts around positions: HEALPix ranges for the server, great-circle distances for the rows that it finds."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from alertdb.sky import MARGIN_ARCSEC, ORDER, PIXEL_ARCSEC, cone_ranges, separation_arcsec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from alertdb.positions import Positions
    from alertdb.query import Reader

__all__ = ["COLUMNS", "alerts_around", "alerts_statement", "fetch_ranges"]

COLUMNS = ("objectId", "candid", "jd", "fid", "ra", "dec", "magpsf", "sigmapsf", "isdiffpos", "rb", "drb")
# Many cones up to this radius are each covered by the pixel of the centre and the eight around it, found for all at
# once. A larger one, or a single one, is covered by pixels of several orders: for one position that is quicker, since
# the library finds pixels of many positions in threads, which one position would wait for.
SMALL_ARCSEC = 60.0
# Share of a pixel's side that lies between its opposite edges at the least, wherever it is: 0.67, less some margin.
NARROWEST = 0.6
RANGES_PER_QUERY = 2_000


def alerts_around(
    reader: Reader,
    positions: Positions,
    radius_arcsec: float,
    *,
    columns: Sequence[str] = COLUMNS,
    after_jd: float | None = None,
    before_jd: float | None = None,
) -> pa.Table:
    """Return the alerts around positions: by position, the nearest first.

    Returns
    -------
    pyarrow.Table
        `position` (which of the positions, from 0), `distance_arcsec` (great-circle), and the columns.
    """
    needed = [*dict.fromkeys([*columns, "ra", "dec", "jd", "hpx29"])]
    find = _around_all if len(positions.ra) > 1 and radius_arcsec <= SMALL_ARCSEC else _around_each
    rows, position = find(reader, positions, radius_arcsec, alerts_statement(needed, after_jd, before_jd))
    ra, dec = rows["ra"].to_numpy(), rows["dec"].to_numpy()
    distance = separation_arcsec(positions.ra[position], positions.dec[position], ra, dec)
    order = np.lexsort((rows["jd"].to_numpy(), distance, position))
    order = order[distance[order] <= radius_arcsec]
    taken: Any = pa.array(order)
    chosen = rows.select(list(columns)).take(taken)
    with_distance = chosen.add_column(0, "distance_arcsec", pa.array(distance[order]))
    return with_distance.add_column(0, "position", pa.array(position[order]))


def alerts_statement(columns: Iterable[str], after_jd: float | None, before_jd: float | None) -> str:
    """Return the statement, with a place for the condition on hpx29."""
    conditions = ["({inside})"]
    conditions += [f"jd >= {after_jd!r}e0"] if after_jd is not None else []
    conditions += [f"jd < {before_jd!r}e0"] if before_jd is not None else []
    names = ", ".join(f"`{column.replace('`', '``')}`" for column in columns).replace("{", "{{").replace("}", "}}")
    return f"SELECT {names} FROM alerts WHERE {' AND '.join(conditions)}"


def _around_all(
    reader: Reader, positions: Positions, radius_arcsec: float, statement: str
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Return candidates, and which position each is a candidate of; an alert may be one of several positions."""
    order = min(ORDER, int(math.log2(NARROWEST * PIXEL_ARCSEC / (radius_arcsec + MARGIN_ARCSEC))))
    shift = 2 * (ORDER - order)
    cells = _neighbourhoods(positions, order)
    position = np.repeat(np.arange(len(cells)), cells.shape[1])[cells.ravel() >= 0]
    cells = cells[cells >= 0]
    by_cell = np.argsort(cells, kind="stable")
    cells, position = cells[by_cell], position[by_cell]
    rows = fetch_ranges(reader, statement, _joined_ranges(np.unique(cells) << shift, 1 << shift))
    found = rows["hpx29"].to_numpy() >> shift
    first, last = np.searchsorted(cells, found, "left"), np.searchsorted(cells, found, "right")
    row = np.repeat(np.arange(len(found)), last - first)
    place = np.arange(len(row)) - np.repeat(np.cumsum(last - first) - (last - first), last - first) + first[row]
    taken: Any = pa.array(row)
    return rows.take(taken), position[place]


def _around_each(
    reader: Reader, positions: Positions, radius_arcsec: float, statement: str
) -> tuple[pa.Table, npt.NDArray[np.int64]]:
    """Return as `_around_all` does, one query for each position."""
    parts = [
        fetch_ranges(reader, statement, cone_ranges(ra, dec, radius_arcsec))
        for ra, dec in zip(positions.ra.tolist(), positions.dec.tolist(), strict=True)
    ] or [fetch_ranges(reader, statement, [])]
    return pa.concat_tables(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _neighbourhoods(positions: Positions, order: int) -> npt.NDArray[np.int64]:
    """Return the pixels of the positions and those around each, shape (n, 9); -1 where there are fewer."""
    import astropy.units as u
    from astropy.coordinates import Latitude, Longitude
    from cdshealpix import nested

    centres = nested.lonlat_to_healpix(
        Longitude(positions.ra, u.deg, copy=False), Latitude(positions.dec, u.deg, copy=False), order
    )
    around = nested.neighbours(centres, order)
    found: npt.NDArray[np.int64] = around.astype(np.int64).reshape(-1, 9)
    return found


def _joined_ranges(firsts: npt.NDArray[np.int64], width: int) -> list[tuple[int, int]]:
    """Return sorted pixels (their first at order 29) as ranges, neighbours as one."""
    if not len(firsts):
        return []
    breaks = np.flatnonzero(np.diff(firsts) != width)
    begins = firsts[np.concatenate([[0], breaks + 1])]
    ends = firsts[np.concatenate([breaks, [len(firsts) - 1]])] + (width - 1)
    return list(zip(begins.tolist(), ends.tolist(), strict=True))


def fetch_ranges(reader: Reader, statement: str, ranges: Sequence[tuple[int, int]]) -> pa.Table:
    """Return the alerts in ranges (first, last) of HEALPix pixels of order 29, some thousand ranges a query."""
    return pa.concat_tables(
        [reader.query(statement.format(inside=condition)) for condition in _conditions(ranges)],
        promote_options="default",
    )


def _conditions(ranges: Sequence[tuple[int, int]]) -> Iterator[str]:
    if not ranges:
        yield "FALSE"
    for first in range(0, len(ranges), RANGES_PER_QUERY):
        part = ranges[first : first + RANGES_PER_QUERY]
        yield " OR ".join(f"hpx29 BETWEEN {begin} AND {end}" for begin, end in part)
