"""A sheet with the three cutouts of each of many alerts, as one picture."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from alertdb.filters import COLOURS
from alertdb.stamps import NO_VALUE_COLOUR, ORIGIN, brightness, percentile_limits, valid_values, zoomed
from alertdb.thumbnails import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from matplotlib.figure import Figure

    from alertdb.picture import Picture
    from alertdb.stamps import Floats, Image, Origin

__all__ = ["SheetAlert", "automatic", "contact_sheet", "utc_text"]

Canvas = npt.NDArray[np.uint8]

_NO_VALUE = tuple(bytes.fromhex(NO_VALUE_COLOUR[1:]))
_GAP, _GUTTER, _MARGIN = 4, 28, 24  # pixels between the cutouts of an alert, between alerts, around all
_CAPTION, _HEADER, _FOOTER = 26, 66, 10
_ASPECT = 1.25  # width of a sheet over its height, about
_NARROWEST = 460  # for the title and the remark beside it
_DPI = 100


@dataclass(frozen=True)
class SheetAlert:
    """One alert on a sheet.

    Attributes
    ----------
    jd
        Time of the exposure, Julian date, UTC.
    filter
        Name of the filter, as ``g``.
    magnitude
        Difference magnitude, or None.
    stamps
        Its cutouts by kind; what is missing is left empty.
    """

    jd: float
    filter: str
    magnitude: float | None
    stamps: Mapping[str, Image]


def contact_sheet(
    alerts: Sequence[SheetAlert],
    *,
    title: str = "",
    origin: Origin = ORIGIN,
    kinds: Sequence[str] = KINDS,
    paint: Callable[[Image, str], Floats] | None = None,
) -> Picture:
    """Draw the cutouts of alerts, each with its time (UTC), filter and magnitude, from left to right, top to bottom.

    Every cutout has a brightness scale of its own. Pixels without a value are light blue-grey.

    Parameters
    ----------
    alerts
        In the order in which to show them.
    title
        Above all, as the object's name.
    origin
        Whether row 0 of the images is at the bottom (``lower``) or at the top (``upper``).
    kinds
        Which cutouts of each alert, from left to right.
    paint
        How bright each pixel of a cutout of a kind is, 0 to 1; if None, `automatic`.

    Returns
    -------
    Picture
        A matplotlib figure; `savefig("sheet.png")` writes it, one pixel of the PNG for each of the picture.
    """
    # Here, since matplotlib takes a while to import, and readers of arrays need none
    from alertdb.picture import Picture

    layout = _Layout.of(alerts, tuple(kinds))
    figure = Picture(figsize=(layout.width / _DPI, layout.height / _DPI), dpi=_DPI)
    canvas = np.full((layout.height, layout.width, 3), 255, np.uint8)
    paint = paint or automatic
    for number, alert in enumerate(alerts):
        for kind in layout.kinds:
            grey = paint(alert.stamps[kind], kind) if kind in alert.stamps else None
            _put(canvas, layout.cell(number, kind), layout.zoom, grey, origin)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.imshow(canvas, interpolation="nearest", aspect="auto")
    _write_texts(figure, layout, alerts, title)
    return figure


def utc_text(jd: float) -> str:
    """Return a Julian date (UTC) as ``2021-09-01 04:33``; a minute is what a caption has room for."""
    moment = datetime(2000, 1, 1, 12) + timedelta(days=jd - 2_451_545)
    return f"{moment:%Y-%m-%d %H:%M}"


@dataclass(frozen=True)
class _Layout:
    """Where things stand on a sheet, in pixels from its upper left corner."""

    alerts: int
    cell_size: int
    zoom: int
    kinds: tuple[str, ...]

    @classmethod
    def of(cls, alerts: Sequence[SheetAlert], kinds: tuple[str, ...]) -> _Layout:
        sizes = [max(stamp.shape) for alert in alerts for stamp in alert.stamps.values()]
        zoom = 4 if len(alerts) <= 2 else 3 if len(alerts) <= 9 else 2
        return cls(len(alerts), max(sizes, default=63) * zoom, zoom, kinds)

    @property
    def tile_width(self) -> int:
        return len(self.kinds) * self.cell_size + (len(self.kinds) - 1) * _GAP

    @property
    def tile_height(self) -> int:
        return _CAPTION + self.cell_size + _GUTTER // 3

    @property
    def columns(self) -> int:
        square = math.sqrt(self.alerts * _ASPECT * self.tile_height / (self.tile_width + _GUTTER))
        return max(1, min(self.alerts, round(square)))

    @property
    def rows(self) -> int:
        return math.ceil(self.alerts / self.columns)

    @property
    def width(self) -> int:
        return max(_NARROWEST, 2 * _MARGIN + self.columns * (self.tile_width + _GUTTER) - _GUTTER)

    @property
    def height(self) -> int:
        return _HEADER + self.rows * self.tile_height + _MARGIN

    def tile(self, number: int) -> tuple[int, int]:
        """Return the upper left corner (x, y) of an alert's caption."""
        row, column = divmod(number, self.columns)
        return _MARGIN + column * (self.tile_width + _GUTTER), _HEADER + row * self.tile_height

    def cell(self, number: int, kind: str) -> tuple[int, int, int]:
        """Return the upper left corner (x, y) and the size of a cutout."""
        x, y = self.tile(number)
        return x + self.kinds.index(kind) * (self.cell_size + _GAP), y + _CAPTION, self.cell_size


def _put(canvas: Canvas, cell: tuple[int, int, int], zoom: int, pixels: Floats | None, origin: Origin) -> None:
    """Put a painted cutout into the middle of its cell."""
    x, y, size = cell
    canvas[y : y + size, x : x + size] = _NO_VALUE
    if pixels is None:
        return
    grey = zoomed(pixels, zoom, origin)
    y, x = y + (size - grey.shape[0]) // 2, x + (size - grey.shape[1]) // 2
    levels = (np.nan_to_num(grey) * 255).round().astype(np.uint8)[..., None]
    canvas[y : y + grey.shape[0], x : x + grey.shape[1]] = np.where(np.isnan(grey)[..., None], _NO_VALUE, levels)


def automatic(image: Image, kind: str) -> Floats:
    """Return how bright to paint each pixel of a cutout of a kind, 0 to 1: scaled by its noise."""
    return _change(image) if kind == "difference" else _scene(image)


def _scene(image: Image) -> Floats:
    """Return the brightness of a picture of the sky: background dark, faint things visible, stars not all burnt out."""
    middle, noise = _middle_and_noise(image)
    black, white = percentile_limits(image, 1, 99.3)
    brightest = percentile_limits(image, 1, 99.9)[1]
    limits = max(black, middle - 3 * noise), max(white, min(brightest, middle + 15 * noise))
    return brightness(image, limits, "asinh")


def _change(image: Image) -> Floats:
    """Return the brightness of a difference: no change in middle grey, what is 10 times the noise black or white."""
    middle, noise = _middle_and_noise(image)
    return brightness(image, (middle - 10 * noise, middle + 10 * noise))


def _middle_and_noise(image: Image) -> tuple[float, float]:
    """Return median and standard deviation, as stars do not disturb them."""
    values = valid_values(image)
    if not len(values):
        return 0.0, 0.0
    middle = np.median(values)
    return float(middle), float(1.4826 * np.median(np.abs(values - middle)))


def _write_texts(figure: Figure, layout: _Layout, alerts: Sequence[SheetAlert], title: str) -> None:
    def write(x: float, y: float, text: str, **style: Any) -> None:
        plain: dict[str, Any] = {"fontsize": 8.5, "va": "baseline", "color": "#1f2328"}
        figure.text(x / layout.width, 1 - y / layout.height, text, **(plain | style))

    write(_MARGIN, 30, title, fontsize=14, weight="bold")
    write(
        layout.width - _MARGIN,
        30,
        f"{len(alerts)} alert{'' if len(alerts) == 1 else 's'}, times in UTC",
        ha="right",
        color="#59636e",
    )
    for column in range(layout.columns):
        for kind in layout.kinds:
            x, _, size = layout.cell(column, kind)
            write(x + size / 2, _HEADER - 8, kind, ha="center", color="#59636e")
    for number, alert in enumerate(alerts):
        x, y = layout.tile(number)
        y += _CAPTION - 8
        magnitude = "" if alert.magnitude is None else f"{alert.magnitude:.2f}"
        write(x, y, utc_text(alert.jd))
        write(x + layout.tile_width, y, magnitude, ha="right")
        colour = COLOURS.get(alert.filter, "#1f2328")
        write(x + layout.tile_width - 44, y, alert.filter, ha="right", weight="bold", color=colour)
