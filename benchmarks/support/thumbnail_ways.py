"""The ways to keep thumbnails that `thumbnail_stores.py` compares, and the cutouts that it gives them."""

from __future__ import annotations

import itertools
import os
import random
import sqlite3
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Protocol
from unittest import mock

import numpy as np
from isal.isal_zlib import crc32

from alertdb.thumbnails import KINDS, directfile, open_store
from alertdb.thumbnails.document import build_document, document_pieces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

STAMP_BYTES = 13_500  # three make the 40 KB of an alert of ZTF
ALERT_BYTES = 3 * STAMP_BYTES
FIRST_CANDID = 1_800_000_000_000_000_000
BATCH = 1000  # alerts handed over at once
BUFFER = memoryview(random.Random(1).randbytes(96 << 20))  # no cutout is in the processor's cache, as in a night


def some_candids(alerts: int) -> list[int]:
    """Return sorted candids with gaps."""
    return sorted(random.Random(2).sample(range(FIRST_CANDID, FIRST_CANDID + 100 * alerts), alerts))


def stamps(number: int) -> dict[str, memoryview]:
    """Return the cutouts of one alert as views of the buffer."""
    start = number * ALERT_BYTES % (len(BUFFER) - ALERT_BYTES)
    edges = range(start, start + ALERT_BYTES + 1, STAMP_BYTES)
    return {kind: BUFFER[a:b] for kind, (a, b) in zip(KINDS, itertools.pairwise(edges), strict=True)}


def batches(candids: Sequence[int]) -> Iterator[list[tuple[int, int]]]:
    """Yield (number, candid) in lists, as the ingest hands documents over."""
    numbered = list(enumerate(candids))
    for start in range(0, len(numbered), BATCH):
        yield numbered[start : start + BATCH]


class Way(Protocol):
    """One way to store a tarball's thumbnails in a folder."""

    def write(self, folder: Path, candids: Sequence[int]) -> None:
        """Store the cutouts of alert 0, 1, … under these candids, durably."""

    def reader(self, folder: Path) -> Callable[[int], object]:
        """Return a function that reads and checks what is stored for a candid."""


class Sealed:
    """What alertdb does, or the same through the system's page cache, written back on the way or not."""

    def __init__(self, *, direct: bool = True, write_back: bool = True) -> None:
        self.flag = os.O_DIRECT if direct else 0
        self.leaving_bytes = 32 << 20 if write_back else 1 << 60

    def write(self, folder: Path, candids: Sequence[int]) -> None:
        """See `Way`."""
        store = open_store(folder.as_uri(), readonly=False)
        with (
            mock.patch.object(os, "O_DIRECT", self.flag),
            mock.patch.object(directfile, "_LEAVING_BYTES", self.leaving_bytes),
            store.writer("night", "public") as writer,
        ):
            for batch in batches(candids):
                writer.put_many((candid, document_pieces(stamps(number))) for number, candid in batch)

    def reader(self, folder: Path) -> Callable[[int], object]:
        """See `Way`."""
        return open_store(folder.as_uri()).get


class Pack:
    """Documents one after the other in a file, and a sorted index in memory."""

    def write(self, folder: Path, candids: Sequence[int]) -> None:
        """See `Way`."""
        index = []
        with (folder / "night.pack").open("wb", buffering=0) as pack:
            at = 0
            for batch in batches(candids):
                for number, candid in batch:
                    pieces = document_pieces(stamps(number))
                    crc = 0
                    for piece in pieces:
                        crc = crc32(piece, crc)
                    size = os.writev(pack.fileno(), pieces)
                    index.append((candid, at, size, crc))
                    at += size
            os.fsync(pack.fileno())
        np.save(folder / "night.npy", np.array(sorted(index), np.int64))

    def reader(self, folder: Path) -> Callable[[int], object]:
        """See `Way`."""
        index = np.load(folder / "night.npy")
        candids = np.ascontiguousarray(index[:, 0])
        pack = (folder / "night.pack").open("rb", buffering=0)

        def get(candid: int) -> bytes:
            _, offset, size, crc = index[candids.searchsorted(candid)].tolist()
            document = os.pread(pack.fileno(), size, offset)
            assert crc32(document) == crc  # noqa: S101 - a check like the others', to be timed
            return document

        return get


class SQLite:
    """One row per document in a database file that nobody changes afterwards."""

    def __init__(self, page_bytes: int) -> None:
        self.page_bytes = page_bytes

    def write(self, folder: Path, candids: Sequence[int]) -> None:
        """See `Way`."""
        path = folder / "night.sqlite"
        with closing(sqlite3.connect(path)) as database:
            database.executescript(
                f"PRAGMA page_size={self.page_bytes}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;"
                "CREATE TABLE thumbnail (candid INTEGER PRIMARY KEY, crc32 INTEGER, document BLOB);"
            )
            for batch in batches(candids):
                database.executemany("INSERT INTO thumbnail VALUES (?, ?, ?)", self._rows(batch))
            database.commit()
        with path.open("rb") as file:
            os.fsync(file.fileno())

    def _rows(self, batch: list[tuple[int, int]]) -> Iterator[tuple[int, int, bytes]]:
        for number, candid in batch:
            document = build_document(stamps(number))
            yield candid, crc32(document), document

    def reader(self, folder: Path) -> Callable[[int], object]:
        """See `Way`."""
        database = sqlite3.connect(f"file:{folder}/night.sqlite?mode=ro&immutable=1", uri=True)
        query = "SELECT crc32, document FROM thumbnail WHERE candid = ?"

        def get(candid: int) -> bytes:
            crc, document = database.execute(query, (candid,)).fetchone()
            assert crc32(document) == crc  # noqa: S101 - a check like the others', to be timed
            return bytes(document)

        return get


class PlainZip:
    """One ZIP per tarball, written and read by the standard library; three members per alert."""

    def write(self, folder: Path, candids: Sequence[int]) -> None:
        """See `Way`."""
        with (folder / "night.zip").open("wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for number, candid in enumerate(candids):
                    for kind, stamp in stamps(number).items():
                        archive.writestr(zipfile.ZipInfo(f"{candid}/{kind}.fits.gz"), bytes(stamp))
            file.flush()
            os.fsync(file.fileno())

    def reader(self, folder: Path) -> Callable[[int], object]:
        """See `Way`."""
        archive = zipfile.ZipFile(folder / "night.zip")
        return lambda candid: [archive.read(f"{candid}/{kind}.fits.gz") for kind in KINDS]


WAYS: Mapping[str, Way] = {
    "sealed": Sealed(),
    "sealed_page_cache": Sealed(direct=False),
    "sealed_no_write_back": Sealed(direct=False, write_back=False),
    "pack": Pack(),
    "sqlite_8k": SQLite(8 << 10),
    "sqlite_16k": SQLite(16 << 10),
    "zipfile": PlainZip(),
}
