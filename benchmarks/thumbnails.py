"""Measure the thumbnail stores: rates of writing and reading, times of single reads, room on disk.

The embedded store, and the Couchbase store against CouchbaseMock, a test server that keeps everything in the memory of
one Java process: its figures say what the SDK and our code cost, and nothing about a cluster. It is left out if it is
not there (tests/support/couchbase_mock.sh fetches it).

Examples
--------
    python benchmarks/thumbnails.py --quick
    python benchmarks/thumbnails.py --data /fast/disk --json thumbnails.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`
sys.path.insert(1, str(Path(sys.path[0]) / "tests" / "support"))

import os
import random
import tempfile
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import couchbase_server
import numpy as np

from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import document_pieces
from benchmarks.support.program import Program
from benchmarks.support.thumbnail_ways import ALERT_BYTES, some_candids, stamps

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator, Sequence

    from alertdb.thumbnails import ThumbnailStore, ThumbnailWriter
    from benchmarks.support.program import Figures

PUT_AT_ONCE = 1000  # as the ingest does


def main() -> None:
    """Measure as the command line says."""
    Program(__doc__).run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Measure the embedded store, and the other if its test server is there."""
    embedded, server = (5000, 2000) if options.quick else (40_000, 10_000)
    figures: Figures = {"document_bytes": ALERT_BYTES, "load_average": os.getloadavg()[0]}
    figures |= named("embedded", measure_embedded(folder, some_candids(embedded)))
    missing = couchbase_server.why_missing()
    if missing:
        print(f"no test server: {missing}")
    else:
        figures |= named("test_server", measure_test_server(folder, some_candids(server)))
    return figures


def named(store: str, figures: Figures) -> Figures:
    """Return the figures under keys that begin with the store's name."""
    return {f"{store}_{name}": value for name, value in figures.items()}


def write(writer: ThumbnailWriter, candids: Sequence[int]) -> Figures:
    """Write documents as a night's load does; rates per second of wall time, CPU of this process."""
    cpu, wall = time.process_time(), time.perf_counter()
    with writer:
        for start in range(0, len(candids), PUT_AT_ONCE):
            part = candids[start : start + PUT_AT_ONCE]
            writer.put_many((candid, document_pieces(stamps(candid % 1000))) for candid in part)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return {"written_per_s": len(candids) / wall, "write_cpu_ms": cpu / len(candids) * 1e3}


def read(store: ThumbnailStore, candids: Sequence[int]) -> Figures:
    """Read in any order, from the disk at first: one by one, then many at once."""
    chosen = random.Random(3).choices(candids, k=len(candids))
    times = []
    for candid in chosen:
        start = time.perf_counter_ns()
        store.get(candid)
        times.append(time.perf_counter_ns() - start)
    start = time.perf_counter_ns()
    found = sum(1 for _ in store.get_many(chosen))
    rate = found / (time.perf_counter_ns() - start) * 1e9
    p50, p99 = np.percentile(times, [50, 99]) / 1000
    return {"read_many_per_s": rate, "read_p50_us": float(p50), "read_p99_us": float(p99)}


def measure_embedded(root: Path, candids: Sequence[int]) -> Figures:
    """Measure sealed files."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        url = Path(name).as_uri()
        figures = write(open_store(url, readonly=False).writer("night", "public"), candids)
        figures["disk_bytes"] = sum(p.stat().st_blocks * 512 for p in Path(name).rglob("*.zip")) / len(candids)
        return figures | read(open_store(url), candids)


@contextmanager
def test_server(root: Path) -> Iterator[str]:
    """Start the test server, and yield the URL that reaches its public bucket without the tests' relay."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        server = couchbase_server.CouchbaseServer(Path(name) / "server.log")
        try:
            port = server.front.ports[f"{couchbase_server.BUCKET}-public"]
            yield f"couchbase://127.0.0.1:{port}/{couchbase_server.BUCKET}?durability=none"
        finally:
            server.close()


def measure_test_server(root: Path, candids: Sequence[int]) -> Figures:
    """Measure SDK and store against a server that does next to nothing."""
    from alertdb.thumbnails.couchbase.account import find_account
    from alertdb.thumbnails.couchbase.address import parse_address
    from alertdb.thumbnails.couchbase.shelf import Shelf
    from alertdb.thumbnails.couchbase.wire import Wire
    from alertdb.thumbnails.couchbase.writer import CouchbaseWriter

    os.environ["ALERTDB_COUCHBASE_ACCOUNT"] = couchbase_server.ACCOUNT
    with test_server(root) as url:
        shelf = Shelf(Wire(parse_address(url), "public", find_account("public", None)))
        figures = write(CouchbaseWriter(shelf, "night"), candids)
        return figures | read(open_store(url), candids)


if __name__ == "__main__":
    main()
