"""A table of positions joined with the alerts or objects around each of its rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alertdb.cones import COLUMNS, alerts_around
from alertdb.frames import to_frame
from alertdb.position_errors import NoPositions
from alertdb.positions import parse_positions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alertdb.query import Reader

__all__ = ["crossmatch"]

NAMES = (
    ("ra", "dec"),
    ("RA", "DEC"),
    ("ra_deg", "dec_deg"),
    ("ra_mean", "dec_mean"),
    ("RAJ2000", "DEJ2000"),
    ("RA_ICRS", "DE_ICRS"),
)
SUFFIX = "_alert"  # of a column of the alerts whose name the table has, too


def crossmatch(
    reader: Reader,
    table: Any,
    radius_arcsec: float,
    *,
    ra: str | None = None,
    dec: str | None = None,
    columns: Sequence[str] = COLUMNS,
    after_jd: float | None = None,
    before_jd: float | None = None,
    objects: bool = False,
) -> pd.DataFrame:
    """Return the rows of a table, each with the alerts around it; see `Archive.crossmatch`."""
    left = _as_frame(table)
    places = parse_positions(tuple(_values(table, left, name) for name in _position_names(left, ra, dec)))
    needed = [*dict.fromkeys([*columns, "objectId"])] if objects else columns
    found = to_frame(
        alerts_around(reader, places, radius_arcsec, columns=needed, after_jd=after_jd, before_jd=before_jd)
    )
    if objects:
        groups = found.groupby(["position", "objectId"], sort=False)
        found = groups.head(1).assign(nalerts=groups["objectId"].transform("size"))
    position = found.pop("position").to_numpy()
    matched = left.take(position)
    right = found.rename(columns={name: name + SUFFIX for name in found.columns if name in left.columns})
    return pd.concat([matched.reset_index(drop=True), right.reset_index(drop=True)], axis="columns")


def _as_frame(table: Any) -> pd.DataFrame:
    if isinstance(table, pd.DataFrame):
        return table
    if hasattr(table, "to_pandas"):  # of astropy, Arrow, polars
        frame: pd.DataFrame = table.to_pandas()
        return frame
    return pd.DataFrame(table)


def _position_names(frame: pd.DataFrame, ra: str | None, dec: str | None) -> tuple[str, str]:
    columns = [str(name) for name in frame.columns]
    asked = None if ra is dec is None else (ra or NAMES[0][0], dec or NAMES[0][1])
    for names in [asked] if asked else NAMES:
        if names[0] in columns and names[1] in columns:
            return names
    raise NoPositions(asked or NAMES[0], columns)


def _values(table: Any, frame: pd.DataFrame, name: str) -> Any:
    """Return a column's values; with their unit where the table has one, such as hours."""
    if getattr(getattr(table, "columns", {}).get(name) if hasattr(table, "meta") else None, "unit", None) is not None:
        return np.asarray(table[name].to("deg").value)
    return frame[name].to_numpy(np.float64, na_value=np.nan)
