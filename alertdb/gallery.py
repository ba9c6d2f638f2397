"""The cutouts of several alerts as notebooks hold them: a cube of numbers, a contact sheet, an animation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np

from alertdb.stamps import ORIGIN, brightness, is_valid, percentile_limits
from alertdb.thumbnail import PERCENTILES, Thumbnail, check_look
from alertdb.thumbnails import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from alertdb.contact_sheet import SheetAlert
    from alertdb.epochs import LightCurve
    from alertdb.picture import Picture
    from alertdb.query import Reader
    from alertdb.stamps import Floats, Image, Origin

__all__ = ["Gallery"]

SHOWN_IN_NOTEBOOK = 12


class Gallery(Mapping[int, Thumbnail]):
    """The cutouts of several alerts, by candid.

    Parameters
    ----------
    reader
        Reads times, filters and magnitudes for the captions.
    thumbnails
        In the order in which to keep them.

    Examples
    --------
    >>> gallery = archive.thumbnails("ZTF21abiuvdk")
    >>> gallery
    Thumbnails of 34 alerts
    >>> gallery.cube("difference").shape
    (34, 63, 63)
    >>> gallery.plot(stretch="asinh").savefig("sheet.png")  # doctest: +SKIP
    """

    def __init__(self, reader: Reader, thumbnails: Iterable[Thumbnail]) -> None:
        self._reader = reader
        self._thumbnails = {thumbnail.candid: thumbnail for thumbnail in thumbnails}

    def __getitem__(self, candid: int) -> Thumbnail:
        return self._thumbnails[candid]

    def __iter__(self) -> Iterator[int]:
        return iter(self._thumbnails)

    def __len__(self) -> int:
        return len(self._thumbnails)

    def cube(self, kind: str) -> Image:
        """Return all cutouts of a kind as one array.

        Returns
        -------
        array of float32, shape (alerts, rows, columns)
            In the order of the gallery, as large as the largest cutout; NaN beyond smaller ones, where a pixel has no
            value, and where an alert has no such cutout.
        """
        images = [thumbnail.get(kind) for thumbnail in self.values()]
        sizes = [image.shape for image in images if image is not None] or [(0, 0)]
        whole = np.full((len(images), *np.max(sizes, axis=0)), np.nan, np.float32)
        for part, image in zip(whole, images, strict=True):
            if image is not None:
                part[: image.shape[0], : image.shape[1]] = np.where(is_valid(image), image, np.nan)
        return whole

    def plot(
        self,
        *,
        stretch: str | None = None,
        percentiles: tuple[float, float] | None = None,
        kinds: Sequence[str] = KINDS,
        title: str = "",
        origin: Origin = ORIGIN,
    ) -> Picture:
        """Draw all on one contact sheet, in the order of time, with time (UTC), filter and magnitude of each.

        Parameters
        ----------
        stretch, percentiles
            As in `Thumbnail.plot`. If both are None, each cutout is scaled by its noise.
        kinds
            Which cutouts of each alert.
        title
            Above all.
        origin
            As in `Thumbnail.plot`.
        """
        from alertdb.contact_sheet import contact_sheet

        paint = _painter(stretch or "asinh", percentiles or PERCENTILES) if stretch or percentiles else None
        return contact_sheet(self.sheet_alerts(), title=title, kinds=kinds, origin=origin, paint=paint)

    def gif(
        self, path: Path | str, *, curve: LightCurve | None = None, seconds: float = 0.5, origin: Origin = ORIGIN
    ) -> None:
        """Write an animated GIF: one alert after the other, in the order of time.

        Parameters
        ----------
        path
            File to write.
        curve
            Light curve to show below, with a mark at the moment.
        seconds
            For each alert.
        origin
            As in `Thumbnail.plot`.

        Raises
        ------
        NothingToShow
            If there is no alert.
        """
        from alertdb.animation import write_gif

        write_gif(path, self.sheet_alerts(), curve=curve, seconds=seconds, origin=origin)

    def sheet_alerts(self) -> list[SheetAlert]:
        """Return the alerts with time, filter and magnitude, in the order of time."""
        from alertdb.cutouts import sheet_alerts

        return sheet_alerts(self._reader, self)

    def _repr_html_(self) -> str:
        from alertdb.picture import html_image, png

        if not self:
            return "<p>No thumbnails.</p>"
        shown = Gallery(self._reader, list(self.values())[-SHOWN_IN_NOTEBOOK:])
        more = f", the last {len(shown)} of them" if len(shown) < len(self) else ""
        return f"<p>{self!s}{more}</p>" + html_image(png(shown.plot()), "thumbnails")

    def __repr__(self) -> str:
        return f"Thumbnails of {len(self):,} alert{'' if len(self) == 1 else 's'}"


def _painter(stretch: str, percentiles: tuple[float, float]) -> Callable[[Image, str], Floats]:
    """Return what paints a cutout of a kind: how bright each pixel is."""
    check_look(stretch, percentiles)

    def paint(image: Image, kind: str) -> Floats:
        return brightness(image, percentile_limits(image, *percentiles), "linear" if kind == "difference" else stretch)

    return paint
