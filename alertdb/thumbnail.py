"""The cutouts of one alert as notebooks hold them: arrays, FITS units and pictures."""

from __future__ import annotations

import io
import warnings
import zlib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from alertdb.errors import BadPercentiles, BadStretch
from alertdb.stamps import NO_VALUE_COLOUR, ORIGIN, STRETCHES, is_valid, percentile_limits, read_stamps, write_png
from alertdb.thumbnails import KINDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from astropy.io.fits import HDUList

    from alertdb.picture import Picture
    from alertdb.stamps import Image, Origin

__all__ = ["PERCENTILES", "Thumbnail", "check_look"]

GZIP = 31  # zlib's code for "a gzip header, and the largest window"
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
    >>> thumbnail = archive.object("ZTF21abiuvdk").latest
    >>> thumbnail.science.shape
    (63, 63)
    >>> thumbnail.plot(stretch="log", percentiles=(5, 99))
    <Picture size 960x370 with 6 Axes>
    >>> thumbnail.hdus().writeto("cutouts.fits")  # doctest: +SKIP
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

        check_look(stretch, percentiles)
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


def check_look(stretch: str, percentiles: tuple[float, float]) -> None:
    """Refuse what is no stretch, and what are no percentiles.

    Raises
    ------
    BadStretch, BadPercentiles
        Raised if they are none.
    """
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
    colours = colormaps[cmap].with_extremes(bad=NO_VALUE_COLOUR)
    shown = axes.imshow(known, norm=norm, cmap=colours, origin=origin, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    bar = axes.figure.colorbar(shown, ax=axes, orientation="horizontal", shrink=0.9, pad=0.03)
    if norm is not None:
        bar.set_ticks([float(value) for value in norm.inverse(np.array([0.0, 0.5, 1.0]))], minor=False)
        bar.ax.set_xticks([], minor=True)
    bar.ax.xaxis.set_major_formatter("{x:.4g}")
    bar.ax.tick_params(labelsize=7)
    bar.set_label("DN", fontsize=8)
