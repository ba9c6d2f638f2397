"""What a tarball holds: its batches decoded, turned into rows, and each packet accepted or refused.

Whoever loads, writes CSV files or verifies goes through here, so that all of them mean the same alerts.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from alertdb.thumbnails.many_documents import many_documents
from ingest.candids import CandidSet
from ingest.decoding import Packets
from ingest.ledger import Reject
from ingest.spool import SharedRows
from ingest.tarballs import open_packets
from ingest.wording import printable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alertdb.thumbnails import Buffer
    from ingest.decoding import Decoded, Decoder
    from ingest.surveys import Rows, Survey
    from ingest.tarballs import Batch, PacketReader, Source

__all__ = ["Findings", "content_sha256", "read_documents", "read_rows", "shared_rows"]

SHOWN_PATH = 200  # characters of a field's path
BYTES_PER_RANGE = 2**29  # of a tarball per range of keys that is merged in memory at once


@dataclass
class Findings:
    """What is learned of a tarball while it is read.

    Attributes
    ----------
    candids
        Of all alerts accepted.
    rejects
        The packets refused.
    unknown
        Fields of the packets that no table has.
    schemas
        Schema versions met.
    doubts
        Members whose record was read although something behind it is damaged, and what.
    thumbnails
        Alerts with a thumbnail.
    """

    candids: CandidSet = field(default_factory=CandidSet)
    rejects: list[Reject] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    schemas: set[str] = field(default_factory=set)
    doubts: list[str] = field(default_factory=list)
    thumbnails: int = 0


def read_rows(
    reader: PacketReader, decoder: Decoder, survey: Survey, found: Findings
) -> Iterator[tuple[Decoded, Rows]]:
    """Yield each batch as decoded, and the rows of the packets accepted; note in `found` what is learned."""
    for batch in reader:
        decoded = decoder.decode(Packets(batch.buffer, batch.starts, batch.ends))
        rows = _accept(batch, survey.rows(decoded), found)
        found.doubts += [f"{batch.names[packet]}: {doubt}" for packet, doubt in sorted(decoded.doubts.items())]
        found.unknown |= {printable(path, SHOWN_PATH) for path in decoded.unknown}
        found.schemas |= set(rows.alerts["schemavsn"].drop_nulls().unique())
        yield decoded, rows


def read_documents(decoded: Decoded, rows: Rows, survey: Survey) -> Iterator[tuple[int, str, list[Buffer]]]:
    """Yield candid, rights class and thumbnail document (in pieces) of each accepted alert that has a cutout."""
    place = {packet: row for row, packet in enumerate(decoded.packets["packet"].to_pylist())}
    places = np.array([place[packet] for packet in rows.alerts["packet"].to_list()], np.int64)
    blobs = {kind: decoded.blobs[path] for kind, path in survey.cutouts.items()}
    spans = {kind: (blob.starts[places], blob.ends[places]) for kind, blob in blobs.items()}
    documents = many_documents(memoryview(decoded.buffer), spans)
    for (candid, programid), pieces in zip(
        rows.alerts.select("candid", "programid").iter_rows(), documents, strict=True
    ):
        if pieces:
            yield candid, survey.rights(programid), pieces


def shared_rows(source: Source, survey: Survey, folder: Path) -> dict[str, SharedRows]:
    """Return an empty collection of rows for each shared table, fit for a tarball of this size."""
    ranges = source.bytes // BYTES_PER_RANGE + 1
    return {table.name: SharedRows(table, folder, ranges) for table in survey.shared}


def content_sha256(source: Source) -> str:
    """Return what `PacketReader.sha256` says of a source at its end, by the shortest way."""
    if source.kind == "folder":
        with open_packets(source) as reader:
            for _ in reader:
                pass
            return reader.sha256
    with source.path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _accept(batch: Batch, rows: Rows, found: Findings) -> Rows:
    """Refuse what came before in this tarball or lies under another's name; note all rejects."""
    packets, candids = rows.alerts["packet"].to_numpy(), rows.alerts["candid"].to_numpy()
    reasons = {}
    for packet, candid in zip(packets.tolist(), candids.tolist(), strict=True):
        stem = batch.names[packet].rpartition("/")[2].removesuffix(".avro")
        if stem.isdecimal() and int(stem) != candid:
            reasons[packet] = f"the packet holds candid {candid}, not that of its name"
    named = ~np.isin(packets, list(reasons))
    again = named.nonzero()[0][~found.candids.add(candids[named])]
    for packet, candid in zip(packets[again].tolist(), candids[again].tolist(), strict=True):
        reasons[packet] = f"candid {candid} came before in this tarball"
    rows = rows.refuse(reasons)
    found.rejects += [Reject(reject.name, reject.position, reject.reason) for reject in batch.rejects]
    found.rejects += [
        Reject(batch.names[packet], int(batch.positions[packet]), printable(reason))
        for packet, reason in sorted(rows.rejects.items())
    ]
    return rows
