"""The tarballs of the nights around one that leaves, as far as they are at hand: what they tell of its objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from ingest.contents import Findings, content_sha256, read_rows, shared_rows
from ingest.decoding import open_decoder
from ingest.ledger import list_entries
from ingest.tarballs import Source, find_sources, open_packets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from sqlalchemy import Connection

    from ingest.ledger import Entry
    from ingest.surveys import Survey

__all__ = ["Neighbours", "find_neighbours"]


def find_neighbours(connection: Connection, entry: Entry, reach: float) -> list[dict[str, Any]]:
    """Return the entries of the ledger whose packets may tell of the same epochs as those of this tarball.

    `reach` says how far packets look back, in days.
    """
    entries = list_entries(connection)
    own = next(other for other in entries if other["id"] == entry.id)
    if own["jd_first"] is None:
        return []
    first, last = float(own["jd_first"]) - reach, float(own["jd_last"]) + reach
    near = (other for other in entries if other["jd_first"] is not None and other["id"] != own["id"])
    return [other for other in near if other["jd_first"] <= last and other["jd_last"] >= first]


class Neighbours:
    """What the tarballs around tell of the objects of the one that leaves.

    Parameters
    ----------
    entries
        Their entries in the ledger.
    owned
        The alerts that leave: candid and objectId.

    Attributes
    ----------
    shared
        Rows for each shared table.
    missing
        Names of the tarballs that were not at hand, or not with the content that the archive has.
    """

    def __init__(self, entries: Sequence[Mapping[str, Any]], survey: Survey, folder: Path, owned: pl.DataFrame) -> None:
        self.entries = list(entries)
        self.missing: list[str] = []
        self._survey = survey
        self._candids = owned["candid"]
        self._objects = owned["objectId"].unique()
        self._alerts: list[pl.DataFrame] = []
        self._folder = folder / "neighbours"
        self._folder.mkdir(exist_ok=True)
        for left in self._folder.iterdir():
            left.unlink()
        size = Source(folder, "", "folder", sum(int(entry["bytes"]) for entry in entries))
        self.shared = shared_rows(size, survey, self._folder)

    def read(self, places: Sequence[Path]) -> None:
        """Read those that lie at these paths."""
        sources = {source.name: source for source in find_sources(places)} if places else {}
        for entry in self.entries:
            source = sources.get(entry["name"])
            if source is None or source.bytes != entry["bytes"] or content_sha256(source) != entry["sha256"]:
                self.missing.append(entry["name"])
            else:
                self._read(source, entry)

    def owners(self) -> Iterator[tuple[int, pl.DataFrame]]:
        """Yield, by tarball, those alerts that leave and that it holds; of several the first by name has an alert."""
        taken: set[int] = set()
        for frame in sorted(self._alerts, key=lambda frame: str(frame["name"][0])):
            alerts = frame.filter(~pl.col("candid").is_in(list(taken)))
            taken |= set(alerts["candid"])
            if alerts.height:
                yield int(alerts["tarball"][0]), alerts.drop("name", "tarball")

    def _read(self, source: Source, entry: Mapping[str, Any]) -> None:
        with open_packets(source, allow_damaged=entry["state"] == "partial") as reader:
            decoder = open_decoder(self._survey.wanted)
            for _, rows in read_rows(reader, decoder, self._survey, Findings()):
                held = rows.alerts.filter(pl.col("candid").is_in(self._candids.implode())).drop("packet")
                if held.height:
                    named = held.with_columns(name=pl.lit(entry["name"]), tarball=pl.lit(entry["id"], pl.Int64))
                    self._alerts.append(named)
                for name, frame in rows.shared.items():
                    self.shared[name].add(frame.filter(pl.col("objectId").is_in(self._objects.implode())))
