"""An object through time as an animated GIF: its cutouts, and its light curve with a mark that moves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image as Pictures

from alertdb.contact_sheet import automatic, utc_text
from alertdb.filters import COLOURS
from alertdb.picture import Picture
from alertdb.picture_errors import NothingToShow
from alertdb.points import MJD_ZERO
from alertdb.stamps import NO_VALUE_COLOUR, ORIGIN
from alertdb.thumbnails import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alertdb.contact_sheet import SheetAlert
    from alertdb.epochs import LightCurve
    from alertdb.stamps import Origin

__all__ = ["write_gif"]

DPI = 80


def write_gif(
    path: Path | str,
    alerts: Sequence[SheetAlert],
    *,
    curve: LightCurve | None = None,
    seconds: float = 0.5,
    origin: Origin = ORIGIN,
) -> None:
    """Write one frame per alert.

    Parameters
    ----------
    path
        File to write.
    alerts
        In the order in which to show them.
    curve
        Light curve to show below, with a mark at the moment of the frame.
    seconds
        For each frame.
    origin
        Whether row 0 of the images is at the bottom (``lower``) or at the top (``upper``).

    Raises
    ------
    NothingToShow
        Raised if there is no alert.
    """
    if not alerts:
        raise NothingToShow("no alert has thumbnails", "Name an object or candids that have some.")
    size = max((max(stamp.shape) for alert in alerts for stamp in alert.stamps.values()), default=1)
    stage = _Stage(size, curve, origin)
    frames = [stage.frame(alert) for alert in alerts]
    frames[0].save(path, format="GIF", save_all=True, append_images=frames[1:], duration=int(seconds * 1000), loop=0)


class _Stage:
    """One figure, whose frame is drawn once; on it each alert draws only what changes."""

    def __init__(self, size: int, curve: LightCurve | None, origin: Origin) -> None:
        with_curve = curve is not None and len(curve) > 0
        self.size = size
        self.figure = Picture(figsize=(7.2, 6.6 if with_curve else 3.1), dpi=DPI, layout="constrained")
        canvas: Any = FigureCanvasAgg  # without types
        self.canvas = canvas(self.figure)
        rows: Any = self.figure.subfigures(2, 1, height_ratios=(1.0, 1.2)) if with_curve else [self.figure]
        self.images = {
            kind: self._panel(axes, kind, origin)
            for kind, axes in zip(KINDS, rows[0].subplots(1, len(KINDS)), strict=True)
        }
        self.caption = rows[0].suptitle(" ", fontsize=11)
        self.mark: Any = None
        if curve is not None and with_curve:
            self.mark = self._draw_curve(rows[1].add_subplot(), curve)
        self.canvas.draw()
        for artist in self._moving():
            artist.set_animated(True)
        self.canvas.draw()
        self.background = self.canvas.copy_from_bbox(self.figure.bbox)

    def _panel(self, axes: Any, kind: str, origin: Origin) -> Any:
        axes.set(xticks=[], yticks=[], facecolor=NO_VALUE_COLOUR)
        axes.set_title(kind, fontsize=10)
        empty = np.full((self.size, self.size), np.nan)
        return axes.imshow(empty, cmap="gray", vmin=0, vmax=1, origin=origin, interpolation="nearest")

    @staticmethod
    def _draw_curve(axes: Any, curve: LightCurve) -> Any:
        from alertdb.lightcurves import draw_lightcurve

        draw_lightcurve(axes, curve)
        return axes.axvline(curve["jd"].min() - MJD_ZERO, color="#d1242f", lw=1.2)

    def _moving(self) -> list[Any]:
        return [*self.images.values(), self.caption, *([self.mark] if self.mark is not None else [])]

    def frame(self, alert: SheetAlert) -> Pictures.Image:
        """Return the picture of one alert."""
        magnitude = "" if alert.magnitude is None else f"   {alert.magnitude:.2f} mag"
        self.caption.set_text(f"{utc_text(alert.jd)} UTC   {alert.filter}{magnitude}")
        self.caption.set_color(COLOURS.get(alert.filter, "#1f2328"))
        for kind, shown in self.images.items():
            shown.set_data(self._square(alert, kind))
        if self.mark is not None:
            self.mark.set_xdata([alert.jd - MJD_ZERO] * 2)
        self.canvas.restore_region(self.background)
        for artist in self._moving():
            artist.draw(self.canvas.get_renderer())
        return Pictures.fromarray(np.asarray(self.canvas.buffer_rgba())).convert("RGB").quantize(200)

    def _square(self, alert: SheetAlert, kind: str) -> Any:
        """Return a cutout painted, in the middle of a square that all fit into."""
        square = np.full((self.size, self.size), np.nan)
        if kind in alert.stamps:
            grey = automatic(alert.stamps[kind], kind)
            top, left = ((self.size - length) // 2 for length in grey.shape)
            square[top : top + grey.shape[0], left : left + grey.shape[1]] = grey
        return np.ma.masked_invalid(square)
