"""Reading whole sources, against tarfile and gzip from the standard library."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    from ingest.tarballs import Batch, PacketReader, Source

Packets = list[tuple[str, bytes]]


def one(path: Path) -> Source:
    (source,) = find_sources([path])
    return source


def contents(batch: Batch) -> Packets:
    ranges = zip(batch.names, batch.starts, batch.ends, strict=True)
    return [(name, bytes(batch.buffer[start:end])) for name, start, end in ranges]


def packets(reader: PacketReader) -> Packets:
    return [packet for batch in reader for packet in contents(batch)]


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def expected(path: Path) -> Packets:
    with gzip.open(path) as file, tarfile.open(fileobj=io.BytesIO(file.read())) as tar:
        return [(member.name, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]


def test_real_tarballs_give_what_tarfile_gives(real_data: Path) -> None:
    tarballs = sorted(real_data.glob("*/*.tar.gz"))
    assert tarballs
    threads = set(threading.enumerate())  # other tests' may live on
    for path in tarballs:
        with open_packets(one(path)) as reader:
            assert packets(reader) == expected(path), path
            assert reader.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
            assert reader.bytes_read == path.stat().st_size
            # One of them was never closed; test_damaged_tarballs.py has more of that.
            assert (reader.damage is None) == (path.name != "ztf_public_20180819.tar.gz")
    assert set(threading.enumerate()) <= threads


@pytest.mark.parametrize("batch_bytes", [1, 70_000, 200_000, 1_000_000])
@pytest.mark.parametrize("batch_members", [1, 3, 1000])
def test_the_size_of_batches_changes_nothing(real_data: Path, batch_bytes: int, batch_members: int) -> None:
    path = real_data / "ztf" / "ztf_public_20231012.tar.gz"
    got = []
    with open_packets(one(path), batch_bytes=batch_bytes, batch_members=batch_members) as reader:
        for batch in reader:
            assert len(batch) <= batch_members
            assert len(batch.buffer) <= max(batch_bytes, 512 + 120_000)
            got.append((contents(batch), batch.positions.tolist()))
    assert [packet for packets, _ in got for packet in packets] == expected(path)
    with tarfile.open(path) as tar:
        assert [place for _, places in got for place in places] == [member.offset for member in tar]


def test_batches_that_are_kept_stay_as_they_are(real_data: Path) -> None:
    path = real_data / "ztf" / "ztf_public_20210901.tar.gz"
    with open_packets(one(path), batch_bytes=100_000) as reader:
        kept = list(reader)
    assert [packet for batch in kept for packet in contents(batch)] == expected(path)


def test_a_reader_that_is_left_early_leaves_no_thread_and_no_open_file(real_data: Path) -> None:
    source = one(real_data / "ztf" / "ztf_public_20210901.tar.gz")
    opened, threads = open_files(), set(threading.enumerate())
    with open_packets(source, batch_bytes=100_000) as reader:
        next(iter(reader))
        with pytest.raises(RuntimeError, match="known when all batches were read"):
            _ = reader.sha256
    assert set(threading.enumerate()) <= threads
    assert open_files() == opened
