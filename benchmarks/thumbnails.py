"""Measure the thumbnail stores: rates of writing and reading, times of single reads, room on disk.

The embedded store, and the Couchbase store against CouchbaseMock, a test server that keeps everything in the memory of
one Java process: its figures say what the SDK and our code cost, and nothing about a cluster. It is left out if it is
not there (tests/support/couchbase_mock.sh fetches it).

    python benchmarks/thumbnails.py [--quick] [--json FILE] [--folder FOLDER]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "tests" / "support"))

import couchbase_server
import numpy as np
from thumbnail_ways import ALERT_BYTES, some_candids, stamps

from alertdb.thumbnails import open_store
from alertdb.thumbnails.document import document_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from alertdb.thumbnails import ThumbnailStore, ThumbnailWriter

Figures: TypeAlias = dict[str, float]
PUT_AT_ONCE = 1000  # as the ingest does


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


def main() -> None:
    """Run everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer thumbnails: about a minute; the figures are rough")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    parser.add_argument(
        "--folder", type=Path, default=tempfile.gettempdir(), help="where to write (default: %(default)s)"
    )
    arguments = parser.parse_args()
    embedded, server = (5000, 2000) if arguments.quick else (40_000, 10_000)
    quick = ", quick: rough figures" if arguments.quick else ""
    load = os.getloadavg()[0]
    print(f"documents of {ALERT_BYTES} bytes of cutouts, {os.cpu_count()} cores, load average {load:.1f}{quick}")

    results = {f"embedded, {embedded} documents": measure_embedded(arguments.folder, some_candids(embedded))}
    missing = couchbase_server.why_missing()
    if missing:
        print(f"no test server: {missing}")
    else:
        results[f"test server, {server} documents"] = measure_test_server(arguments.folder, some_candids(server))
    for name, figures in results.items():
        print(f"\n{name}")
        for figure, value in figures.items():
            print(f"  {figure:18}{value:12,.4g}")
    if arguments.json:
        flat = {
            f"{name.split(',')[0].replace(' ', '_')}_{k}": v for name, row in results.items() for k, v in row.items()
        }
        facts = {"quick": arguments.quick, "document_bytes": ALERT_BYTES, "load_average": load}
        arguments.json.write_text(json.dumps(facts | flat, indent=2) + "\n")


if __name__ == "__main__":
    main()
