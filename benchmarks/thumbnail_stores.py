"""Compare ways to keep thumbnails: CPU time to write, room on disk, time to read one, warm.

Every way stores the same cutouts, makes them durable, and checks a CRC-32 when it reads. CPU time is that of
this process, its system calls included. The machine's speed changes from minute to minute, so the ways take
turns, and each figure is the median of its turns. Times are an alert's. Beside the ways: what checksums and headers
cost (`parts`), a lookup among many files (`files`), and the way from a candid to its images (`images`).

Examples
--------
    python benchmarks/thumbnail_stores.py --quick
    python benchmarks/thumbnail_stores.py --data /fast/disk --json thumbnail_stores.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import gzip
import io
import random
import statistics
import tempfile
import time
import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
from isal.isal_zlib import crc32

from alertdb.stamps import read_stamps
from alertdb.thumbnails import KINDS, open_store
from alertdb.thumbnails.document import document_pieces
from benchmarks.support.program import Program
from benchmarks.support.thumbnail_ways import ALERT_BYTES, FIRST_CANDID, WAYS, some_candids, stamps

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping, Sequence

    from benchmarks.support.program import Figures
    from benchmarks.support.thumbnail_ways import Way


def main() -> None:
    """Measure as the command line says."""
    Program(__doc__).run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Measure everything in a folder."""
    alerts, turns, files = (3000, 3, 500) if options.quick else (20_000, 5, 3000)
    tables = {
        **compare_ways(folder, alerts, turns),
        "parts": compare_parts(alerts),
        "files_one_after_the_other": many_files(folder, files, overlapping=False),
        "files_all_overlapping": many_files(folder, files, overlapping=True),
        "images": arrays(folder, 3000),
    }
    return {"alerts": alerts} | {f"{name}_{key}": value for name, row in tables.items() for key, value in row.items()}


def read_times_us(get: Callable[[int], object], candids: Sequence[int], reads: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of single reads, in microseconds."""
    times = []
    for candid in random.Random(3).choices(candids, k=reads):
        start = time.perf_counter_ns()
        get(candid)
        times.append(time.perf_counter_ns() - start)
    p50, p99 = np.percentile(times, [50, 99]) / 1000
    return float(p50), float(p99)


def measure_way(way: Way, root: Path, candids: Sequence[int], reads: int) -> Figures:
    """Write, then read warm; times per alert."""
    with tempfile.TemporaryDirectory(dir=root) as name:
        folder = Path(name)
        cpu, wall = time.process_time(), time.perf_counter()
        way.write(folder, candids)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        size = sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())
        get = way.reader(folder)
        for candid in candids:
            get(candid)
        p50, p99 = read_times_us(get, candids, reads)
    stored = len(candids) * ALERT_BYTES
    return {
        "write_cpu_ms": cpu / len(candids) * 1e3,
        "write_wall_ms": wall / len(candids) * 1e3,
        "overhead_percent": (size / stored - 1) * 100,
        "read_p50_us": p50,
        "read_p99_us": p99,
    }


def medians(turns: list[Figures]) -> Figures:
    """Return the median of each figure."""
    return {name: statistics.median(turn[name] for turn in turns) for name in turns[0]}


def compare_ways(root: Path, alerts: int, turns: int) -> dict[str, Figures]:
    """Return the figures of each way, the ways taking turns."""
    candids = some_candids(alerts)
    results: dict[str, list[Figures]] = {name: [] for name in WAYS}
    for _ in range(turns):
        for name, way in WAYS.items():
            results[name].append(measure_way(way, root, candids, reads=alerts))
    return {name: medians(figures) for name, figures in results.items()}


def cpu_us(work: Callable[[Mapping[str, memoryview]], object], alerts: int) -> float:
    """Return the CPU time of some work per alert, in microseconds, best of three rounds."""
    rounds = []
    for _ in range(3):
        start = time.process_time()
        for number in range(alerts):
            work(stamps(number))
        rounds.append(time.process_time() - start)
    return min(rounds) / alerts * 1e6


def zipfile_document(cutouts: Mapping[str, memoryview]) -> bytes:
    """Build a document with the standard library."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for kind, stamp in cutouts.items():
            archive.writestr(zipfile.ZipInfo(f"{kind}.fits.gz"), bytes(stamp))
    return stream.getvalue()


def compare_parts(alerts: int) -> Figures:
    """Return what one alert's checksums and headers cost, by whom they are made."""
    return {
        "crc_zlib_us": cpu_us(lambda cutouts: [zlib.crc32(stamp) for stamp in cutouts.values()], alerts),
        "crc_isal_us": cpu_us(lambda cutouts: [crc32(stamp) for stamp in cutouts.values()], alerts),
        "document_zipfile_us": cpu_us(zipfile_document, alerts),
        "document_pieces_us": cpu_us(document_pieces, alerts),
    }


def many_files(root: Path, files: int, *, overlapping: bool) -> Figures:
    """Return how long a lookup takes among many small sealed files."""
    per_file = 20
    numbers = np.arange(FIRST_CANDID, FIRST_CANDID + files * per_file)
    shares = numbers.reshape(per_file, files).T if overlapping else numbers.reshape(files, per_file)
    with tempfile.TemporaryDirectory(dir=root) as name:
        url = Path(name).as_uri()
        store = open_store(url, readonly=False)
        for number, share in enumerate(shares.tolist()):
            with store.writer(f"night{number:06d}", "public") as writer:
                writer.put_many((candid, document_pieces(stamps(candid % 1000))) for candid in share)
        for path in Path(name).rglob("*.zip"):
            path.read_bytes()  # into the page cache, which it was written past
        time.sleep(1.1)  # until the folder's time stamp is old enough to be trusted
        reader = open_store(url)
        start = time.perf_counter()
        reader.get(FIRST_CANDID)
        opening_ms = (time.perf_counter() - start) * 1e3
        p50, p99 = read_times_us(reader.get, numbers.tolist(), 2000)
    return {"open_ms": opening_ms, "read_p50_us": p50, "read_p99_us": p99}


def real_format_stamp(seed: int) -> bytes:
    """Return a cutout as ZTF's are: 63 x 63 pixels, float32, sky noise, gzipped."""
    pixels = np.random.default_rng(seed).normal(150, 6, (63, 63)).astype(">f4")
    cards = ("SIMPLE  =  T", "BITPIX  = -32", "NAXIS   = 2", "NAXIS1  = 63", "NAXIS2  = 63", "END")
    header = "".join(card.ljust(80) for card in cards).ljust(2880).encode()
    return gzip.compress(header + pixels.tobytes())


def arrays(root: Path, reads: int) -> Figures:
    """Return how long it takes from a candid to its three images as arrays."""
    kinds = list(enumerate(KINDS))
    documents = {candid: {kind: real_format_stamp(3 * candid + n) for n, kind in kinds} for candid in range(300)}
    with tempfile.TemporaryDirectory(dir=root) as name:
        with open_store(Path(name).as_uri(), readonly=False).writer("night", "public") as writer:
            writer.put_many((candid, document_pieces(cutouts)) for candid, cutouts in documents.items())
        store = open_store(Path(name).as_uri())
        times = [read_times_us(lambda candid: read_stamps(store.get(candid)), list(documents), reads) for _ in range(3)]
    p50, p99 = min(times)
    return {"arrays_p50_ms": p50 / 1e3, "arrays_p99_ms": p99 / 1e3}


if __name__ == "__main__":
    main()
