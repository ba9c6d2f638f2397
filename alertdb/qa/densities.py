"""Counts in two dimensions as colours: the quality pictures of one quantity against another, filter by filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from alertdb.filters import filter_name
from alertdb.qa.result import COLOURMAP, add_colour_bar, counted, scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

    from alertdb.photometry import Floats

__all__ = ["draw_filters", "filters_size"]


def filters_size(table: pd.DataFrame) -> tuple[float, float]:
    """Return width and height [inch] of a figure that `draw_filters` fills."""
    return 1.6 + 3.4 * table["fid"].nunique(), 4.4


def draw_filters(
    figure: Figure, table: pd.DataFrame, x: str, y: str, count: str, widths: tuple[float, float]
) -> dict[int, Axes]:
    """Draw counts of `y` against `x`, a panel per filter, all on one scale of colours; return the panels by fid.

    Parameters
    ----------
    table
        One row per bin that is not empty: fid, lower edges in columns `x` and `y`, number in column `count`.
    count
        Such as ``alerts``: what is counted.
    widths
        Of the bins along x and y.
    """
    fids = sorted(table["fid"].unique())
    panels = figure.subplots(1, len(fids), sharex=True, sharey=True, squeeze=False)[0]
    for axes, fid in zip(panels, fids, strict=True):
        part = table[table["fid"] == fid]
        mesh = _draw_density(axes, part, x, y, count, widths, table[count].max())
        axes.set_title(f"{filter_name(fid)}: {counted(int(part[count].sum()), count[:-1])}", fontsize=10)
    add_colour_bar(figure, mesh, panels, f"{count} per bin")
    return dict(zip(fids, panels, strict=True))


def _draw_density(
    axes: Axes, table: pd.DataFrame, x: str, y: str, count: str, widths: tuple[float, float], largest: float
) -> QuadMesh:
    """Draw one filter's counts on a logarithmic scale from 1 to `largest`."""
    columns, rows = (
        np.rint(table[name] / width).to_numpy(np.int64) for name, width in zip((x, y), widths, strict=True)
    )
    counts = np.full((np.ptp(rows) + 1, np.ptp(columns) + 1), np.nan)
    counts[rows - rows.min(), columns - columns.min()] = table[count]
    edges = (_edges(bins, width) for bins, width in zip((columns, rows), widths, strict=True))
    mesh: QuadMesh = axes.pcolormesh(*edges, counts, norm=scale(1, largest), cmap=COLOURMAP, rasterized=True)
    return mesh


def _edges(bins: np.ndarray[tuple[int, ...], np.dtype[np.int64]], width: float) -> Floats:
    """Return the edges of the bins from the first to the last of these."""
    edges: Floats = np.arange(bins.min(), bins.max() + 2) * width
    return edges
