"""Pictures of light curves: brighter is up, one colour and symbol per filter, upper limits as triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.lines import Line2D
from matplotlib.ticker import AutoMinorLocator, ScalarFormatter

from alertdb.filters import colour_of, filter_name
from alertdb.picture import Picture
from alertdb.points import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from alertdb.points import Quantity

__all__ = ["LOOKS", "draw_folded", "draw_lightcurve", "plot_lightcurves"]

UNIX_EPOCH_MJD = 40587.0  # MJD of 1970-01-01, from which matplotlib counts days
SANE = (0.0, 30.0)  # magnitudes that a picture is stretched for; some packets hold limits such as -1007
SMALLEST_MARGIN = 0.25  # magnitudes; equal magnitudes are not stretched to their rounding errors
DATE_FORMATS = ((1000.0, "%Y-%m"), (4.0, "%Y-%m-%d"), (0.0, "%m-%d %H:%M"))  # for spans over so many days


@dataclass(frozen=True)
class Look:
    """How a filter is drawn."""

    name: str
    color: str
    marker: str


LOOKS = {fid: Look(filter_name(fid), colour_of(fid), marker) for fid, marker in ((1, "o"), (2, "s"), (3, "D"))}
OTHER = Look("other", "#777777", "h")


def plot_lightcurves(frame: pd.DataFrame, quantity: Quantity = "difference") -> Picture:
    """Draw the light curve of each object in a frame, one below the other.

    Parameters
    ----------
    frame
        What `Archive.lightcurve` returns.
    quantity
        ``difference`` (magnitude), ``apparent`` (magnitude) or ``flux`` (of the difference, in microjansky).
    """
    names = list(dict.fromkeys(frame["objectId"]))
    figure = Picture(figsize=(8.0, 0.4 + 4.6 * max(len(names), 1)), layout="constrained")
    for number, name in enumerate(names, start=1):
        axes = figure.add_subplot(len(names), 1, number)
        draw_lightcurve(axes, frame[frame["objectId"] == name], quantity)
    return figure


def draw_lightcurve(axes: Axes, frame: pd.DataFrame, quantity: Quantity = "difference") -> None:
    """Draw one object's light curve against MJD, with the date (UTC) on top.

    Alerts are large symbols, detections known from a history small ones; of magnitudes those fainter than the
    reference are open. Forced photometry is drawn as small crosses, upper limits as triangles.
    """
    drawn = points(frame, quantity)
    drawn = drawn.assign(x=drawn["mjd"])
    _draw_points(axes, drawn, quantity)
    axes.set_title(" ".join(dict.fromkeys(frame["objectId"])), fontsize=13, fontweight="bold", pad=9, parse_math=False)
    _set_times(axes, float(np.ptp(drawn["mjd"].to_numpy())) if len(drawn) else 0.0)


def draw_folded(axes: Axes, frame: pd.DataFrame, quantity: Quantity = "difference") -> None:
    """Draw a light curve with a column `phase` (0 to 1) over two cycles, without upper limits."""
    drawn = points(frame[frame["kind"] != "limit"], quantity)
    phase = frame["phase"].reindex(drawn.index)
    _draw_points(axes, pd.concat([drawn.assign(x=phase), drawn.assign(x=phase + 1)]), quantity, cycles=2)
    axes.set_title(" ".join(dict.fromkeys(frame["objectId"])), fontsize=13, fontweight="bold", pad=9, parse_math=False)
    axes.set_xlabel("phase")
    axes.set_xlim(0, 2)
    axes.tick_params(which="both", direction="in", right=True, top=True)
    axes.xaxis.set_minor_locator(AutoMinorLocator())


def _draw_points(axes: Axes, drawn: pd.DataFrame, quantity: Quantity, cycles: int = 1) -> None:
    """Draw points at `x` with a legend, and set the vertical axis."""
    opens = quantity == "difference"  # other quantities tell the sign themselves
    drawn = drawn.assign(negative=drawn["negative"] & opens)
    handles = []
    for fid in sorted(set(drawn["fid"])):
        look = LOOKS.get(fid, OTHER)
        part = drawn[drawn["fid"] == fid]
        _draw_filter(axes, part, look)
        handles.append(_handle(look, label=_counts(look, part, cycles), **_symbol(part)))
    if quantity == "flux":
        _set_fluxes(axes)
    else:
        _set_magnitudes(axes, drawn, f"{quantity} magnitude")
    axes.legend(
        handles=handles + _explanations(drawn, quantity), fontsize=8.5, frameon=True, framealpha=0.85, loc="best"
    )


def _draw_filter(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    limits = part[part["kind"] == "limit"]
    axes.plot(limits["x"], limits["value"], "v", ms=5, mfc="none", mec=look.color, mew=0.9, alpha=0.75, zorder=1)
    for kind, style in STYLES.items():
        for is_negative in (False, True):
            chosen = part[(part["kind"] == kind) & (part["negative"] == is_negative)]
            drawn = style | {"marker": style.get("marker", look.marker), "mfc": "white" if is_negative else look.color}
            axes.errorbar(
                chosen["x"], chosen["value"], yerr=chosen["error"], color=look.color, ls="none", capsize=0, **drawn
            )


STYLES: dict[str, dict[str, Any]] = {
    "alert": {"ms": 6.5, "mew": 1.1, "elinewidth": 1.1, "zorder": 4},
    "history": {"ms": 3.4, "mew": 0.9, "elinewidth": 0.8, "zorder": 3},
    "forced": {"ms": 4.0, "mew": 0.7, "elinewidth": 0.6, "zorder": 2, "marker": "P", "alpha": 0.7},
}
COUNTED = {  # one, several
    "alert": ("alert", "alerts"),
    "history": ("from history", "from history"),
    "limit": ("limit", "limits"),
    "forced": ("forced", "forced"),
}


def _counts(look: Look, part: pd.DataFrame, cycles: int) -> str:
    counts = {kind: int((part["kind"] == kind).sum()) // cycles for kind in COUNTED}
    said = [f"{count} {COUNTED[kind][count > 1]}" for kind, count in counts.items() if count]
    return f"{look.name}: {', '.join(said)}"


def _handle(look: Look, **other: Any) -> Line2D:
    properties: dict[str, Any] = {"ls": "none", "marker": look.marker, "color": look.color, "ms": 6.5}
    return Line2D([], [], **(properties | other))


def _symbol(part: pd.DataFrame) -> dict[str, Any]:
    """Return how a filter's symbol differs where it has no alerts and nothing from a history."""
    kinds = set(part["kind"])
    if kinds <= {"limit"}:
        return {"marker": "v", "mfc": "none"}
    return {"marker": "P"} if kinds <= {"limit", "forced"} else {}


def _marker(drawn: pd.DataFrame) -> str:
    """Return the symbol of the first of these drawn."""
    if not len(drawn) or drawn["kind"].iloc[0] == "forced":
        return "P"
    return LOOKS.get(drawn["fid"].iloc[0], OTHER).marker


def _explanations(drawn: pd.DataFrame, quantity: Quantity) -> list[Line2D]:
    """Return the legend of those symbols that are in the picture."""
    gray = Look("", "#555555", "o")
    is_history = drawn["kind"] == "history"
    outside = ~drawn["value"].between(*SANE) & (quantity != "flux")
    outside_label = f"{outside.sum()} outside magnitude {SANE[0]:g} to {SANE[1]:g}: not shown"
    entries: list[tuple[pd.Series[bool], str, dict[str, Any]]] = [
        (is_history, "known from the history only", {"ms": 3.4, "marker": _marker(drawn[is_history])}),
        (
            drawn["negative"],
            "fainter than the reference",
            {"mfc": "white", "marker": _marker(drawn[drawn["negative"]])},
        ),
        (drawn["kind"] == "forced", "forced photometry", {"marker": "P", "ms": 4.0}),
        (drawn["kind"] == "limit", "upper limit (5 sigma)", {"marker": "v", "mfc": "none", "ms": 4.5}),
        (outside, outside_label, {"marker": ""}),
    ]
    return [_handle(gray, label=label, **style) for which, label, style in entries if which.any()]


def _set_magnitudes(axes: Axes, drawn: pd.DataFrame, label: str) -> None:
    shown = drawn[drawn["value"].between(*SANE)]
    magnitudes = shown["value"].to_numpy(float)
    errors = np.nan_to_num(shown["error"].to_numpy(float))  # limits have none
    if len(shown):
        brightest, faintest = float(np.min(magnitudes - errors)), float(np.max(magnitudes + errors))
        margin = max(0.06 * (faintest - brightest), SMALLEST_MARGIN)
        axes.set_ylim(faintest + margin, brightest - margin)
    _set_vertical(axes, label)


def _set_fluxes(axes: Axes) -> None:
    axes.axhline(0, color="#555555", lw=0.8, zorder=0)
    _set_vertical(axes, "flux of the difference [\N{MICRO SIGN}Jy]")


def _set_vertical(axes: Axes, label: str) -> None:
    axes.set_ylabel(label)
    axes.yaxis.set_minor_locator(AutoMinorLocator())
    axes.grid(visible=True, alpha=0.2, lw=0.6)


def _set_times(axes: Axes, span_days: float) -> None:
    axes.set_xlabel("MJD (UTC)")
    axes.xaxis.set_major_formatter(ScalarFormatter(useOffset=False))
    axes.xaxis.set_minor_locator(AutoMinorLocator())
    axes.tick_params(which="both", direction="in", right=True)
    dates = axes.secondary_xaxis("top", functions=(_to_date, _to_mjd))
    locator: Any = AutoDateLocator
    formatter: Any = DateFormatter
    dates.xaxis.set_major_locator(locator(minticks=3, maxticks=6))
    dates.xaxis.set_major_formatter(formatter(next(form for days, form in DATE_FORMATS if span_days >= days)))
    dates.tick_params(direction="in")


def _to_date(mjd: Any) -> Any:
    return mjd - UNIX_EPOCH_MJD


def _to_mjd(day: Any) -> Any:
    return day + UNIX_EPOCH_MJD
