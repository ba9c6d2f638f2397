"""Quality picture of the measurements: magnitude against its error."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.qa.counting import binned, count
from alertdb.qa.result import (
    FILTERS,
    MAGNITUDES,
    QaFigure,
    add_colour_bar,
    counted,
    draw_density,
    empty_picture,
    new_picture,
    sane,
)

if TYPE_CHECKING:
    from alertdb.query import Reader

__all__ = ["magnitude_against_error"]

MAG_WIDTH = 0.1
ERROR_WIDTH = 0.005
ERRORS = (0.0, 2.0)


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
    fids = sorted(table["fid"].unique())
    figure = new_picture(title, subtitle, (1.6 + 3.4 * len(fids), 4.4))
    panels = figure.subplots(1, len(fids), sharey=True, sharex=True, squeeze=False)[0]
    largest = table["alerts"].max()
    for axes, fid in zip(panels, fids, strict=True):
        part = table[table["fid"] == fid]
        mesh = draw_density(axes, part, "magpsf", "sigmapsf", "alerts", (MAG_WIDTH, ERROR_WIDTH), largest)
        axes.set_title(f"{FILTERS.get(fid, f'fid {fid}')}: {counted(int(part['alerts'].sum()), 'alert')}", fontsize=10)
        axes.set_xlabel("magpsf [mag]")
        axes.grid(visible=True, alpha=0.2, lw=0.6)
    panels[0].set_ylabel("sigmapsf [mag]")
    add_colour_bar(figure, mesh, panels, "alerts per bin")
    return QaFigure("magnitude_error", title, figure, table)
