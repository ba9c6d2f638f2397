"""The image in a FITS file's first unit, from bytes.

Astropy reads FITS too, but takes longer to be imported than hundreds of stamps to be read; it warns of the SIMPLE
card of ZTF's stamps, and tells of headers that lie by a dozen kinds of exceptions and warnings. What a stamp needs of
the standard is small: cards of 80 characters, units of 2880 bytes, big-endian numbers.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from alertdb.errors import DamagedStamp

__all__ = ["parse_image"]

_CARD, _UNIT = 80, 2880
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}  # by BITPIX


def parse_image(content: bytes) -> npt.NDArray[np.float32]:
    """Return the image (shape (rows, columns)), scaled by BSCALE and BZERO, NaN where an integer is BLANK.

    Raises
    ------
    DamagedStamp
        Raised if the bytes are no FITS file, or hold no image of two axes there.
    """
    if not content.startswith(b"SIMPLE  ="):
        raise DamagedStamp("its bytes do not begin with a FITS header")
    cards, start = _header(content)
    axes, bits = _whole(cards, "NAXIS"), _whole(cards, "BITPIX")
    if axes != 2 or bits not in _TYPES:
        raise DamagedStamp(f"its header says NAXIS {axes} and BITPIX {bits}, expected 2 and one of {sorted(_TYPES)}")
    columns, rows = _whole(cards, "NAXIS1"), _whole(cards, "NAXIS2")
    dtype, follow = np.dtype(_TYPES[bits]), len(content) - start
    if columns < 1 or rows < 1 or columns * rows * dtype.itemsize > follow:
        size = f"{columns} x {rows} pixels of {dtype.itemsize} bytes"
        raise DamagedStamp(f"its header says {size}, but {follow} bytes follow")
    stored = np.frombuffer(content, dtype, columns * rows, start).reshape(rows, columns)
    return _scaled(stored, cards)


def _header(content: bytes) -> tuple[dict[str, str], int]:
    """Return the text of each card's value by its name, and where the header ends."""
    cards: dict[str, str] = {}
    for at in range(0, len(content) - _CARD + 1, _CARD):
        name = content[at : at + 8].decode("latin-1").rstrip()
        if name == "END":
            return cards, math.ceil((at + _CARD) / _UNIT) * _UNIT
        if content[at + 8 : at + 9] == b"=":
            cards.setdefault(name, content[at + 9 : at + _CARD].decode("latin-1").split("/")[0].strip())
    raise DamagedStamp("its FITS header has no END")


def _scaled(stored: npt.NDArray[np.generic], cards: dict[str, str]) -> npt.NDArray[np.float32]:
    scale, zero = _number(cards, "BSCALE", 1.0), _number(cards, "BZERO", 0.0)
    with np.errstate(over="ignore", invalid="ignore"):
        if (scale, zero) == (1.0, 0.0):
            image = stored.astype(np.float32)
        else:
            image = (stored.astype(np.float64) * scale + zero).astype(np.float32)
    if stored.dtype.kind != "f" and "BLANK" in cards:
        image[stored == _whole(cards, "BLANK")] = np.nan
    return image


def _whole(cards: dict[str, str], name: str) -> int:
    value = _number(cards, name, math.nan)
    if not value.is_integer():
        raise DamagedStamp(f"its header says {name} {cards.get(name, 'nowhere')!r}, expected a whole number")
    return int(value)


def _number(cards: dict[str, str], name: str, default: float) -> float:
    try:
        return float(cards.get(name, default))
    except ValueError:
        raise DamagedStamp(f"its header says {name} {cards[name]!r}, expected a number") from None
