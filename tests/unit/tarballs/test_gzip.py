"""The forms that a whole .tar.gz may have; bombs; and the memory that reading takes."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import TarballTooLarge
from ingest.tarballs import estimate, find_sources, open_packets

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.tarballs import Source

SIZES = [500, 70_000, 0, 300_000, 512]


def tar_of(sizes: list[int], *, closed: bool = True) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for index, size in enumerate(sizes):
            info = tarfile.TarInfo(f"{index}.avro")
            info.size = size
            tar.addfile(info, io.BytesIO(random.Random(index).randbytes(size)))
        end = tar.offset
    return file.getvalue() if closed else file.getvalue()[:end]


def source_of(path: Path, data: bytes) -> Source:
    path.write_bytes(data)
    (source,) = find_sources([path])
    return source


def sizes_in(source: Source, batch_bytes: int = 1 << 20) -> list[int]:
    with open_packets(source, batch_bytes=batch_bytes) as reader:
        sizes = [int(size) for batch in reader for size in batch.ends - batch.starts]
        assert reader.bytes_read == source.bytes
        return sizes


TAR = tar_of(SIZES)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(TAR),
        gzip.compress(TAR, compresslevel=0),
        gzip.compress(TAR[:1]) + gzip.compress(TAR[1:]),
        b"".join(gzip.compress(TAR[at : at + 1000], 1) for at in range(0, len(TAR), 1000)),
        gzip.compress(TAR) + gzip.compress(b""),
        gzip.compress(TAR) + bytes(10_000),
        gzip.compress(TAR[:1000]) + bytes(300_000) + gzip.compress(TAR[1000:]),
    ],
    ids=["usual", "stored", "two", "many", "empty last", "padded", "padded between"],
)
def test_forms_of_gzip(tmp_path: Path, data: bytes) -> None:
    assert sizes_in(source_of(tmp_path / "a.tar.gz", data)) == SIZES
    assert gzip.decompress(data) == TAR


def test_a_gzip_header_with_all_that_may_be_in_it(tmp_path: Path) -> None:
    usual = gzip.compress(TAR)
    header = b"\x1f\x8b\x08\x1c\0\0\0\0\0\3" + b"\4\0abcd" + b"name" * 20_000 + b"\0comment\0"
    assert sizes_in(source_of(tmp_path / "a.tar.gz", header + usual[10:])) == SIZES


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("a.tar.gz", gzip.compress(bytes(10240))),
        ("a.tar.gz", gzip.compress(bytes(1024))),
        ("a.tar.gz", gzip.compress(b"")),
        ("a.tar", bytes(1024)),
        ("a.tar", bytes(10240)),
    ],
)
def test_a_night_without_alerts(tmp_path: Path, name: str, data: bytes) -> None:
    source = source_of(tmp_path / name, data)
    with open_packets(source) as reader:
        assert list(reader) == []
    assert (reader.members, reader.damage) == (0, None)
    assert estimate(source).alerts == 0


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    data = gzip.compress(tarfile.TarInfo("1.avro").tobuf() + bytes(40 << 20))
    with pytest.raises(TarballTooLarge, match=r"a\.tar\.gz unpacks to \d+ times its size; at most 200 times"):
        sizes_in(source_of(tmp_path / "a.tar.gz", data))


def test_a_bomb_of_bombs_is_refused_although_each_is_small(tmp_path: Path) -> None:
    info = tarfile.TarInfo("1.avro")
    info.size = 1 << 20
    data = gzip.compress(info.tobuf() + bytes(1 << 20)) * 40
    with pytest.raises(TarballTooLarge, match="at most 200 times is plausible"):
        sizes_in(source_of(tmp_path / "a.tar.gz", data))


def test_small_tarballs_may_compress_well(tmp_path: Path) -> None:
    info = tarfile.TarInfo("1.avro")
    info.size = 4 << 20
    data = gzip.compress(info.tobuf() + bytes(4 << 20) + bytes(10240))
    assert sizes_in(source_of(tmp_path / "a.tar.gz", data)) == [4 << 20]


@pytest.mark.parametrize("name", ["a.tar.gz", "a.tar"])
def test_an_estimate_of_all_that_is_there_is_exact(tmp_path: Path, name: str) -> None:
    tar = tar_of(SIZES)
    found = estimate(source_of(tmp_path / name, gzip.compress(tar) if name == "a.tar.gz" else tar))
    assert (found.members, found.alerts, found.unpacked_bytes) == (5, 5, len(tar))


def test_an_estimate_from_the_beginning_is_near(tmp_path: Path) -> None:
    part = tar_of([20_000] * 100, closed=False)
    source = source_of(tmp_path / "a.tar.gz", gzip.compress(part, 1) * 10 + gzip.compress(bytes(1024)))
    found = estimate(source)
    assert found.alerts == pytest.approx(1000, rel=0.03)
    assert found.unpacked_bytes == pytest.approx(10 * len(part), rel=0.03)


def test_an_estimate_does_not_mind_damage(tmp_path: Path) -> None:
    part = tar_of([20_000] * 100, closed=False)
    found = estimate(source_of(tmp_path / "a.tar.gz", gzip.compress(part, 1)[:-1000]))
    assert found.alerts == pytest.approx(100, rel=0.03)


def test_memory_does_not_grow_with_the_tarball(tmp_path: Path) -> None:
    part = gzip.compress(tar_of([70_000] * 30, closed=False), 1)
    end = gzip.compress(bytes(1024))

    def peak(parts: int) -> int:
        source = source_of(tmp_path / "a.tar.gz", part * parts + end)
        tracemalloc.start()
        with open_packets(source, batch_bytes=1 << 20) as reader:
            count = sum(len(batch) for batch in reader)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 30 * parts
        return peak

    few, many = peak(5), peak(40)
    assert many < 10 << 20  # three or four batches, and blocks read ahead
    assert many < 1.2 * few
