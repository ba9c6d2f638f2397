"""Quality pictures along time: alerts per night, limiting magnitudes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alertdb.filters import colour_of, filter_name
from alertdb.qa.counting import NIGHT, binned, count, with_dates
from alertdb.qa.result import (
    MAGNITUDES,
    NID_EPOCH_DAYS,
    QaFigure,
    counted,
    empty_picture,
    new_picture,
    sane,
    set_dates,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from alertdb.query import Reader

__all__ = ["alerts_per_night", "limiting_magnitudes"]

PROGRAMMES = {1: "public (programid 1)", 2: "partnership (programid 2)", 3: "Caltech (programid 3)"}
LIMIT_WIDTH = 0.05  # mag
QUANTILES = {"p10": 0.1, "median": 0.5, "p90": 0.9}


def alerts_per_night(reader: Reader) -> QaFigure:
    """Draw the alerts of each night by filter, one panel per programme."""
    title = "Alerts per night"
    groups = {"nid": NIGHT, "fid": "fid", "programid": "programid"}
    table = with_dates(count(reader, groups, "alerts"))
    total = int(table["alerts"].sum())
    subtitle = f"{reader.database}: {counted(total, 'alert')} in {counted(table['nid'].nunique(), 'night')}"
    if not total:
        return QaFigure("nights", title, empty_picture(title, subtitle, "No alerts yet."), table)
    programmes = sorted(table["programid"].unique())
    figure = new_picture(title, subtitle, (8.0, 1.6 + 2.6 * len(programmes)))
    panels = figure.subplots(len(programmes), 1, sharex=True, squeeze=False)[:, 0]
    nights = np.arange(table["nid"].min(), table["nid"].max() + 1)
    for axes, programme in zip(panels, programmes, strict=True):
        _stack(axes, table[table["programid"] == programme], nights)
        axes.set_title(PROGRAMMES.get(programme, f"programid {programme}"), fontsize=10, loc="left")
    set_dates(panels[-1])
    return QaFigure("nights", title, figure, table)


def _stack(axes: Axes, table: pd.DataFrame, nights: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    """Stack the filters' counts of each night."""
    edges = np.append(nights, nights[-1] + 1) + NID_EPOCH_DAYS
    below = np.zeros(len(nights))
    for fid in sorted(table["fid"].unique()):
        alerts = table[table["fid"] == fid].set_index("nid")["alerts"].reindex(nights, fill_value=0).to_numpy(float)
        label = f"{filter_name(fid)}: {int(alerts.sum()):,}"
        tops = np.where(alerts > 0, below + alerts, np.nan)
        colour = colour_of(fid)
        # A line of its own, so that a night shows among a thousand without any
        axes.stairs(tops, edges, baseline=below, fill=True, facecolor=colour, edgecolor=colour, lw=0.7, label=label)
        below += alerts
    axes.set_ylabel("alerts")
    axes.set_ylim(0, float(below.max()) * 1.05)
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=True, alpha=0.2, lw=0.6)
    axes.legend(fontsize=8.5, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)


def limiting_magnitudes(reader: Reader) -> QaFigure:
    """Draw the limiting magnitude of each night and filter: median of the alerts, and where 80 % of them lie."""
    title = "Limiting magnitude"
    groups = {"nid": NIGHT, "fid": "fid", "bin": binned("diffmaglim", LIMIT_WIDTH)}
    counts = count(reader, groups, "alerts")
    counts, left_out = sane(counts.assign(magnitude=counts["bin"] * LIMIT_WIDTH), {"magnitude": MAGNITUDES})
    table = with_dates(_quantiles(counts))
    subtitle = f"{reader.database}: diffmaglim (5 sigma) of {counted(int(counts['alerts'].sum()), 'alert')}{left_out}"
    if not len(table):
        return QaFigure("limits", title, empty_picture(title, subtitle, "No alerts yet."), table)
    figure = new_picture(title, subtitle)
    axes = figure.add_subplot()
    fids = sorted(table["fid"].unique())
    for place, fid in enumerate(fids):
        part = table[table["fid"] == fid]
        days = part["nid"] + NID_EPOCH_DAYS + (place + 1) / (len(fids) + 1)  # side by side within the night
        spread = np.abs(part[["p10", "p90"]].sub(part["median"], axis=0).to_numpy().T)
        style: dict[str, Any] = {"ms": 3.5, "elinewidth": 0.7, "color": colour_of(fid)}
        axes.errorbar(days, part["median"], yerr=spread, fmt="o", label=filter_name(fid), **style)
    axes.invert_yaxis()
    axes.set_ylabel("limiting magnitude\n(median; bars: 10 % to 90 % of the alerts)")
    axes.legend(fontsize=9, loc="upper left", bbox_to_anchor=(1.0, 1.0), frameon=False)
    set_dates(axes)
    return QaFigure("limits", title, figure, table)


def _quantiles(counts: pd.DataFrame) -> pd.DataFrame:
    """Return alerts and quantiles of each night and filter, from counts per bin (the middle of a bin stands for it)."""
    rows = []
    for (nid, fid), part in counts.groupby(["nid", "fid"]):
        share = part["alerts"].cumsum() / part["alerts"].sum()
        places = {name: int(np.searchsorted(share, q)) for name, q in QUANTILES.items()}
        middle = {name: round((part["bin"].iloc[place] + 0.5) * LIMIT_WIDTH, 6) for name, place in places.items()}
        rows.append({"nid": nid, "fid": fid, "alerts": int(part["alerts"].sum()), **middle})
    frame = pd.DataFrame(rows, columns=["nid", "fid", "alerts", *QUANTILES])
    return frame.astype({"nid": "int64", "fid": "int64", "alerts": "int64"})
