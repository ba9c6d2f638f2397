"""Numbers that the compiled loops over a result's bytes and their callers share."""

from __future__ import annotations

__all__ = [
    "DATE",
    "DATETIME",
    "EIGHT",
    "ENDED",
    "FOUR",
    "FULL",
    "HUGE",
    "INT8",
    "INT16",
    "MORE",
    "NOTHING",
    "SLACK",
    "TEXT",
    "TIME",
    "UINT8",
    "UINT16",
]

# How a column stands in a row
NOTHING, INT8, UINT8, INT16, UINT16, FOUR, EIGHT, DATE, DATETIME, TIME, TEXT = range(11)
# Why `kernel.find_rows` stopped
MORE, ENDED, FULL, HUGE = range(4)

SLACK = 300  # bytes after the last row, at which `kernel.read_rows` may look
