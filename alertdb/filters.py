"""The filters of the survey, and one colour for each in all pictures."""

from __future__ import annotations

__all__ = ["COLOURS", "colour_of", "filter_name"]

COLOURS = {"g": "#009E73", "r": "#D55E00", "i": "#4D3B52"}  # told apart in all common kinds of colour blindness
_NAMES = {1: "g", 2: "r", 3: "i"}
_OTHER = "#777777"


def filter_name(fid: int) -> str:
    """Return the name of a filter by its number in the survey, such as ``g``; ``fid 9`` where it has none."""
    return _NAMES.get(fid, f"fid {fid}")


def colour_of(fid: int) -> str:
    """Return the colour of a filter by its number in the survey; grey where it has none."""
    return COLOURS.get(filter_name(fid), _OTHER)
