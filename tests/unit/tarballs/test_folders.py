"""Packets that lie as files, in a folder or alone."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import SourceChanged, SourceUnreadable
from ingest.tarballs import find_sources, open_packets
from ingest.tarballs.batches import Reject
from ingest.tarballs.names import MAX_PACKET

if TYPE_CHECKING:
    from pathlib import Path

    from ingest.tarballs import Batch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "night"
    path.mkdir()
    for index in range(20):
        content = random.Random(index).randbytes(index * 1000)
        (path / f"{index:02d}.avro").write_bytes(content)
    return path


def contents(batch: Batch) -> list[tuple[str, bytes]]:
    ranges = zip(batch.names, batch.starts, batch.ends, strict=True)
    return [(name, bytes(batch.buffer[start:end])) for name, start, end in ranges]


@pytest.mark.parametrize("batch_members", [1, 7, 20, 1000])
def test_a_folder_is_read_in_the_order_of_names(folder: Path, batch_members: int) -> None:
    (source,) = find_sources([folder])
    with open_packets(source, batch_members=batch_members) as reader:
        batches = list(reader)
    expected = sorted((path.name, path.read_bytes()) for path in folder.iterdir())
    assert [packet for batch in batches for packet in contents(batch)] == expected
    assert [len(batch) for batch in batches] == [
        min(batch_members, 20 - start) for start in range(0, 20, batch_members)
    ]
    assert (reader.members, reader.bytes_read, reader.unpacked_bytes) == (20, source.bytes, source.bytes)
    lines = "".join(f"{name} {hashlib.sha256(content).hexdigest()}\n" for name, content in expected)
    assert reader.sha256 == hashlib.sha256(lines.encode()).hexdigest()


def test_a_batch_is_not_larger_than_its_buffer(folder: Path) -> None:
    for index in range(3):
        (folder / f"large{index}.avro").write_bytes(bytes(MAX_PACKET // 2 + index))
    (source,) = find_sources([folder])
    with open_packets(source, batch_bytes=1) as reader:
        batches = list(reader)
    assert [len(batch.buffer) <= MAX_PACKET for batch in batches] == [True, True, True]
    assert sum(len(batch) for batch in batches) == 23


def test_a_single_packet(folder: Path) -> None:
    path = folder / "07.avro"
    (source,) = find_sources([path])
    with open_packets(source) as reader:
        (batch,) = reader
    assert contents(batch) == [("07.avro", path.read_bytes())]
    assert batch.positions.tolist() == [0]
    assert reader.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert reader.damage is None


def test_a_file_that_is_too_large_is_a_reject_and_counts_for_the_checksum(folder: Path) -> None:
    content = bytes(MAX_PACKET + 1)
    (folder / "large.avro").write_bytes(content)
    (source,) = find_sources([folder / "large.avro"])
    with open_packets(source) as reader:
        (batch,) = reader
    assert batch.rejects == [
        Reject("large.avro", 0, f"it has {MAX_PACKET + 1} bytes; a packet has at most {MAX_PACKET}")
    ]
    assert reader.sha256 == hashlib.sha256(content).hexdigest()


def test_names_are_shown_escaped(folder: Path) -> None:
    (folder / "z\n\udcff.avro").write_bytes(b"")
    (source,) = find_sources([folder])
    with open_packets(source) as reader:
        names = [name for batch in reader for name in batch.names]
        assert names[-1] == r"z\n\xff.avro"
        assert len(reader.sha256) == 64


def test_a_packet_that_is_gone_by_now(folder: Path) -> None:
    (source,) = find_sources([folder / "07.avro"])
    (folder / "07.avro").unlink()
    with (
        pytest.raises(SourceUnreadable, match=r"07\.avro cannot be read: No such file"),
        open_packets(source) as reader,
    ):
        list(reader)


def test_a_packet_that_grows_meanwhile(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = find_sources([folder / "07.avro"])

    def append(*_: object) -> None:
        with (folder / "07.avro").open("ab") as file:
            file.write(b"more")

    monkeypatch.setattr("ingest.tarballs.folders.why_rejected", append)  # runs between its size and its content
    with (
        pytest.raises(SourceChanged, match=r"07\.avro changed while it was being read"),
        open_packets(source) as reader,
    ):
        list(reader)
