"""Surveys: one file each says where in its packets the fields stand and how they map to tables.

A survey's `rows` turns decoded packets into frames whose columns are the columns of the tables, in their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

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
    """

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Rows:
    """The rows that a batch of packets brings.

    Attributes
    ----------
    alerts
        One row per accepted packet: the columns of the table `alerts` but its last, `tarball`; in front of them
        `packet`, the index of the packet in the batch.
    shared
        For each shared table its rows, keys not repeated.
    rejects
        Index of each packet that is refused, and why.
    """

    alerts: pl.DataFrame
    shared: Mapping[str, pl.DataFrame]
    rejects: Mapping[int, str]


class Survey(Protocol):
    """What the rest of `ingest` needs to know of a survey."""

    name: str
    wanted: Wanted
    alert_columns: tuple[str, ...]
    limits: SharedTable
    history: SharedTable
    forced: SharedTable
    cutouts: Mapping[str, str]  # kind of thumbnail -> blob path

    def rows(self, decoded: Decoded) -> Rows:
        """Turn decoded packets into rows: sentinels to NULL, unusable packets to rejects."""
        ...

    def rights(self, programid: int) -> str:
        """Rights class of a programme: `public` or `partnership`."""
        ...
