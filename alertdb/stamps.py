"""Cutouts as arrays and as pictures.

An array has the rows and columns of the FITS image, and its values: `image[0]` is its first row. Pixels without a
value are NaN in most cases, and an impossible number in some; pictures leave both out.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, BinaryIO, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from alertdb.errors import BadPercentiles, BadStretch, DamagedStamp
from alertdb.fitsimage import parse_image
from alertdb.thumbnails.document import read_document

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.thumbnails import Buffer

__all__ = [
    "NO_VALUE_COLOUR",
    "ORIGIN",
    "STRETCHES",
    "Image",
    "Origin",
    "brightness",
    "is_valid",
    "percentile_limits",
    "read_stamp",
    "read_stamps",
    "valid_values",
    "write_png",
    "zoomed",
]

Image: TypeAlias = npt.NDArray[np.float32]
Floats: TypeAlias = npt.NDArray[np.float64]
Origin: TypeAlias = Literal["lower", "upper"]

MAX_BYTES = 2 << 20  # unpacked; a stamp has 20 KB
MAX_RATIO = 200  # unpacked to packed; FITS pads with blanks, but noise does not shrink
# Where pictures have row 0: at the bottom, as FITS viewers show it. In ZTF's stamps row 0 is the northern edge, so
# they have north up and east left with "upper" (tests/unit/test_stamps.py holds them against catalogue positions)
ORIGIN: Origin = "lower"

NO_VALUE_COLOUR = "#c9d1d9"  # light blue-grey, which no pixel with a value has
_NO_VALUE = 1e30  # larger than any pixel; outside of ZTF's templates stands -3.4e38
_GZIP = 31  # zlib's code for "a gzip header, and the largest window"
_CONTRAST = 1000.0  # of the log stretch
_SOFTENING = 0.1  # the asinh stretch is linear up to this share of the range
STRETCHES: dict[str, Callable[[Floats], Floats]] = {
    "linear": lambda x: x,
    "sqrt": np.sqrt,
    "log": lambda x: np.log1p(_CONTRAST * x) / np.log1p(_CONTRAST),
    "asinh": lambda x: np.arcsinh(x / _SOFTENING) / np.arcsinh(1 / _SOFTENING),
}


def read_stamps(document: Buffer) -> dict[str, Image]:
    """Return the images of a thumbnail document by kind.

    Raises
    ------
    DamagedThumbnail
        Raised if the document is not what was stored.
    DamagedStamp
        Raised if a cutout in it is no image.
    """
    return {kind: read_stamp(content) for kind, content in read_document(document).items()}


def read_stamp(content: Buffer) -> Image:
    """Return the image in a cutout's gzipped FITS bytes.

    Returns
    -------
    array of float32, shape (rows, columns)
        In the unit of the image.

    Raises
    ------
    DamagedStamp
        Raised if the bytes are no gzip, are cut short or changed, unpack to too much, or hold no image.
    """
    return parse_image(_unpacked(content))


def _unpacked(content: Buffer) -> bytes:
    limit = min(MAX_BYTES, MAX_RATIO * len(content))
    unpacker = zlib.decompressobj(_GZIP)
    try:
        unpacked = unpacker.decompress(content, limit + 1)
    except zlib.error as error:
        raise DamagedStamp(f"its gzip is damaged ({error})") from error
    if len(unpacked) > limit:
        raise DamagedStamp(f"its {len(content)} bytes unpack to more than {limit}")
    if not unpacker.eof:
        raise DamagedStamp(f"its gzip ends after {len(content)} bytes, too early")
    if unpacker.unused_data:
        raise DamagedStamp(f"{len(unpacker.unused_data)} bytes follow the end of its gzip")
    return unpacked


def valid_values(image: Image) -> Floats:
    """Return the values (shape (n,)) of the pixels that have one."""
    return image[is_valid(image)].astype(np.float64)


def percentile_limits(image: Image, low: float, high: float) -> tuple[float, float]:
    """Return the values at two percentiles of the pixels that have a value, to be painted black and white.

    Raises
    ------
    BadPercentiles
        Raised if these are none, from 0 to 100 and the smaller first.
    """
    if not 0 <= low < high <= 100:
        raise BadPercentiles(low, high)
    values = valid_values(image)
    black, white = np.percentile(values, (low, high)) if len(values) else (0.0, 0.0)
    return float(black), float(white)


def brightness(image: Image, limits: tuple[float, float], stretch: str = "linear") -> Floats:
    """Return how bright to paint each pixel: 0 (black) to 1 (white), NaN where it has no value.

    Parameters
    ----------
    image
        Any numbers, shape (rows, columns).
    limits
        The values that are painted black and white. If they are equal, all is grey.
    stretch
        ``linear``, ``sqrt``, ``log`` or ``asinh``: how brightness follows from the value between the limits.

    Raises
    ------
    BadStretch
        Raised if there is no such stretch.
    """
    if stretch not in STRETCHES:
        raise BadStretch(stretch, STRETCHES)
    values = np.where(is_valid(image), image, np.nan).astype(np.float64)
    black, white = limits
    if not white > black:
        return values * 0 + 0.5
    return STRETCHES[stretch](((values - black) / (white - black)).clip(0, 1))


def is_valid(image: Image) -> npt.NDArray[np.bool_]:
    """Return which pixels have a value: not NaN, and no impossible number."""
    return np.abs(image) < _NO_VALUE  # False for NaN


def write_png(
    image: Image,
    path: Path | BinaryIO,
    *,
    stretch: str = "linear",
    percentiles: tuple[float, float] = (0.5, 99.5),
    zoom: int = 4,
    origin: Origin = ORIGIN,
) -> None:
    """Write an image as a grey PNG; pixels without a value are transparent.

    Parameters
    ----------
    path
        File to write, by name or open.
    stretch
        See `brightness`.
    percentiles
        See `percentile_limits`.
    zoom
        Width of an image's pixel in pixels of the PNG.
    origin
        Whether row 0 is at the bottom (``lower``) or at the top (``upper``).
    """
    from matplotlib.image import imsave  # here, since it takes longer to import than to read a thousand stamps

    grey = zoomed(brightness(image, percentile_limits(image, *percentiles), stretch), zoom, origin)
    opaque = ~np.isnan(grey)
    levels = (np.nan_to_num(grey) * 255).round().astype(np.uint8)
    imsave(path, np.dstack([levels, levels, levels, opaque * np.uint8(255)]), format="png")


def zoomed(pixels: Floats, zoom: int, origin: Origin) -> Floats:
    """Return pixels as squares of `zoom` by `zoom`, the picture's top row first."""
    rows = pixels[::-1] if origin == "lower" else pixels
    return rows.repeat(zoom, axis=0).repeat(zoom, axis=1)
