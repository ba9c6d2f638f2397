"""What reading a tarball costs: the standard library, igzip alone as the ceiling, and our reader.

Packs real packets over and over into one .tar.gz (files in the page cache), reads it in each way, in turn, several
times, and tells the fastest of each in ms a member: on the clock, and of CPU. The packets are found in
`$ALERTDB_TEST_DATA`, else in ``../shared/data``.

Examples
--------
    python benchmarks/reading.py --quick
    ALERTDB_TEST_DATA=/data python benchmarks/reading.py --json reading.json
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # or the ingest.py here would hide the package `ingest`

import hashlib
import io
import tarfile
import time
from itertools import cycle, islice
from typing import TYPE_CHECKING

from isal import igzip

from benchmarks.support.program import Program
from benchmarks.support.real_packets import real_packets
from ingest.tarballs import find_sources, open_packets
from ingest.tarballs.batches import Found
from ingest.tarballs.walk import Walk

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable

    from benchmarks.support.program import Figures

CHUNK = 1 << 20
MEMBERS, MEMBERS_QUICK = 10_000, 1000
REPEATS = 3
PATTERN = "ztf_public_202*.tar.gz"  # schemas 3.3 and 4.01


def main() -> None:
    """Measure as the command line says."""
    Program(__doc__).run(measure)


def measure(folder: Path, options: Namespace) -> Figures:
    """Pack a tarball and read it in all ways."""
    members = MEMBERS_QUICK if options.quick else MEMBERS
    path = folder / "packed.tar.gz"
    pack(path, members)
    size = {"members": members, "packed_kb": path.stat().st_size / members / 1e3}
    return size | measure_ways(path, members)


def pack(path: Path, members: int) -> None:
    """Write a .tar.gz of so many members, as a survey packs it."""
    with tarfile.open(path, "w:gz", compresslevel=6) as tar:
        for index, packet in enumerate(islice(cycle(real_packets(PATTERN)), members)):
            info = tarfile.TarInfo(f"{index:019d}.avro")
            info.size = len(packet)
            tar.addfile(info, io.BytesIO(packet))


def read_plainly(path: Path) -> int:
    """Read as one does with the standard library; returns the bytes read."""
    with tarfile.open(path, "r|gz") as tar:
        contents = (tar.extractfile(member) for member in tar)
        return sum(len(content.read()) for content in contents if content is not None)


def gunzip_only(path: Path) -> int:
    """Unpack and drop: nothing that uses igzip can be quicker."""
    count = 0
    with igzip.open(path) as file:  # type: ignore[no-untyped-call]
        while chunk := file.read(CHUNK):
            count += len(chunk)
    return count


def hash_only(path: Path) -> int:
    """Take the checksum of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest_size


def walk_only(tar: bytes) -> int:
    """Find all packets in a tar that lies unpacked in memory."""
    found = Found()
    Walk().find(found, memoryview(tar), 0, len(tar))
    return len(found)


def read_ours(path: Path, batch_bytes: int) -> int:
    """Read as the ingest does: hashed, unpacked, walked, checked; returns the packets found."""
    (source,) = find_sources([path])
    with open_packets(source, batch_bytes=batch_bytes) as reader:
        return sum(len(batch) for batch in reader)


def timed(run: Callable[[], int]) -> tuple[float, float]:
    """Run once; seconds of wall clock and of processor time."""
    wall, processor = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - wall, time.process_time() - processor


def measure_ways(path: Path, members: int) -> Figures:
    """Time all ways, in turn; the fastest run of each, in ms a member."""
    with igzip.open(path) as file:  # type: ignore[no-untyped-call]
        tar = file.read()
    ways: dict[str, Callable[[], int]] = {
        "tarfile": lambda: read_plainly(path),
        "igzip": lambda: gunzip_only(path),
        "sha256": lambda: hash_only(path),
        "walk": lambda: walk_only(tar),
        "reader_4mb": lambda: read_ours(path, 4 << 20),
        "reader_16mb": lambda: read_ours(path, 16 << 20),
        "reader_64mb": lambda: read_ours(path, 64 << 20),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for _ in range(REPEATS):
        for name, run in ways.items():
            times[name].append(timed(run))
    figures: Figures = {}
    for name, runs in times.items():
        figures[f"{name}_ms"] = min(wall for wall, _ in runs) / members * 1e3
        figures[f"{name}_cpu_ms"] = min(processor for _, processor in runs) / members * 1e3
    return figures


if __name__ == "__main__":
    main()
