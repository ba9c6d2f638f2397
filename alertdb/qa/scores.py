"""Quality pictures of the real-bogus scores: their distributions, and how they follow magnitude and repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from alertdb.qa.counting import binned, count
from alertdb.qa.densities import draw_filters, filters_size
from alertdb.qa.result import (
    COLOURMAP,
    MAGNITUDES,
    QaFigure,
    add_colour_bar,
    counted,
    empty_picture,
    new_picture,
    sane,
    scale,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from alertdb.query import Reader

__all__ = ["rb_against_magnitude", "rb_against_observations", "score_distributions"]

SCORE_WIDTH = 0.02  # seven steps of rb, which is a share of 350 trees
MAG_WIDTH = 0.2  # mag
NUMBERS = [2, 3, 5, *(digit * 10**power for power in range(1, 6) for digit in (1, 2, 5))]  # on the axis
STEPS_PER_DECADE = 12  # of the number of observations
SCORES = {"rb": "random forest: rb", "drb": "deep learning: drb"}
NO_OBJECTS = "No objects with two or more alerts yet."


def score_distributions(reader: Reader) -> QaFigure:
    """Draw how many alerts have which RB and DRB score."""
    title = "Real-bogus scores"
    groups = {score: _score_bin(score) for score in SCORES}
    counts = count(reader, groups, "alerts", nulls=True)  # of both at once: one pass over the key
    table = pd.concat([_distribution(counts, score) for score in SCORES], ignore_index=True)
    totals = table.groupby("score")["alerts"].sum()
    subtitle = f"{reader.database}: " + ", ".join(f"{counted(int(totals.get(s, 0)), 'alert')} with {s}" for s in SCORES)
    if not len(table):
        return QaFigure("scores", title, empty_picture(title, subtitle, "No alerts yet."), table)
    figure = new_picture(title, subtitle, (9.0, 4.6))
    for axes, (score, label) in zip(figure.subplots(1, 2, sharey=True), SCORES.items(), strict=True):
        part = table[table["score"] == score]
        edges = np.linspace(0, 1, round(1 / SCORE_WIDTH) + 1)
        drawn = np.histogram(part["low"] + SCORE_WIDTH / 2, edges, weights=part["alerts"])[0]
        axes.stairs(drawn, edges, fill=True, color="#3b6ea5")
        axes.set_yscale("log")
        axes.set_xlim(0, 1)
        axes.set_xlabel(f"{label} (0 bogus, 1 real)")
        axes.grid(visible=True, alpha=0.2, lw=0.6)
    figure.axes[0].set_ylabel(f"alerts per {SCORE_WIDTH:g}")
    return QaFigure("scores", title, figure, table)


def _distribution(counts: pd.DataFrame, score: str) -> pd.DataFrame:
    table = counts.dropna(subset=score).groupby(score, as_index=False)["alerts"].sum()
    return pd.DataFrame(
        {"score": score, "low": (table[score].astype("float64") * SCORE_WIDTH).round(6), "alerts": table["alerts"]}
    )


def _score_bin(expression: str) -> str:
    """Return SQL for the bin of a score; 1 and what is beyond belong to the last, what is below 0 to the first."""
    return f"GREATEST(0, LEAST({binned(expression, SCORE_WIDTH)}, {round(1 / SCORE_WIDTH) - 1}))"


def rb_against_magnitude(reader: Reader) -> QaFigure:
    """Draw the objects of the summary by mean magnitude and mean RB, a panel per filter."""
    title = "Mean RB against mean magnitude"
    mean = "CASE f.fid WHEN 1 THEN magmean_g WHEN 2 THEN magmean_r ELSE magmean_i END"
    groups = {"fid": "f.fid", "magnitude": binned(mean, MAG_WIDTH), "rb": _score_bin("rb_mean")}
    source = "summary STRAIGHT_JOIN (SELECT 1 AS fid UNION ALL SELECT 2 UNION ALL SELECT 3) AS f"
    table = count(reader, groups, source, "objects")
    table = table.assign(magnitude=(table["magnitude"] * MAG_WIDTH).round(6), rb=(table["rb"] * SCORE_WIDTH).round(6))
    subtitle = f"{reader.database}: difference magnitudes of objects with two or more alerts, bins of {MAG_WIDTH} mag"
    table, left_out = sane(table, {"magnitude": MAGNITUDES}, "objects")
    subtitle += left_out
    if not len(table):
        return QaFigure("rb_magnitude", title, empty_picture(title, subtitle, NO_OBJECTS), table)
    figure = new_picture(title, subtitle, filters_size(table))
    for fid, axes in draw_filters(figure, table, "magnitude", "rb", "objects", (MAG_WIDTH, SCORE_WIDTH)).items():
        _draw_mean(axes, table[table["fid"] == fid], "magnitude", MAG_WIDTH / 2)
        axes.set(xlabel="mean difference magnitude", ylim=(0, 1))
    figure.axes[0].set_ylabel("mean RB")
    figure.axes[0].legend(fontsize=8.5, loc="lower left")
    return QaFigure("rb_magnitude", title, figure, table)


def rb_against_observations(reader: Reader) -> QaFigure:
    """Draw the objects of the summary by number of alerts and mean RB."""
    title = "Mean RB against number of observations"
    table = count(reader, {"nobs": "nobs", "rb": _score_bin("rb_mean")}, "summary", "objects")
    table = table.assign(rb=(table["rb"] * SCORE_WIDTH).round(6))
    subtitle = f"{reader.database}: {counted(int(table['objects'].sum()), 'object')} with two or more alerts"
    if not len(table):
        return QaFigure("rb_observations", title, empty_picture(title, subtitle, NO_OBJECTS), table)
    figure = new_picture(title, subtitle)
    axes = figure.add_subplot()
    edges = _observation_edges(int(table["nobs"].max()))
    place = np.searchsorted(edges, table["nobs"], side="right") - 1
    drawn = table.assign(place=place).groupby(["place", "rb"], as_index=False)["objects"].sum()
    counts = np.full((round(1 / SCORE_WIDTH), len(edges) - 1), np.nan)
    counts[np.rint(drawn["rb"] / SCORE_WIDTH).astype(int), drawn["place"]] = drawn["objects"]
    mesh = _draw_logarithmic(axes, edges, counts)
    centres = np.sqrt(edges[:-1] * edges[1:])
    _draw_mean(axes, drawn.assign(nobs=centres[drawn["place"]]), "nobs", 0.0)
    axes.set(xlabel="alerts of an object", ylabel="mean RB", ylim=(0, 1))
    axes.legend(fontsize=8.5, loc="lower right")
    add_colour_bar(figure, mesh, axes, "objects per bin")
    return QaFigure("rb_observations", title, figure, table)


def _observation_edges(most: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return edges of bins for numbers of observations: one each at first, then equal steps of the logarithm."""
    steps = np.arange(np.ceil(np.log10(most + 1) * STEPS_PER_DECADE) + 1)
    edges = np.unique(np.round(10 ** (steps / STEPS_PER_DECADE)))
    edges = edges[edges >= 2]
    return np.append(edges[edges <= most], most + 1) - 0.5


def _draw_logarithmic(axes: Axes, edges: Any, counts: Any) -> Any:
    axes.set_xscale("log")
    axes.set_xticks([number for number in NUMBERS if edges[0] <= number <= edges[-1]], minor=False)
    axes.set_xticks([], minor=True)
    axes.xaxis.set_major_formatter("{x:g}")
    scores = np.linspace(0, 1, counts.shape[0] + 1)
    return axes.pcolormesh(edges, scores, counts, norm=scale(1, np.nanmax(counts)), cmap=COLOURMAP, rasterized=True)


def _draw_mean(axes: Axes, table: pd.DataFrame, x: str, shift: float) -> None:
    """Draw the mean RB of each column of bins."""
    weighted = table.assign(product=(table["rb"] + SCORE_WIDTH / 2) * table["objects"]).groupby(x)
    sums = weighted[["product", "objects"]].sum()
    axes.plot(sums.index + shift, sums["product"] / sums["objects"], color="#d1242f", lw=1.6, label="mean")
