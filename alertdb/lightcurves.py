"""Pictures of light curves: brighter is up, one colour and symbol per filter, upper limits as triangles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.dates import AutoDateLocator, DateFormatter
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import AutoMinorLocator, ScalarFormatter

from alertdb.filters import COLOURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["draw_lightcurve", "plot_lightcurves"]

MJD_ZERO = 2400000.5  # Julian date of MJD 0
UNIX_EPOCH_MJD = 40587.0  # MJD of 1970-01-01, from which matplotlib counts days
FORCED_SIGMA = 3.0  # forced photometry fainter than this many errors is no detection
POGSON = 2.5 / np.log(10)
SANE = (0.0, 30.0)  # magnitudes that a picture is stretched for; some packets hold limits such as -1007
SMALLEST_MARGIN = 0.25  # magnitudes; equal magnitudes are not stretched to their rounding errors
DATE_FORMATS = ((1000.0, "%Y-%m"), (4.0, "%Y-%m-%d"), (0.0, "%m-%d %H:%M"))  # for spans over so many days


@dataclass(frozen=True)
class Look:
    """How a filter is drawn."""

    name: str
    color: str
    marker: str


LOOKS = {
    1: Look("g", COLOURS["g"], "o"),
    2: Look("r", COLOURS["r"], "s"),
    3: Look("i", COLOURS["i"], "D"),
}
OTHER = Look("other", "#777777", "h")


def plot_lightcurves(frame: pd.DataFrame) -> Figure:
    """Draw the light curve of each object in a frame, one below the other.

    Parameters
    ----------
    frame
        What `Archive.lightcurve` returns.
    """
    names = list(dict.fromkeys(frame["objectId"]))
    figure = Figure(figsize=(8.0, 0.4 + 4.6 * max(len(names), 1)), layout="constrained")
    for number, name in enumerate(names, start=1):
        axes = figure.add_subplot(len(names), 1, number)
        draw_lightcurve(axes, frame[frame["objectId"] == name])
    return figure


def draw_lightcurve(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw one object's light curve: difference magnitudes against MJD, with the date (UTC) on top.

    Alerts are large symbols, detections known from a history small ones; those fainter than the reference are open.
    Forced photometry over three errors is drawn as small crosses at the magnitude of its flux.
    """
    points = _points(frame)
    handles = []
    for fid in sorted(set(points["fid"])):
        look = LOOKS.get(fid, OTHER)
        part = points[points["fid"] == fid]
        _draw_filter(axes, part, look)
        handles.append(_handle(look, label=_counts(look, part), **_symbol(part)))
    axes.set_title(" ".join(dict.fromkeys(frame["objectId"])), fontsize=13, fontweight="bold", pad=9)
    _set_magnitudes(axes, points)
    _set_times(axes, float(np.ptp(points["mjd"].to_numpy())) if len(points) else 0.0)
    axes.legend(handles=handles + _explanations(points), fontsize=8.5, frameon=True, framealpha=0.85, loc="best")


def _points(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is drawn: mjd, fid, kind, magnitude, its error, and whether the difference is negative."""
    columns = {name: frame[name].to_numpy(float) for name in ("magpsf", "sigmapsf", "diffmaglim")}
    flux, flux_error, zeropoint = (frame[name].to_numpy(float) for name in ("flux", "flux_error", "magzpsci"))
    is_limit, is_forced = ((frame["kind"] == kind).to_numpy() for kind in ("limit", "forced"))
    with np.errstate(divide="ignore", invalid="ignore"):
        forced = zeropoint - 2.5 * np.log10(np.abs(flux))
        is_faint = is_forced & ~(np.abs(flux) > FORCED_SIGMA * flux_error)
        forced_error = POGSON * flux_error / np.abs(flux)
    points = frame[["fid", "kind"]].assign(
        mjd=frame["jd"] - MJD_ZERO,
        mag=np.select([is_forced, is_limit], [forced, columns["diffmaglim"]], columns["magpsf"]),
        error=np.where(is_forced, forced_error, columns["sigmapsf"]),
        negative=np.where(is_forced, flux < 0, (frame["isdiffpos"] == "f").fillna(False).to_numpy(bool)),
    )
    drawn: pd.DataFrame = points.loc[~is_faint & np.isfinite(points["mag"])]
    return drawn


def _draw_filter(axes: Axes, part: pd.DataFrame, look: Look) -> None:
    limits = part[part["kind"] == "limit"]
    axes.plot(limits["mjd"], limits["mag"], "v", ms=5, mfc="none", mec=look.color, mew=0.9, alpha=0.75, zorder=1)
    for kind, style in STYLES.items():
        for is_negative in (False, True):
            chosen = part[(part["kind"] == kind) & (part["negative"] == is_negative)]
            drawn = style | {"marker": style.get("marker", look.marker), "mfc": "white" if is_negative else look.color}
            axes.errorbar(
                chosen["mjd"], chosen["mag"], yerr=chosen["error"], color=look.color, ls="none", capsize=0, **drawn
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


def _counts(look: Look, part: pd.DataFrame) -> str:
    counts = {kind: int((part["kind"] == kind).sum()) for kind in COUNTED}
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


def _marker(points: pd.DataFrame) -> str:
    """Return the symbol of the first of these points."""
    if not len(points) or points["kind"].iloc[0] == "forced":
        return "P"
    return LOOKS.get(points["fid"].iloc[0], OTHER).marker


def _explanations(points: pd.DataFrame) -> list[Line2D]:
    """Return the legend of those symbols that are in the picture."""
    gray = Look("", "#555555", "o")
    is_history = points["kind"] == "history"
    outside = ~points["mag"].between(*SANE)
    outside_label = f"{outside.sum()} outside magnitude {SANE[0]:g} to {SANE[1]:g}: not shown"
    entries: list[tuple[pd.Series[bool], str, dict[str, Any]]] = [
        (is_history, "known from the history only", {"ms": 3.4, "marker": _marker(points[is_history])}),
        (
            points["negative"],
            "fainter than the reference",
            {"mfc": "white", "marker": _marker(points[points["negative"]])},
        ),
        (points["kind"] == "forced", "forced photometry", {"marker": "P", "ms": 4.0}),
        (points["kind"] == "limit", "upper limit (5 sigma)", {"marker": "v", "mfc": "none", "ms": 4.5}),
        (outside, outside_label, {"marker": ""}),
    ]
    return [_handle(gray, label=label, **style) for which, label, style in entries if which.any()]


def _set_magnitudes(axes: Axes, points: pd.DataFrame) -> None:
    shown = points[points["mag"].between(*SANE)]
    magnitudes = shown["mag"].to_numpy(float)
    errors = np.nan_to_num(shown["error"].to_numpy(float))  # limits have none
    if len(shown):
        brightest, faintest = float(np.min(magnitudes - errors)), float(np.max(magnitudes + errors))
        margin = max(0.06 * (faintest - brightest), SMALLEST_MARGIN)
        axes.set_ylim(faintest + margin, brightest - margin)
    axes.set_ylabel("difference magnitude")
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
