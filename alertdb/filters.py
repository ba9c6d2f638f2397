"""The filters of the survey, and one colour for each in all pictures."""

from __future__ import annotations

__all__ = ["COLOURS"]

COLOURS = {"g": "#009E73", "r": "#D55E00", "i": "#4D3B52"}  # told apart in all common kinds of colour blindness
