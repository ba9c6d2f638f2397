"""The sheet, opened with Pillow and looked at by counting pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from astropy.time import Time
from PIL import Image as Pillow

from alertdb.contact_sheet import SheetAlert, contact_sheet, utc_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alertdb.stamps import Image

NO_VALUE = [201, 209, 217]


def noise(seed: int, shape: tuple[int, int] = (63, 63)) -> Image:
    return np.random.default_rng(seed).normal(100, 5, shape).astype(np.float32)


def alert(number: int, **stamps: Image) -> SheetAlert:
    images = stamps or {"science": noise(number), "template": noise(number + 1), "difference": noise(number + 2)}
    return SheetAlert(jd=2459396.9 + number, filter="gri"[number % 3], magnitude=18.25, stamps=images)


def drawn(alerts: Sequence[SheetAlert], path: Path, **options: Any) -> np.ndarray[Any, Any]:
    """Return the sheet as an array (rows, columns, red green blue)."""
    contact_sheet(alerts, title="ZTF21abiuvdk", **options).savefig(path / "sheet.png")
    with Pillow.open(path / "sheet.png") as picture:
        return np.asarray(picture.convert("RGB")).astype(int)


@pytest.mark.parametrize("alerts", [1, 2, 5, 34, 80])
def test_sheets_of_any_length_are_of_handy_size(tmp_path: Path, alerts: int) -> None:
    sheet = drawn([alert(number) for number in range(alerts)], tmp_path)
    height, width, _ = sheet.shape
    assert width < 3000
    assert height < 3000
    assert (tmp_path / "sheet.png").stat().st_size < 25_000 * alerts + 50_000


def test_a_cutout_s_pixels_are_all_there(tmp_path: Path) -> None:
    """A missing cutout, and one without values, leave as many pixels in the colour of no value."""
    nothing = np.full((63, 63), np.nan, np.float32)
    sheet = drawn([alert(0, science=noise(1), difference=nothing)], tmp_path)
    assert (sheet == NO_VALUE).all(axis=-1).sum() == 2 * (4 * 63) ** 2


def test_one_kind_alone(tmp_path: Path) -> None:
    blank = np.full((63, 63), np.nan, np.float32)
    sheet = drawn([alert(0, science=noise(1), difference=blank)], tmp_path, kinds=["difference"])
    assert (sheet == NO_VALUE).all(axis=-1).sum() == (4 * 63) ** 2


def test_a_small_cutout_is_put_into_the_middle(tmp_path: Path) -> None:
    sheet = drawn([alert(0, science=noise(1), template=noise(2, (51, 63)), difference=noise(3))], tmp_path)
    rows, columns = np.nonzero((sheet == NO_VALUE).all(axis=-1))
    assert len(rows) == (63 - 51) * 63 * 16
    assert np.ptp(rows) + 1 == np.ptp(columns) + 1 == 63 * 4


@pytest.mark.parametrize("origin", ["lower", "upper"])
def test_row_0_is_where_it_was_asked_for(tmp_path: Path, origin: str) -> None:
    image = noise(1)
    image[:20] = np.nan
    sheet = drawn([alert(0, science=image, template=noise(2), difference=noise(3))], tmp_path, origin=origin)
    rows = np.nonzero((sheet == NO_VALUE).all(axis=-1))[0]
    stamp = np.nonzero((sheet[:, 30] != 255).any(axis=-1))[0]
    assert np.ptp(rows) + 1 == 20 * 4
    assert bool(rows.max() == stamp.max()) == (origin == "lower")


def test_what_changed_is_bright_what_faded_dark_and_the_rest_grey(tmp_path: Path) -> None:
    difference = noise(1) - 100
    difference[10:14, 10:14], difference[40:44, 40:44] = 500, -500
    sheet = drawn([alert(0, difference=difference)], tmp_path)
    left, top = sheet.shape[1] - 24 - 252, sheet.shape[0] - 24 - 9 - 252
    stamp = sheet[top : top + 252, left : left + 252, 0]
    assert np.median(stamp) == pytest.approx(128, abs=3)
    assert (stamp[-56:-40, 40:56] == 255).all()
    assert (stamp[-176:-160, 160:176] == 0).all()


def test_an_empty_sheet_and_an_alert_without_anything(tmp_path: Path) -> None:
    assert drawn([], tmp_path).ndim == 3
    assert drawn([SheetAlert(jd=2459396.9, filter="z", magnitude=None, stamps={})], tmp_path).ndim == 3


@pytest.mark.parametrize("jd", [2451544.5, 2458270.671794, 2459396.9044676, 2460230.9337384])
def test_times_against_astropy(jd: float) -> None:
    assert utc_text(jd) == Time(jd, format="jd", scale="utc").datetime.strftime("%Y-%m-%d %H:%M")
