"""Quality picture of the packets that could not be used."""

from __future__ import annotations

from textwrap import shorten
from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from alertdb.frames import to_frame
from alertdb.qa.result import QaFigure, counted, empty_picture, new_picture

if TYPE_CHECKING:
    from alertdb.query import Reader

__all__ = ["rejects_by_reason"]

SHOWN = 12
WIDTH = 110  # of a reason, in letters
# Reasons that differ in numbers and quoted names only are one reason.
STATEMENT = r"""
    SELECT t.night, REGEXP_REPLACE(REGEXP_REPLACE(r.reason, "'[^']*'", "'…'"), '[0-9]+', 'N') AS kind,
           COUNT(*) AS rejects
    FROM rejects AS r JOIN tarballs AS t ON t.id = r.tarball
    GROUP BY t.night, kind"""


def rejects_by_reason(reader: Reader) -> QaFigure:
    """Draw how many packets were not loaded for which reason."""
    title = "Packets that were not loaded"
    table = to_frame(reader.query(STATEMENT)).rename(columns={"kind": "reason"})
    table = table.sort_values(["night", "rejects", "reason"], ascending=[True, False, True], ignore_index=True)
    total = int(table["rejects"].sum())
    subtitle = f"{reader.database}: {counted(total, 'packet')} of {counted(table['night'].nunique(), 'night')}"
    if not total:
        return QaFigure("rejects", title, empty_picture(title, subtitle, "No packet was rejected."), table)
    reasons = table.groupby("reason")["rejects"].sum().sort_values()
    shown = reasons.tail(SHOWN)
    figure = new_picture(title, subtitle, (9.0, 1.8 + 0.55 * len(shown)))
    axes = figure.add_subplot()
    bars = axes.barh(range(len(shown)), shown, height=0.4, color="#3b6ea5")
    axes.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize=8.5)
    for place, reason in enumerate(shown.index):
        axes.text(0, place + 0.27, f" {shorten(reason, WIDTH, placeholder=' …')}", fontsize=8.5, parse_math=False)
    axes.margins(x=0.08)
    axes.set_ylim(-0.5, len(shown) - 0.2)
    axes.set_yticks([])
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    hidden = f" ({len(reasons) - SHOWN} rarer reasons: see the table)" if len(reasons) > SHOWN else ""
    axes.set_xlabel(f"packets{hidden}")
    return QaFigure("rejects", title, figure, table)
