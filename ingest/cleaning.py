"""Expressions that turn what packets say for "no value" into NULL, and checks that a row can be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import polars.selectors as cs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["blank_sentinels", "find_long_texts", "find_missing", "keep_largest_packet"]


def blank_sentinels(frame: pl.DataFrame, number: int, keep: Sequence[str] = ()) -> pl.DataFrame:
    """Return the frame with NULL for `number` in numeric columns, for NaN and infinities, and for the text `null`.

    Columns named in `keep` are left as they are.
    """
    integers = cs.integer() - cs.by_name(*keep, require_all=False)
    floats = cs.float() - cs.by_name(*keep, require_all=False)
    texts = cs.string() - cs.by_name(*keep, require_all=False)
    return frame.with_columns(
        pl.when(integers != number).then(integers),
        pl.when(floats.is_finite() & (floats != number)).then(floats),
        pl.when(texts != "null").then(texts),
    )


def find_missing(frame: pl.DataFrame, required: Sequence[str]) -> dict[int, str]:
    """Return the packets whose rows lack a required column, with the reason."""
    if not any(frame[name].null_count() for name in required):
        return {}
    reasons = {}
    bad = frame.filter(pl.any_horizontal(pl.col(required).is_null()))
    for row in bad.select("packet", *required).iter_rows(named=True):
        absent = [name for name in required if row[name] is None]
        meaning = (
            "not an alert of this survey, or a damaged one" if len(absent) < len(required) else "of another survey"
        )
        reasons[row["packet"]] = f"no value for {', '.join(absent)}: {meaning}"
    return reasons


def find_long_texts(frame: pl.DataFrame, limits: Mapping[str, int]) -> dict[int, str]:
    """Return the packets with a text longer than its column, with the reason. `limits` are in characters."""
    names = [name for name in limits if name in frame.columns]
    longest = frame.select(pl.col(names).str.len_bytes().max()).row(0, named=True)
    reasons: dict[int, str] = {}
    # A character has a byte at least, so most columns need not be counted in characters.
    for name in (name for name in names if (longest[name] or 0) > limits[name]):
        length = pl.col(name).str.len_chars()
        for packet, found in frame.filter(length > limits[name]).select("packet", length).iter_rows():
            reasons[packet] = f"{name} has {found} characters, at most {limits[name]} fit"
    return reasons


def keep_largest_packet(frame: pl.DataFrame, key: Sequence[str]) -> pl.DataFrame:
    """Return the frame sorted by `key`, each key once: of several rows the one with the largest packet_candid."""
    ordered = frame.sort([*key, "packet_candid"], descending=[False] * len(key) + [True])
    return ordered.unique(subset=list(key), keep="first", maintain_order=True)
