"""Light curves as frames with pictures, against values that can be checked by eye."""

from __future__ import annotations

import importlib.util
from typing import Any

import astropy.units as u
import numpy as np
import pandas as pd
import pytest

from alertdb.epochs import FoldedLightCurve, LightCurve
from alertdb.picture_errors import BadPeriod, PackageMissing, ReferenceMissing, UnknownChoice
from alertdb.points import points

NAN = float("nan")
COLUMNS = ["objectId", "jd", "fid", "kind", "magpsf", "sigmapsf", "isdiffpos", "diffmaglim", "flux", "flux_error",
           "magzpsci", "distnr", "magnr", "sigmagnr", "chinr", "sharpnr"]  # fmt: skip
STAR = (0.1, 18.0, 0.02, 1.0, 0.0)  # beneath
FAR = (5.0, 18.0, 0.02, 1.0, 0.0)  # too far away
ROWS: list[tuple[Any, ...]] = [
    ("ZTF1", 2459400.5, 1, "limit", NAN, NAN, None, 20.5, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN),
    ("ZTF1", 2459401.5, 2, "history", 18.0, 0.2, "t", 20.5, NAN, NAN, NAN, *STAR),
    ("ZTF1", 2459402.5, 1, "alert", 18.0, 0.1, "t", 20.5, NAN, NAN, NAN, *FAR),
    ("ZTF1", 2459403.5, 1, "alert", 18.5, 0.1, "f", 20.5, NAN, NAN, NAN, *STAR),
    ("ZTF1", 2459404.5, 3, "forced", NAN, NAN, None, 20.5, -100.0, 10.0, 26.0, *STAR),
    ("ZTF1", 2459405.5, 3, "forced", NAN, NAN, None, 20.5, 29.0, 10.0, 26.0, *FAR),
]


def curve(rows: list[tuple[Any, ...]] = ROWS) -> LightCurve:
    return LightCurve(pd.DataFrame(rows, columns=COLUMNS))


def test_rows_of_a_light_curve_are_one_and_some_columns_are_not() -> None:
    assert type(curve()[curve()["fid"] == 1]) is LightCurve
    assert type(curve().sort_values("jd")) is LightCurve
    assert type(curve()[["jd", "magpsf"]]) is pd.DataFrame
    assert type(curve().groupby("fid")["magpsf"].mean()) is pd.Series


def test_apparent_magnitudes() -> None:
    drawn = points(curve(), "apparent")
    # 18 and 18 together are 0.7526 brighter; alone 18; 18 less 18.5 (a flux of 0.631) is 1 - 0.631 = 0.369 of it;
    # 100 DN at 26.0 are magnitude 21: 0.0631 of the star; a forced point is shown whatever its significance
    expected = {59401.0: 17.2474, 59402.0: 18.0, 59403.0: 19.0824, 59404.0: 18.0708, 59405.0: 22.344}
    assert dict(zip(drawn["mjd"], drawn["value"].round(4), strict=True)) == pytest.approx(expected, abs=1e-4)


def test_fluxes_keep_their_sign_and_limits_are_five_sigma_fluxes() -> None:
    drawn = points(curve(), "flux").set_index("mjd")
    at_18 = 3631e6 * 10 ** (-0.4 * 18)
    per_count = 3631e6 * 10 ** (-0.4 * 26)
    expected = [at_18 / 10, at_18, at_18, -at_18 * 10**-0.2, -100 * per_count, 29 * per_count]
    assert drawn["value"].tolist() == pytest.approx(expected, rel=1e-12)
    assert drawn["error"].tolist()[4:] == pytest.approx([10 * per_count] * 2, rel=1e-12)


def test_photometry_adds_columns() -> None:
    known = curve().photometry()
    assert {"flux_ujy", "flux_ujy_error", "mag_apparent", "mag_apparent_error"} <= set(known)
    assert known["mag_apparent"].isna().tolist() == [True, False, False, False, False, False]
    without = LightCurve(curve().drop(columns=["distnr", "magnr"])).photometry()
    assert "flux_ujy" in without
    assert "mag_apparent" not in without


def test_units() -> None:
    table = curve().photometry().to_table()
    assert (table["jd"].unit, table["magpsf"].unit, table["flux_ujy"].unit) == (u.day, u.mag, u.uJy)
    assert len(table) == 6


@pytest.mark.parametrize(
    ("quantity", "label", "brightest_up"),
    [
        ("difference", "difference magnitude", True),
        ("apparent", "apparent magnitude", True),
        ("flux", "flux of the difference [µJy]", False),
    ],
)
def test_axes(quantity: Any, label: str, brightest_up: bool) -> None:
    for figure in (curve().plot(quantity), curve().fold(1.7).plot(quantity)):
        (axes,) = figure.axes
        bottom, top = axes.get_ylim()
        assert axes.get_ylabel() == label
        assert (bottom > top) == brightest_up


def test_folding() -> None:
    folded = curve().fold(2.0 * u.day, t0=2459401.0)
    assert isinstance(folded, FoldedLightCurve)
    assert folded["phase"].tolist() == [0.25, 0.25, 0.25, 0.75, 0.75, 0.75]
    assert folded["jd"].tolist() == [2459401.5, 2459403.5, 2459405.5, 2459400.5, 2459402.5, 2459404.5]
    assert folded["cycle"].tolist() == [0, 1, 2, -1, 0, 1]
    assert isinstance(folded[folded["fid"] == 1], FoldedLightCurve)
    assert curve().fold(48 * u.hour)["phase"].min() == 0.0


def test_a_folded_picture_shows_two_cycles_without_limits() -> None:
    (axes,) = curve().fold(2.0).plot().axes
    lines = [line for line in axes.get_lines() if line.get_marker() not in ("None", "", None)]
    drawn = sorted(float(x) for line in lines for x in np.asarray(line.get_xdata(), float))
    assert drawn == [0.0, 0.0, 0.5, 0.5, 1.0, 1.0, 1.5, 1.5]  # the faint forced point , at 0.5, is none of them
    legend = axes.get_legend()
    assert legend is not None
    assert legend.get_texts()[0].get_text() == "g: 2 alerts"


@pytest.mark.parametrize("period", [0, -1.0, NAN, float("inf"), "a day", None, 3 * u.m])
def test_periods_that_are_none(period: Any) -> None:
    with pytest.raises(BadPeriod, match="positive number of days"):
        curve().fold(period)


def test_what_cannot_be_drawn_is_said() -> None:
    with pytest.raises(UnknownChoice, match=r"'flx'.*difference, apparent, flux\. Nearest: flux"):
        curve().plot("flx")  # type: ignore[arg-type]
    without = LightCurve(curve().drop(columns=["distnr"]))
    with pytest.raises(ReferenceMissing, match="distnr.*reference=True"):
        without.plot("apparent")


@pytest.mark.skipif(importlib.util.find_spec("lightkurve") is not None, reason="lightkurve is installed")
def test_lightkurve_that_is_not_installed() -> None:
    with pytest.raises(PackageMissing, match="pip install lightkurve"):
        curve().to_lightkurve()


def test_jupyter_shows_a_picture() -> None:
    assert curve().plot()._repr_png_().startswith(b"\x89PNG")


def test_a_name_that_looks_like_a_formula_is_a_name() -> None:
    strange = curve()
    strange["objectId"] = "$\\frac{$"
    for figure in (strange.plot(), strange.fold(2.0).plot()):
        assert figure._repr_png_().startswith(b"\x89PNG")


def test_lightkurve() -> None:
    pytest.importorskip("lightkurve", reason="lightkurve is no dependency: pip install lightkurve runs this test")
    converted = curve().to_lightkurve("difference")
    assert converted.time.jd.tolist() == [2459401.5, 2459402.5, 2459403.5, 2459404.5]
    assert converted.flux.value.tolist() == [18.0, 18.0, 18.5, 21.0]
    assert curve().to_lightkurve().flux.unit == u.uJy
