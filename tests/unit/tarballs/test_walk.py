"""What a tar may hold beside packets, and how tars say names and sizes; tarfile makes them and is compared with."""

from __future__ import annotations

import copy
import io
import tarfile
from typing import TYPE_CHECKING

import pytest

from alertdb.errors import DamagedTarball, TarballTooLarge
from ingest.tarballs import find_sources, open_packets, scan
from ingest.tarballs.names import MAX_PACKET, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ingest.tarballs.batches import Reject

    MakeTar = Callable[..., Path]
    ReadAll = Callable[[Path], tuple[dict[str, bytes], list[Reject]]]


@pytest.fixture
def make_tar(tmp_path: Path) -> MakeTar:
    """Write ``a.tar`` with these members, (header, content) each."""

    def make(*members: tuple[tarfile.TarInfo, bytes], kind: int = tarfile.PAX_FORMAT) -> Path:
        path = tmp_path / "a.tar"
        with tarfile.open(path, "w", format=kind) as tar:
            for info, content in members:
                info = copy.copy(info)
                info.size = len(content) if info.isreg() else 0
                tar.addfile(info, io.BytesIO(content))
        return path

    return make


@pytest.fixture
def read_all() -> ReadAll:
    """Read a file: content by name, and the rejects."""

    def read(path: Path) -> tuple[dict[str, bytes], list[Reject]]:
        (source,) = find_sources([path])
        packets, rejects = {}, []
        with open_packets(source, batch_bytes=100_000) as reader:
            for batch in reader:
                for name, start, end in zip(batch.names, batch.starts, batch.ends, strict=True):
                    packets[name] = bytes(batch.buffer[start:end])
                rejects += batch.rejects
        return packets, rejects

    return read


GOOD = tarfile.TarInfo("1.avro"), b"first"
LAST = tarfile.TarInfo("9.avro"), b"last"
BOTH = {"1.avro": b"first", "9.avro": b"last"}


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = kind
    info.linkname = link
    return info


def raw_header(size_field: bytes, kind: bytes = b"0", extra: dict[int, bytes] | None = None) -> bytes:
    """A header with right checksum, of ``x.avro``, with this size field and these bytes at other places."""
    header = bytearray(member("x.avro", kind).tobuf())
    header[124:136] = size_field
    for at, value in (extra or {}).items():
        header[at : at + len(value)] = value
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (member("../x.avro"), r"its name leads out of the tarball (..)"),
        (member("a/../../x.avro"), r"its name leads out of the tarball (..)"),
        (member("a\\..\\x.avro"), r"its name leads out of the tarball (..)"),
        (member("/etc/x.avro"), "its name is absolute; a packet's is relative"),
        (member("x.txt"), "its name does not end in .avro"),
        (member("x.avro/"), "its name does not end in .avro"),
        (member("x.avro.gz"), "its name does not end in .avro"),
        (member("d" * 5000 + ".avro"), "its name has 5005 bytes; at most 4096 are possible"),
        (member("x.avro", tarfile.SYMTYPE, "/etc/passwd"), "it is a symbolic link; a packet is a regular file"),
        (member("x.avro", tarfile.LNKTYPE, "1.avro"), "it is a hard link; a packet is a regular file"),
        (member("x.avro", tarfile.CHRTYPE), "it is a device; a packet is a regular file"),
        (member("x.avro", tarfile.BLKTYPE), "it is a device; a packet is a regular file"),
        (member("x.avro", tarfile.FIFOTYPE), "it is a named pipe; a packet is a regular file"),
        (member("x.avro", b"Z"), "it is of the unknown type b'Z'; a packet is a regular file"),
    ],
)
@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_what_is_no_packet_is_a_reject_and_its_neighbours_are_read(
    make_tar: MakeTar, read_all: ReadAll, info: tarfile.TarInfo, reason: str, kind: int
) -> None:
    packets, (reject,) = read_all(make_tar(GOOD, (info, b"content" * 100), LAST, kind=kind))
    assert packets == BOTH
    assert reject == (info.name[:4096], reject.position, reason)
    assert reject.position == 1024 or len(info.name) > 100  # else an extended header comes first


@pytest.mark.parametrize(
    "info",
    [
        member("nights", tarfile.DIRTYPE),
        member("../..", tarfile.DIRTYPE),
        member("MD5SUMS"),
        member("nights/MD5SUMS"),
        member("._1.avro"),
        member("nights/._1.avro"),
        member("old/", tarfile.AREGTYPE),
    ],
)
def test_what_honest_tarballs_hold_beside_packets_is_passed_over(
    make_tar: MakeTar, read_all: ReadAll, info: tarfile.TarInfo
) -> None:
    assert read_all(make_tar(GOOD, (info, b"x" * 600), LAST)) == (BOTH, [])


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize(
    "name",
    [
        "1.avro",
        "./1.avro",
        "nights/20180819/1.avro",
        "alert_mjd59583.0511_obj1131_src2262001.avro",
        "n" * 90 + "/" + "p" * 95 + ".avro",  # a name that ustar splits into prefix and name
        "a..b.avro",
        "é-Ωmega.avro",
    ],
)
def test_names_are_those_of_tarfile(make_tar: MakeTar, read_all: ReadAll, name: str, kind: int) -> None:
    path = make_tar((member(name), b"content"), LAST, kind=kind)
    with tarfile.open(path) as tar:
        names = tar.getnames()
    assert read_all(path) == (dict(zip(names, [b"content", b"last"], strict=True)), [])


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize("length", [99, 100, 101, 300, 511, 512, 513, 4000])
def test_long_names(make_tar: MakeTar, read_all: ReadAll, length: int, kind: int) -> None:
    name = "x" * (length - 5) + ".avro"
    assert read_all(make_tar((member(name), b"content"), LAST, kind=kind)) == (
        {name: b"content", "9.avro": b"last"},
        [],
    )


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_buffer_may_end_anywhere(make_tar: MakeTar, kind: int) -> None:
    long = member("x" * 700 + ".avro"), bytes(3000)
    (source,) = find_sources([make_tar(GOOD, long, (member("x.txt"), bytes(1500)), LAST, kind=kind)])
    for batch_bytes in range(256, 10_000, 256):
        with open_packets(source, batch_bytes=batch_bytes) as reader:
            sizes = [size for batch in reader for size in (batch.ends - batch.starts).tolist()]
        assert sizes == [5, 3000, 4], batch_bytes


def test_a_long_link_name_does_not_name_the_member(make_tar: MakeTar, read_all: ReadAll) -> None:
    link = member("x.avro", tarfile.SYMTYPE, "y" * 300)
    packets, (reject,) = read_all(make_tar(GOOD, (link, b""), LAST, kind=tarfile.GNU_FORMAT))
    assert (packets, reject.name) == (BOTH, "x.avro")


def test_unprintable_names_are_shown_escaped(make_tar: MakeTar, read_all: ReadAll) -> None:
    infos = [member(name) for name in ("a\nb.avro", "nul", "a\x1b[31mb.avro", "\udcff.avro", "a\u202eb.avro")]
    infos[1].pax_headers = {"path": "a\0b.avro"}
    packets, rejects = read_all(make_tar(*[(info, b"") for info in infos]))
    assert list(packets) == [r"a\nb.avro", r"a\x00b.avro", r"a\x1b[31mb.avro", r"\xff.avro", r"a\u202eb.avro"]
    assert rejects == []
    assert shown(b"plain \xc3\xa9.avro") == "plain é.avro"


def test_a_pax_header_gives_the_size(tmp_path: Path, read_all: ReadAll) -> None:
    content = b"much longer than the header says"
    records = b"11 size=%d\n" % len(content)
    blocks = [raw_header(b"%011o\0" % len(records), b"x"), records, raw_header(b"%011o\0" % 3), content]
    path = tmp_path / "a.tar"
    path.write_bytes(b"".join(block.ljust(512, b"\0") for block in blocks) + bytes(1024))
    assert read_all(path) == ({"x.avro": content}, [])
    with tarfile.open(path) as tar:
        assert [info.size for info in tar] == [len(content)]


def test_a_global_pax_header_is_heard(tmp_path: Path, read_all: ReadAll) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", pax_headers={"comment": "night 1"}) as tar:
        tar.addfile(member("1.avro"), io.BytesIO())
    assert read_all(path) == ({"1.avro": b""}, [])


@pytest.mark.parametrize("size", [MAX_PACKET + 1, 64 << 20])
def test_a_member_that_is_too_large_is_skipped(tmp_path: Path, read_all: ReadAll, size: int) -> None:
    path = tmp_path / "a.tar"
    with path.open("wb") as file:
        file.write(raw_header(b"%011o\0" % size))
        file.seek(size + -size % 512, 1)  # a hole, read as zeros
        file.write(raw_header(b"%011o\0" % 4) + b"last".ljust(512, b"\0") + bytes(1024))
    packets, (reject,) = read_all(path)
    assert packets == {"x.avro": b"last"}
    assert reject == ("x.avro", 0, f"it has {size} bytes; a packet has at most {MAX_PACKET}")


def test_the_largest_packet_is_read(make_tar: MakeTar, read_all: ReadAll) -> None:
    content = bytes(range(256)) * (MAX_PACKET // 256)
    assert read_all(make_tar(GOOD, (member("5.avro"), content), LAST)) == (BOTH | {"5.avro": content}, [])


@pytest.mark.parametrize("further", [0, 1, 3])
def test_sparse_members_are_rejects(tmp_path: Path, read_all: ReadAll, further: int) -> None:
    size, more = b"%011o\0" % 600, {482: b"\1" if further else b"\0"}
    maps = [bytes(504) + (b"\1" if i < further - 1 else b"\0") + bytes(7) for i in range(further)]
    tar = raw_header(size, b"S", more) + b"".join(maps) + b"s" * 1024 + raw_header(b"%011o\0" % 3)
    path = tmp_path / "a.tar"
    path.write_bytes(tar + b"end".ljust(512, b"\0") + bytes(1024))
    packets, (reject,) = read_all(path)
    assert packets == {"x.avro": b"end"}
    assert reject == ("x.avro", 0, "it is a sparse file; a packet is a regular file")
    with tarfile.open(path) as tarred:
        assert [(member.name, member.offset) for member in tarred][1] == ("x.avro", 512 * (3 + further))


def test_sparse_members_of_pax_are_rejects(make_tar: MakeTar, read_all: ReadAll) -> None:
    info = member("5.avro")
    info.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "5.avro"}
    packets, (reject,) = read_all(make_tar(GOOD, (info, b"content"), LAST))
    assert packets == BOTH
    assert reject.reason == "it is a sparse file; a packet is a regular file"


@pytest.mark.parametrize(
    ("tar", "message"),
    [
        (raw_header(b"%011o\0" % (8 << 20), b"L"), "an extended header claims 8388608 bytes"),
        (raw_header(b"%011o\0" % 5, b"x") + b"x" * 512, "its pax records are malformed"),
        (raw_header(b"%011o\0" % 10, b"x") + b"10 size=x\n".ljust(512, b"\0") + raw_header(b"0" * 12), "is no size"),
    ],
)
def test_hostile_extensions_are_damage(tmp_path: Path, read_all: ReadAll, tar: bytes, message: str) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(raw_header(b"0" * 12) + tar + bytes(1024))
    with pytest.raises(DamagedTarball, match=message):
        read_all(path)


def test_a_sparse_map_without_end_is_damage(tmp_path: Path, read_all: ReadAll) -> None:
    path = tmp_path / "a.tar"
    path.write_bytes(raw_header(b"0" * 12, b"S", {482: b"\1"}) + b"\1" * (1 << 20))
    with pytest.raises(DamagedTarball, match=r"lacks its closing blocks.* after member x\.avro"):
        read_all(path)


def test_more_and_more_members_are_refused(
    make_tar: MakeTar, read_all: ReadAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make_tar(*[(member(f"{i}.avro"), b"") for i in range(11)])
    monkeypatch.setattr(scan, "MAX_MEMBERS", 11)
    assert len(read_all(path)[0]) == 11
    monkeypatch.setattr(scan, "MAX_MEMBERS", 10)
    with pytest.raises(TarballTooLarge, match="has 1[01] members or more; at most 10 is plausible"):
        read_all(path)
