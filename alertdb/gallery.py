"""Cutouts of alerts as notebooks hold them: arrays, FITS units and pictures, of one alert or of many."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from alertdb.errors import BadPercentiles, BadStretch
from alertdb.stamps import (
    ORIGIN,
    STRETCHES,
    Floats,
    brightness,
    is_valid,
    percentile_limits,
    read_stamps,
    write_png,
)
from alertdb.thumbnails import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from astropy.io.fits import HDUList

    from alertdb.contact_sheet import SheetAlert
    from alertdb.epochs import LightCurve
    from alertdb.picture import Picture
    from alertdb.query import Reader
    from alertdb.stamps import Image, Origin

__all__ = ["Gallery", "Thumbnail"]

GZIP = 31  # zlib's code for "a gzip header, and the largest window"
NO_VALUE = "#c9d1d9"  # colour of pixels without a value
SHOWN_IN_NOTEBOOK = 12
PERCENTILES = (1.0, 99.5)


class Thumbnail(Mapping[str, "Image"]):
    """The cutouts of one alert, by kind: ``science``, ``template``, ``difference``.

    Parameters
    ----------
    candid
        The alert.
    document
        Its thumbnail document, as stored.

    Examples
    --------
    >>> thumbnail = archive.thumbnail(1704368802315015006)  # doctest: +SKIP
    >>> thumbnail.science.shape  # doctest: +SKIP
    (63, 63)
    >>> thumbnail.plot(stretch="log", percentiles=(5, 99))  # doctest: +SKIP
    """

    def __init__(self, candid: int, document: bytes) -> None:
        self.candid = candid
        self._document = document
        self._images = read_stamps(document)

    def __getitem__(self, kind: str) -> Image:
        return self._images[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def __len__(self) -> int:
        return len(self._images)

    @property
    def science(self) -> Image:
        """The exposure: float32 in DN, shape (rows, columns), NaN where there is no value."""
        return self["science"]

    @property
    def template(self) -> Image:
        """The reference image, as `science`."""
        return self["template"]

    @property
    def difference(self) -> Image:
        """Science minus template, as `science`."""
        return self["difference"]

    def hdus(self) -> HDUList:
        """Return the cutouts as FITS units with the headers of the packet, named by kind in capitals.

        The first unit is empty; ``hdus().writeto("x.fits")`` makes a file of all three.
        """
        from astropy.io import fits

        from alertdb.thumbnails.document import read_document

        units = fits.HDUList([fits.PrimaryHDU()])
        units[0].header["CANDID"] = (self.candid, "alert")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fits.verify.VerifyWarning)  # of the SIMPLE card of ZTF's stamps
            for kind, content in read_document(self._document).items():
                with fits.open(io.BytesIO(zlib.decompress(content, GZIP))) as opened:
                    units.append(fits.ImageHDU(opened[0].data, opened[0].header, name=kind.upper()))
        return units

    def png(
        self,
        kind: str = "science",
        *,
        stretch: str = "asinh",
        percentiles: tuple[float, float] = PERCENTILES,
        zoom: int = 4,
        origin: Origin = ORIGIN,
    ) -> bytes:
        """Return one cutout as the bytes of a grey PNG; pixels without a value are transparent. See `plot`."""
        file = io.BytesIO()
        write_png(self[kind], file, stretch=stretch, percentiles=percentiles, zoom=zoom, origin=origin)
        return file.getvalue()

    def plot(
        self,
        *,
        stretch: str = "asinh",
        percentiles: tuple[float, float] = PERCENTILES,
        kinds: Sequence[str] = KINDS,
        cmap: str = "gray",
        origin: Origin = ORIGIN,
    ) -> Picture:
        """Draw the cutouts side by side, each with a scale of its own.

        Parameters
        ----------
        stretch
            ``linear``, ``sqrt``, ``log`` or ``asinh``; the difference is always linear.
        percentiles
            Of the pixels' values, which are painted darkest and brightest.
        kinds
            Which cutouts, from left to right.
        cmap
            Colour map of matplotlib.
        origin
            Whether row 0 is at the bottom (``lower``) or at the top (``upper``, where ZTF has north up, east left).

        Raises
        ------
        BadStretch, BadPercentiles
            If there is none such.
        """
        from alertdb.picture import Picture

        _check(stretch, percentiles)
        shown = [kind for kind in kinds if kind in self]
        figure = Picture(figsize=(3.2 * len(shown), 3.7), layout="constrained")
        figure.suptitle(f"candid {self.candid}", fontsize=11)
        for axes, kind in zip(figure.subplots(1, len(shown), squeeze=False)[0], shown, strict=True):
            chosen = "linear" if kind == "difference" else stretch
            _show(axes, self[kind], chosen, percentiles, cmap, origin)
            axes.set_title(kind, fontsize=10)
        return figure

    def _repr_png_(self) -> bytes:
        return self.plot()._repr_png_()

    def __repr__(self) -> str:
        sizes = ", ".join(f"{kind} {' x '.join(map(str, image.shape))}" for kind, image in self.items())
        return f"<Thumbnail of candid {self.candid}: {sizes}>"


class Gallery(Mapping[int, Thumbnail]):
    """The cutouts of several alerts, by candid.

    Parameters
    ----------
    reader
        Reads times, filters and magnitudes for the captions.
    thumbnails
        In the order in which to keep them.
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


def _check(stretch: str, percentiles: tuple[float, float]) -> None:
    low, high = percentiles
    if not 0 <= low < high <= 100:
        raise BadPercentiles(low, high)
    if stretch not in STRETCHES:
        raise BadStretch(stretch, STRETCHES)


def _show(axes: Any, image: Image, stretch: str, percentiles: tuple[float, float], cmap: str, origin: Origin) -> None:
    """Show one cutout with the bar of its values."""
    from astropy.visualization import simple_norm
    from matplotlib import colormaps

    known = np.ma.masked_where(~is_valid(image), image)
    black, white = percentile_limits(image, *percentiles)
    norm = simple_norm(known.compressed(), stretch, vmin=black, vmax=white, clip=False) if white > black else None
    colours = colormaps[cmap].with_extremes(bad=NO_VALUE)
    shown = axes.imshow(known, norm=norm, cmap=colours, origin=origin, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    bar = axes.figure.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.9, pad=0.03)
    if norm is not None:
        bar.set_ticks([float(value) for value in norm.inverse(np.array([0.0, 0.5, 1.0]))], minor=False)
        bar.ax.set_xticks([], minor=True)
    bar.ax.xaxis.set_major_formatter("{x:.4g}")
    bar.ax.tick_params(labelsize=7)
    bar.set_label("DN", fontsize=8)


def _painter(stretch: str, percentiles: tuple[float, float]) -> Callable[[Image, str], Floats]:
    """Return what paints a cutout of a kind: how bright each pixel is."""
    _check(stretch, percentiles)

    def paint(image: Image, kind: str) -> Floats:
        return brightness(image, percentile_limits(image, *percentiles), "linear" if kind == "difference" else stretch)

    return paint
