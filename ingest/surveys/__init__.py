"""Surveys: one file each says where in its packets the fields stand and how they map to tables.

A survey's `rows` turns decoded packets into frames whose columns are the columns of the tables, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ingest.decoding import Decoded, Wanted

__all__ = ["Rows", "SharedTable", "Survey"]


@dataclass(frozen=True)
class SharedTable:
    """A table whose rows come from the histories of many packets; of equal keys the largest packet candid wins.

    Attributes
    ----------
    name
        Name of the table.
    key
        Its primary key.
    columns
        All columns in order; the last is `packet_candid`, the alert that brought the row.
    until_alert
        Whether a row is there only as long as the archive lacks the alert of its candid.
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    until_alert: bool = False


@dataclass(frozen=True)
class Rows:
    """The rows that a batch of packets brings.

    Attributes
    ----------
    alerts
        One row per accepted packet: `packet`, its index in the batch, then the columns of the table `alerts` but the
        last (`tarball`).
    shared
        For each shared table its rows, likewise with `packet` in front; keys may repeat.
    rejects
        Index of each packet that is refused, and why.
    """

    alerts: pl.DataFrame
    shared: Mapping[str, pl.DataFrame]
    rejects: Mapping[int, str]

    def refuse(self, reasons: Mapping[int, str]) -> Rows:
        """Return the rows without those of further packets."""
        if not reasons:
            return self
        kept = ~pl.col("packet").is_in(list(reasons))
        shared = {name: frame.filter(kept) for name, frame in self.shared.items()}
        return Rows(self.alerts.filter(kept), shared, {**self.rejects, **reasons})


class Survey(Protocol):
    """What the rest of `ingest` needs to know of a survey."""

    name: str
    wanted: Wanted
    alert_columns: tuple[str, ...]
    limits: SharedTable  # non-detections
    history: SharedTable  # detections known from histories
    forced: SharedTable  # forced photometry
    shared: tuple[SharedTable, ...]  # these three
    cutouts: Mapping[str, str]  # kind of thumbnail -> blob path

    def rows(self, decoded: Decoded) -> Rows:
        """Turn decoded packets into rows: sentinels to NULL, unusable packets to rejects."""
        ...

    def rights(self, programid: int) -> str:
        """Rights class of a programme: `public` or `partnership`."""
        ...
