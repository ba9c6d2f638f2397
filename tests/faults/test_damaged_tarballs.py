"""Every kind of damage to a tarball: refused with one clear line, or harmless; never half loaded in silence."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
import zlib
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import AlertdbError, DamagedTarball, NotATarball, SourceChanged
from ingest.tarballs import find_sources, open_packets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ingest.tarballs import PacketReader

Packets = list[tuple[str, bytes]]

MEMBERS: Packets = [
    (f"{index:019d}.avro", random.Random(index).randbytes(size) + b"text " * 20)
    for index, size in enumerate([300, 0, 700, 512, 412])
]


def tar_of(members: Packets) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return file.getvalue()


TAR = tar_of(MEMBERS)
TAR_GZ = gzip.compress(TAR, mtime=1)
LAST_MEMBER_END = 512 * len(MEMBERS) + sum(-(-len(content) // 512) * 512 for _, content in MEMBERS)


def opened(path: Path, *, allow_damaged: bool = False, batch_bytes: int = 4096) -> PacketReader:
    (source,) = find_sources([path])
    return open_packets(source, allow_damaged=allow_damaged, batch_bytes=batch_bytes)


def read(reader: PacketReader) -> Iterator[tuple[str, bytes]]:
    with reader:
        for batch in reader:
            for name, start, end in zip(batch.names, batch.starts, batch.ends, strict=True):
                yield name, bytes(batch.buffer[start:end])
            assert not batch.rejects


def outcome(path: Path, data: bytes) -> Packets | None:
    """What a file with these bytes gives; None if it is refused."""
    path.write_bytes(data)
    try:
        return list(read(opened(path)))
    except (DamagedTarball, NotATarball):
        return None


def whole(tar: bytes) -> Packets:
    """Members whose content lies whole in the beginning of a tar."""
    ends, at = [], 0
    for _, content in MEMBERS:
        ends.append(at + 512 + len(content))
        at += 512 + -(-len(content) // 512) * 512
    return [member for member, end in zip(MEMBERS, ends, strict=True) if end <= len(tar)]


def test_the_undamaged_tarballs_are_read(tmp_path: Path) -> None:
    assert len(TAR_GZ) < 5000
    assert outcome(tmp_path / "a.tar.gz", TAR_GZ) == MEMBERS
    assert outcome(tmp_path / "a.tar", TAR) == MEMBERS


@pytest.mark.parametrize("bit", [0, 3, 7])
def test_any_flipped_bit_is_refused_or_harmless(tmp_path: Path, bit: int) -> None:
    harmless = 0
    for index in range(len(TAR_GZ)):
        damaged = bytearray(TAR_GZ)
        damaged[index] ^= 1 << bit
        result = outcome(tmp_path / "a.tar.gz", bytes(damaged))
        assert result in (None, MEMBERS), f"bit {bit} of byte {index}"
        harmless += result is not None
    assert harmless <= 10  # time and system in the gzip header, padding bits before its CRC


def test_of_any_flipped_bit_something_can_be_had_and_the_damage_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    for index in range(10, len(TAR_GZ), 11):
        damaged = bytearray(TAR_GZ)
        damaged[index] ^= 16
        path.write_bytes(damaged)
        reader = opened(path, allow_damaged=True, batch_bytes=1 << 20)
        got = list(read(reader))
        assert "gzip data are wrong" in str(reader.damage) or "break off" in str(reader.damage) or got == MEMBERS
        assert reader.bytes_read == len(TAR_GZ)


def test_any_truncation_is_refused(tmp_path: Path) -> None:
    for length in range(len(TAR_GZ)):
        assert outcome(tmp_path / "a.tar.gz", TAR_GZ[:length]) is None, f"cut after {length} bytes"


def test_of_any_truncation_what_is_whole_can_be_had(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    for length in range(2, len(TAR_GZ)):
        path.write_bytes(TAR_GZ[:length])
        reader = opened(path, allow_damaged=True)
        assert list(read(reader)) == whole(zlib.decompressobj(31).decompress(TAR_GZ[:length])), length
        assert reader.damage is not None
        assert "break off" in reader.damage
        assert reader.bytes_read == length


def test_an_uncompressed_tar_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.tar"
    for length in range(0, len(TAR), 37):
        result = outcome(path, TAR[:length])
        assert result == (MEMBERS if length >= LAST_MEMBER_END + 1024 else None), length


def test_an_uncompressed_tar_with_a_flipped_bit_in_a_header_is_refused(tmp_path: Path) -> None:
    for index in range(512):
        damaged = bytearray(TAR)
        damaged[index] ^= 2
        result = outcome(tmp_path / "a.tar", bytes(damaged))
        assert result is None or (result == MEMBERS and index in range(154, 156)), index


@pytest.mark.parametrize("members", range(1, len(MEMBERS) + 1))
def test_a_tar_cut_between_members_is_refused_unless_gzip_vouches_for_it(tmp_path: Path, members: int) -> None:
    cut = TAR[: 512 * members + sum(-(-len(content) // 512) * 512 for _, content in MEMBERS[:members])]
    assert outcome(tmp_path / "a.tar", cut) is None
    for path, data, allow_damaged in (
        (tmp_path / "a.tar.gz", gzip.compress(cut), False),
        (tmp_path / "a.tar", cut, True),
    ):
        path.write_bytes(data)
        reader = opened(path, allow_damaged=allow_damaged)
        assert list(read(reader)) == MEMBERS[:members]
        assert "lacks its closing blocks" in str(reader.damage)
        assert f"after member {MEMBERS[members - 1][0]}, unpacked byte {len(cut)}" in str(reader.damage)


@pytest.mark.parametrize("more", [1, 511, 512, 513, 1023])
def test_a_tar_with_only_part_of_its_closing_blocks_is_refused(tmp_path: Path, more: int) -> None:
    assert outcome(tmp_path / "a.tar.gz", gzip.compress(TAR[: LAST_MEMBER_END + more])) is None


def test_the_real_tarball_that_was_never_closed_is_read_and_it_is_said(real_data: Path) -> None:
    reader = opened(real_data / "ztf" / "ztf_public_20180819.tar.gz")
    assert len(list(read(reader))) == 30
    assert "lacks its closing blocks" in str(reader.damage)


@pytest.mark.parametrize("bad", [-8, -1])
def test_with_only_the_checksum_wrong_all_members_can_be_had(tmp_path: Path, bad: int) -> None:
    path = tmp_path / "a.tar.gz"
    damaged = bytearray(TAR_GZ)
    damaged[bad] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(DamagedTarball, match="gzip data are wrong"):
        list(read(opened(path)))
    reader = opened(path, allow_damaged=True)
    assert list(read(reader)) == MEMBERS
    assert "gzip data are wrong" in str(reader.damage)


def test_what_lies_before_a_flipped_bit_can_be_had_from_large_tarballs_too(tmp_path: Path) -> None:
    members = [(f"{i}.avro", random.Random(i).randbytes(3000)) for i in range(500)]
    data = bytearray(gzip.compress(tar_of(members)))
    data[1_000_000] ^= 0xFF
    data[1_000_001] ^= 0xFF
    path = tmp_path / "a.tar.gz"
    path.write_bytes(data)
    reader = opened(path, allow_damaged=True)
    got = list(read(reader))
    good = [name for (name, content), right in zip(got, members, strict=False) if (name, content) == right]
    assert len(good) >= 1_000_000 // 3600
    assert reader.bytes_read == len(data)


def test_the_message_names_file_member_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "night.tar.gz"
    path.write_bytes(TAR_GZ[: len(TAR_GZ) // 2])
    with pytest.raises(DamagedTarball) as caught:
        list(read(opened(path)))
    assert str(caught.value) == (
        f"{path} is damaged: its gzip data break off: in member {MEMBERS[2][0]}, unpacked byte 2048, "
        f"near byte {len(TAR_GZ) // 2} of the file. Fetch it again, or load what is whole with --allow-damaged."
    )


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.tar.gz", b"", "is damaged: it is empty, neither gzip nor tar"),
        ("a.tar", b"", "is damaged: it is empty, neither gzip nor tar"),
        ("a.tar.gz", TAR, r"is not gzip-compressed \(it begins with b'0000000.*expected a gzip-compressed tar"),
        ("a.tar.gz", b"<html>404", r"is not gzip-compressed \(it begins with b'<html>404'\)"),
        ("a.tar", TAR_GZ, "is gzip-compressed; expected an uncompressed tar"),
        ("a.tar.gz", gzip.compress(b"no tar " * 1000), "is no tar .*; expected a tar of .avro files"),
        ("a.tar", b"no tar " * 1000, "is no tar .*; expected a tar of .avro files"),
        ("a.tar.gz", TAR_GZ + b"garbage", "something that is no gzip follows"),
        ("a.tar.gz", TAR_GZ + bytes(100) + b"garbage", "something that is no gzip follows"),
        ("a.tar.gz", TAR_GZ + TAR_GZ[:5], "gzip data break off"),
        ("a.tar.gz", gzip.compress(TAR + TAR), "data follow after the closing blocks"),
        ("a.tar.gz", TAR_GZ + TAR_GZ, "data follow after the closing blocks"),
        ("a.tar", TAR[:LAST_MEMBER_END] + bytes(512) + TAR[:512], "a lone block of zeros"),
    ],
)
def test_what_is_no_tarball_says_so(tmp_path: Path, name: str, data: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(AlertdbError, match=message):
        list(read(opened(tmp_path / name)))


@pytest.mark.parametrize("change", [b"", TAR_GZ + b"\0"])
def test_a_file_that_changes_meanwhile_is_refused(tmp_path: Path, change: bytes) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(TAR_GZ)
    reader = opened(path)  # the file is open and its size and time are noted
    path.write_bytes(change or TAR_GZ[:100])
    with pytest.raises(SourceChanged, match="changed while it was being read. Wait until it is complete"):
        list(read(reader))
