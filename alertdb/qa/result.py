"""A quality picture with the table behind it, and what all of them share: frame, empty picture, colours, dates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import LogLocator, NullFormatter

from alertdb.picture import Picture, html_image, png

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "COLOURMAP",
    "MAGNITUDES",
    "NID_EPOCH_DAYS",
    "QaFigure",
    "add_colour_bar",
    "counted",
    "empty_picture",
    "new_picture",
    "sane",
    "scale",
    "set_dates",
]

COLOURMAP = "viridis"
NID_EPOCH_DAYS = 17167  # 2017-01-01, from which nid counts, in the days since 1970 of matplotlib
TABLE_ROWS = 20  # shown below a picture
GREY = "#59636e"
MAGNITUDES = (0.0, 30.0)  # what is beyond is no magnitude; some packets hold -1007


@dataclass(frozen=True)
class QaFigure:
    """A quality picture.

    Attributes
    ----------
    name
        As in ``db.qa.<name>()``.
    title
        What it shows, in words.
    figure
        The picture, a matplotlib figure.
    table
        The numbers that it shows; never a row per alert.
    """

    name: str
    title: str
    figure: Figure
    table: pd.DataFrame

    def __repr__(self) -> str:
        return f"<QaFigure {self.name}: {self.title}; table of {len(self.table):,} rows>"

    def _repr_html_(self) -> str:
        return html_image(png(self.figure), self.name) + self.table_html()

    def table_html(self) -> str:
        """Return the first rows of the table as HTML that folds away."""
        shown = self.table.head(TABLE_ROWS).to_html(index=False, border=0, na_rep="")
        more = f" (the first {TABLE_ROWS} of {len(self.table):,})" if len(self.table) > TABLE_ROWS else ""
        return f"<details><summary>table{more}</summary>{shown}</details>"


def new_picture(title: str, subtitle: str, size: tuple[float, float] = (8.0, 5.0)) -> Picture:
    """Return a figure with a title and, below it in grey, what it was made from."""
    figure = Picture(figsize=size, layout="constrained")
    figure.suptitle(f"{title}\n", fontsize=13, fontweight="bold", linespacing=1.2)
    figure.text(0.5, 1 - 0.38 / size[1], subtitle, ha="center", va="top", fontsize=9, color=GREY)
    return figure


def empty_picture(title: str, subtitle: str, reason: str) -> Picture:
    """Return a picture that says why it shows nothing."""
    figure = new_picture(title, subtitle)
    axes = figure.add_subplot()
    axes.text(0.5, 0.5, reason, ha="center", va="center", fontsize=13, color=GREY, transform=axes.transAxes)
    axes.set_xticks([])
    axes.set_yticks([])
    return figure


def scale(low: float, high: float) -> LogNorm:
    """Return a logarithmic scale of colours over a decade at least, so that its bar has numbers."""
    return LogNorm(low, max(high, 10 * low))


def add_colour_bar(figure: Figure, mesh: Any, axes: Any, label: str, **options: Any) -> None:
    """Add a bar that tells what the colours mean, with plain numbers."""
    bar = figure.colorbar(mesh, ax=axes, label=label, **options)
    axis = bar.ax.xaxis if options.get("orientation") == "horizontal" else bar.ax.yaxis
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if mesh.norm.vmax < 200 * mesh.norm.vmin else (1,)))
    axis.set_major_formatter("{x:,g}")
    axis.set_minor_formatter(NullFormatter())


def sane(
    table: pd.DataFrame, bounds: Mapping[str, tuple[float, float]], count: str = "alerts"
) -> tuple[pd.DataFrame, str]:
    """Return the bins within bounds, and what is to be said of the others.

    Parameters
    ----------
    table
        One row per bin.
    bounds
        Lowest and highest value, by column.
    count
        Column of the counts.
    """
    inside = np.logical_and.reduce([table[name].between(*between) for name, between in bounds.items()])
    outside = int(table.loc[~inside, count].sum())
    said = " and ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in bounds.items())
    return table[inside].reset_index(drop=True), f"; {outside:,} outside {said} left out" if outside else ""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural but for one."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def set_dates(axes: Axes) -> None:
    """Make the horizontal axis one of dates."""
    locator: Any = AutoDateLocator(minticks=3, maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("night (UTC)")
    axes.grid(visible=True, alpha=0.2, lw=0.6)
