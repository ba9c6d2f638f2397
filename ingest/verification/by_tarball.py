"""A tarball against the archive: every cell of its alerts, every stamp, every reject, every row it brought."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from alertdb.errors import DamagedThumbnail, UnknownCandid
from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import read_document
from ingest.contents import Findings, content_sha256, read_documents, read_rows, shared_rows
from ingest.decoding import open_decoder
from ingest.ledger import find_entry, reject_rows
from ingest.stored import column_list, listed, read_frame, snapshot
from ingest.tarballs import open_packets
from ingest.verification.differences import NOTHING, Difference, compare_cells, find_absent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sqlalchemy import Connection

    from alertdb.config import Config
    from alertdb.thumbnails import Buffer, ThumbnailStore
    from ingest.decoding import Decoded
    from ingest.ledger import Entry
    from ingest.spool import SharedRows
    from ingest.surveys import Rows, SharedTable, Survey
    from ingest.tarballs import Source

__all__ = ["check_tarball"]

OBJECTS_PER_QUERY = 2000


def check_tarball(
    source: Source, config: Config, survey: Survey, progress: Callable[[int, int], None] = lambda *_: None
) -> Iterator[Difference]:
    """Yield everything in which the archive differs from what this tarball holds.

    Parameters
    ----------
    progress
        Told how many of the tarball's bytes were read so far, and how many alerts were in them.
    """
    with snapshot(config, survey.name) as connection:
        entry = find_entry(connection, source.name)
        if entry is None:
            yield Difference("tarballs", source.name, "", NOTHING, "an entry: the tarball is not in the archive")
            return
        sha256 = content_sha256(source)
        if sha256 != entry.sha256:
            yield Difference(
                "tarballs", source.name, "sha256", entry.sha256, f"{sha256}, the content of {source.path},"
            )
            return
        with tempfile.TemporaryDirectory(prefix="alertdb-verify-") as folder:
            check = _Check(source, survey, connection, entry, open_store(config.thumbnails, secrets=config.secrets))
            yield from check.run(Path(folder), progress)


class _Check:
    """One tarball held against the archive."""

    def __init__(
        self, source: Source, survey: Survey, connection: Connection, entry: Entry, store: ThumbnailStore
    ) -> None:
        self._source = source
        self._survey = survey
        self._connection = connection
        self._entry = entry
        self._store = store
        self._found = Findings()
        self._names = {row.id: row.name for row in connection.exec_driver_sql("SELECT id, name FROM tarballs")}

    def run(self, folder: Path, progress: Callable[[int, int], None]) -> Iterator[Difference]:
        shared = shared_rows(self._source, self._survey, folder)
        with open_packets(self._source, allow_damaged=self._entry.state == "partial") as reader:
            for decoded, rows in read_rows(reader, open_decoder(self._survey.wanted), self._survey, self._found):
                yield from self._alerts(rows.alerts.drop("packet"))
                yield from self._stamps(decoded, rows)
                for name, frame in rows.shared.items():
                    shared[name].add(frame)
                progress(reader.bytes_read, len(self._found.candids))
        yield from self._surplus()
        yield from self._rejects()
        for table in (self._survey.limits, self._survey.history, self._survey.forced):
            yield from self._shared(table, shared[table.name])

    def _alerts(self, expected: pl.DataFrame) -> Iterator[Difference]:
        columns = (*self._survey.alert_columns, "tarball")
        query = f"SELECT {column_list(columns)} FROM alerts WHERE candid IN ({listed(expected['candid'])})"
        found = read_frame(self._connection, query)
        yield from find_absent("alerts", ["candid"], expected, found)
        yield from compare_cells("alerts", ["candid"], expected, found.drop("tarball"))
        for candid, owner in found.select("candid", "tarball").iter_rows():
            # Of several tarballs that hold an alert the one whose name sorts first owns it.
            if self._names.get(owner, "\U0010ffff") > self._source.name:
                name = self._names.get(owner, f"{owner}, which is not in the ledger,")
                yield Difference("alerts", str(candid), "tarball", name, self._source.name)

    def _stamps(self, decoded: Decoded, rows: Rows) -> Iterator[Difference]:
        for candid, _, pieces in read_documents(decoded, rows, self._survey):
            yield from self._document(candid, pieces)

    def _document(self, candid: int, pieces: list[Buffer]) -> Iterator[Difference]:
        expected = b"".join(pieces)
        try:
            found = self._store.get(candid)
            if found != expected:
                yield from _compare_stamps(candid, read_document(found), read_document(expected))
        except UnknownCandid:
            yield Difference("thumbnails", str(candid), "", NOTHING, "a document")
        except DamagedThumbnail as damage:
            yield Difference("thumbnails", str(candid), "", f"damage ({damage})", "a sound document")

    def _surplus(self) -> Iterator[Difference]:
        """Yield the alerts that the table says are of this tarball, and that it does not hold."""
        query = (
            "SELECT a.candid FROM tarballs AS t STRAIGHT_JOIN alerts AS a "
            "ON a.candid BETWEEN t.candid_first AND t.candid_last AND a.tarball = t.id "
            f"WHERE t.id = {self._entry.id} ORDER BY a.candid"
        )
        candids = read_frame(self._connection, query)["candid"]
        for candid in candids.filter(pl.Series(~self._found.candids.find(candids.to_numpy()))):
            yield Difference("alerts", str(candid), "", f"a row of {self._source.name}", NOTHING)

    def _rejects(self) -> Iterator[Difference]:
        schema = {"position": pl.Int64, "member": pl.String, "reason": pl.String}
        expected = pl.DataFrame(reject_rows(self._entry.id, self._found.rejects), schema=schema)
        query = f"SELECT position, member, reason FROM rejects WHERE tarball = {self._entry.id}"
        found = read_frame(self._connection, query)
        yield from find_absent("rejects", ["position", "member"], expected, found)
        yield from compare_cells("rejects", ["position", "member"], expected, found)
        for position, member in (
            found.join(expected, on=["position", "member"], how="anti").select("position", "member").iter_rows()
        ):
            yield Difference("rejects", f"{position}/{member}", "", "a row", NOTHING)

    def _shared(self, table: SharedTable, rows: SharedRows) -> Iterator[Difference]:
        for frame in rows.merged():
            for part in _by_objects(frame):
                yield from self._shared_part(table, part)

    def _shared_part(self, table: SharedTable, brought: pl.DataFrame) -> Iterator[Difference]:
        """Compare rows of some objects: each must be there, ours or one that a later alert brought."""
        first, last = brought["jd"].min(), brought["jd"].max()
        query = (
            f"SELECT {column_list(table.columns)} FROM {table.name} "
            f"WHERE objectId IN ({listed(brought['objectId'].unique())}) AND jd BETWEEN {first!r} AND {last!r}"
        )
        found = read_frame(self._connection, query)
        if table is self._survey.history:
            arrived = self._arrived(brought)
            for name, candid in found.filter(pl.col("candid").is_in(arrived.implode())).select(table.key).iter_rows():
                yield Difference(table.name, f"{name}/{candid}", "", "a row", "nothing, since its alert is in,")
            brought = brought.filter(~pl.col("candid").is_in(arrived.implode()))
        yield from find_absent(table.name, table.key, brought, found)
        later = found.select(*table.key, later="packet_candid")
        ours = brought.join(later, on=list(table.key)).filter(pl.col("later") <= pl.col("packet_candid")).drop("later")
        yield from compare_cells(table.name, table.key, ours, found)

    def _arrived(self, brought: pl.DataFrame) -> pl.Series:
        """Return the candids of history detections whose own alert is in the archive."""
        query = f"SELECT candid FROM alerts WHERE candid IN ({listed(brought['candid'])})"
        return read_frame(self._connection, query)["candid"]


def _by_objects(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """Cut a frame that is sorted by object into parts of whole objects."""
    starts = frame["objectId"].rle_id() // OBJECTS_PER_QUERY
    yield from frame.with_columns(part=starts).partition_by("part", include_key=False)


def _compare_stamps(candid: int, found: Mapping[str, bytes], expected: Mapping[str, bytes]) -> Iterator[Difference]:
    for kind in sorted(found.keys() | expected.keys()):
        ours, theirs = found.get(kind, b""), expected.get(kind, b"")
        if ours != theirs:
            first = next((i for i, pair in enumerate(zip(ours, theirs, strict=False)) if pair[0] != pair[1]), None)
            where = f"first different at byte {first}" if first is not None else "cut short"
            yield Difference("thumbnails", str(candid), kind, f"{len(ours)} bytes, {where}", f"{len(theirs)} bytes")
