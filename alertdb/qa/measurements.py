"""Quality picture of the measurements: magnitude against its error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.qa.counting import binned, count
from alertdb.qa.densities import draw_filters, filters_size
from alertdb.qa.result import MAGNITUDES, QaFigure, counted, empty_picture, new_picture, sane

if TYPE_CHECKING:
    from alertdb.query import Reader

__all__ = ["magnitude_against_error"]

MAG_WIDTH = 0.1  # mag
ERROR_WIDTH = 0.005  # mag
ERRORS = (0.0, 2.0)  # mag; larger ones say nothing


def magnitude_against_error(reader: Reader) -> QaFigure:
    """Draw alerts by difference magnitude and its error, a panel per filter."""
    title = "Difference magnitude against its error"
    groups = {"fid": "fid", "magpsf": binned("magpsf", MAG_WIDTH), "sigmapsf": binned("sigmapsf", ERROR_WIDTH)}
    table = count(reader, groups, "alerts")
    table = table.assign(
        magpsf=(table["magpsf"] * MAG_WIDTH).round(6), sigmapsf=(table["sigmapsf"] * ERROR_WIDTH).round(6)
    )
    table, left_out = sane(table, {"magpsf": MAGNITUDES, "sigmapsf": ERRORS})
    bins = f"bins of {MAG_WIDTH} mag and {ERROR_WIDTH} mag"
    subtitle = f"{reader.database}: {counted(int(table['alerts'].sum()), 'alert')}, {bins}{left_out}"
    if not len(table):
        return QaFigure("magnitude_error", title, empty_picture(title, subtitle, "No alerts yet."), table)
    figure = new_picture(title, subtitle, filters_size(table))
    panels = draw_filters(figure, table, "magpsf", "sigmapsf", "alerts", (MAG_WIDTH, ERROR_WIDTH))
    for axes in panels.values():
        axes.set_xlabel("magpsf [mag]")
        axes.grid(visible=True, alpha=0.2, lw=0.6)
    figure.axes[0].set_ylabel("sigmapsf [mag]")
    return QaFigure("magnitude_error", title, figure, table)
