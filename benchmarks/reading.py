"""What reading a tarball costs: the standard library, igzip alone as the ceiling, and our reader.

Packs real packets over and over into one .tar.gz (files in the page cache), reads it in each way, in turn, several
times, and prints the fastest of each in ms a member. The packets are found in `$ALERTDB_TEST_DATA`, else in
``../shared/data``.

    python benchmarks/reading.py [--json FILE] [--quick]
"""

from __future__ import annotations

import sys

del sys.path[0]  # this folder, whose ingest.py would stand before the package `ingest`

import argparse
import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING

from isal import igzip

from ingest.tarballs import find_sources, open_packets
from ingest.tarballs.batches import Found
from ingest.tarballs.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable

DATA = Path(os.environ.get("ALERTDB_TEST_DATA") or Path(__file__).resolve().parents[2] / "shared" / "data")
CHUNK = 1 << 20
MEMBERS, MEMBERS_QUICK = 10_000, 1000
REPEATS = 3


def real_packets() -> list[bytes]:
    """Take all packets of schemas 3.3 and 4.01 that are at hand."""
    packets = []
    for path in sorted((DATA / "ztf").glob("ztf_public_202*.tar.gz")):
        with tarfile.open(path) as tar:
            contents = (tar.extractfile(member) for member in tar)
            packets += [content.read() for content in contents if content is not None]
    if not packets:
        sys.exit(f"No real alerts in {DATA}/ztf; set ALERTDB_TEST_DATA to a folder that has them.")
    return packets


def pack(path: Path, members: int) -> None:
    """Write a .tar.gz of so many members, as a survey packs it."""
    with tarfile.open(path, "w:gz", compresslevel=6) as tar:
        for index, packet in enumerate(islice(cycle(real_packets()), members)):
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


def measure(path: Path, members: int) -> dict[str, float]:
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
    figures = {}
    for name, runs in times.items():
        figures[f"{name}_ms"] = min(wall for wall, _ in runs) / members * 1e3
        figures[f"{name}_cpu_ms"] = min(processor for _, processor in runs) / members * 1e3
    return figures


def main() -> None:
    """Measure, print, and write the figures to a file if one is named."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="file to write the figures to")
    parser.add_argument("--quick", action="store_true", help="a smaller tarball")
    arguments = parser.parse_args()
    members = MEMBERS_QUICK if arguments.quick else MEMBERS
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "packed.tar.gz"
        pack(path, members)
        figures = measure(path, members)
        packed_kb = path.stat().st_size / members / 1e3
    size = "quick, a smaller size" if arguments.quick else "full size"
    print(f"{members} members of {packed_kb:.1f} KB packed ({size}); ms a member, the fastest of {REPEATS}")
    for name in (key.removesuffix("_cpu_ms") for key in figures if key.endswith("_cpu_ms")):
        print(f"{name:12s} {figures[f'{name}_ms']:7.4f} wall {figures[f'{name}_cpu_ms']:7.4f} CPU")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures | {"quick": arguments.quick}, indent=2) + "\n")


if __name__ == "__main__":
    main()
