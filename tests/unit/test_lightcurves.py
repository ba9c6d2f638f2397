from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from alertdb.lightcurves import plot_lightcurves

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

NAN = float("nan")
COLUMNS = [
    "objectId",
    "jd",
    "fid",
    "kind",
    "magpsf",
    "sigmapsf",
    "isdiffpos",
    "diffmaglim",
    "flux",
    "flux_error",
    "magzpsci",
]
ROWS: list[tuple[Any, ...]] = [
    ("ZTF1", 2459400.5, 1, "limit", NAN, NAN, None, 20.5, NAN, NAN, NAN),
    ("ZTF1", 2459401.5, 2, "history", 19.0, 0.2, "t", 20.5, NAN, NAN, NAN),
    ("ZTF1", 2459402.5, 1, "alert", 18.0, 0.1, "t", 20.5, 100.0, 5.0, 26.0),
    ("ZTF1", 2459403.5, 1, "alert", 18.5, 0.1, "f", 20.5, NAN, NAN, NAN),
    ("ZTF1", 2459404.5, 3, "forced", NAN, NAN, None, 20.5, -100.0, 10.0, 26.0),
    ("ZTF1", 2459405.5, 3, "forced", NAN, NAN, None, 20.5, 29.0, 10.0, 26.0),
]


def frame(rows: list[tuple[Any, ...]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def points(axes: Axes) -> list[tuple[float, float, Any, Any]]:
    """What was drawn: MJD, magnitude, symbol, and the inside of the symbol."""
    drawn = [line for line in axes.get_lines() if line.get_marker() not in ("None", "", None)]
    return [
        (float(x), float(y), line.get_marker(), line.get_markerfacecolor())
        for line in drawn
        for x, y in zip(np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float), strict=True)
    ]


def test_every_point_is_drawn_once_and_by_its_kind() -> None:
    axes = plot_lightcurves(frame(ROWS)).axes[0]
    drawn = {(x, y): (marker, face) for x, y, marker, face in points(axes)}
    assert drawn == {
        (59400.0, 20.5): ("v", "none"),
        (59401.0, 19.0): ("s", "#D55E00"),
        (59402.0, 18.0): ("o", "#009E73"),
        (59403.0, 18.5): ("o", "white"),
        (59404.0, 21.0): ("P", "white"),  # 26 - 2.5 log 100; the other forced flux has less than 3 sigma
    }
    assert len(points(axes)) == 5


def test_brighter_is_up_and_the_axes_say_what_they_are() -> None:
    axes = plot_lightcurves(frame(ROWS)).axes[0]
    faintest, brightest = axes.get_ylim()
    assert faintest > 21.0
    assert brightest < 17.9
    assert (axes.get_title(), axes.get_xlabel()) == ("ZTF1", "MJD (UTC)")
    texts = [text.get_text() for text in axes.get_legend().get_texts()]  # type: ignore[union-attr]
    assert texts[:3] == ["g: 2 alerts, 1 limit", "r: 1 from history", "i: 1 forced"]
    assert "fainter than the reference" in texts


def test_the_legend_shows_symbols_of_the_picture() -> None:
    """Forced photometry alone is drawn as crosses."""
    axes = plot_lightcurves(frame(ROWS[4:])).axes[0]
    legend = axes.get_legend()
    assert legend is not None
    assert {handle.get_marker() for handle in legend.legend_handles} == {"P"}  # type: ignore[union-attr]


def test_limits_that_are_no_magnitudes_do_not_stretch_the_picture() -> None:
    rows = [*ROWS, ("ZTF1", 2459400.5, 2, "limit", NAN, NAN, None, -1006.94, NAN, NAN, NAN)]
    axes = plot_lightcurves(frame(rows)).axes[0]
    assert min(axes.get_ylim()) > 15
    assert "1 outside magnitude 0 to 30: not shown" in [text.get_text() for text in axes.get_legend().get_texts()]  # type: ignore[union-attr]


def test_one_panel_an_object() -> None:
    rows = [("ZTF2", *row[1:]) for row in ROWS] + ROWS
    assert [axes.get_title() for axes in plot_lightcurves(frame(rows)).axes] == ["ZTF2", "ZTF1"]


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS[2:3], ROWS[5:], []], ids=["limit", "alert", "faint", "none"])
def test_few_points_are_a_picture_too(rows: list[tuple[Any, ...]], tmp_path: Path) -> None:
    plot_lightcurves(frame(rows)).savefig(tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
