"""Headers of a tar, read as tarfile reads them."""

from __future__ import annotations

import struct
import tarfile

import pytest

from ingest.tarballs.headers import BadHeader, Header, padded, parse_header, parse_pax


def header_with_size(field: bytes) -> bytes:
    header = bytearray(tarfile.TarInfo("x.avro").tobuf())
    header[124:136] = field
    header[148:156] = b" " * 8
    header[148:156] = b"%06o\0 " % sum(header)
    return bytes(header)


@pytest.mark.parametrize(
    ("field", "size"),
    [
        (b"00000000012\0", 10),
        (b"         12 ", 10),
        (b"12\0garbage..", 10),
        (b"\0" * 12, 0),
        (b"777777777777", 8**12 - 1),
        (b"\x80" + struct.pack(">3xQ", 1 << 40), 1 << 40),
    ],
)
def test_sizes_in_headers(field: bytes, size: int) -> None:
    assert parse_header(header_with_size(field)) == Header(b"x.avro", size, b"0")
    assert tarfile.TarInfo.frombuf(header_with_size(field), "utf-8", "strict").size == size


@pytest.mark.parametrize(
    "field", [b"-0000000012\0", b"0000000x012\0", b"00000000009\0", b"\xff" * 12, b"1_0" + b"\0" * 9]
)
def test_sizes_that_are_none(field: bytes) -> None:
    with pytest.raises(BadHeader, match="is no octal number"):
        parse_header(header_with_size(field))


def test_a_wrong_checksum_is_found() -> None:
    header = bytearray(header_with_size(b"00000000012\0"))
    header[0] ^= 1
    with pytest.raises(BadHeader, match="its checksum is wrong"):
        parse_header(bytes(header))


@pytest.mark.parametrize(
    "records", [b"x", b"8 path=x\n", b"11 path=x\n", b"99 path=x\n", b"11 path=x.a", b"0 a=b\n", b"5 =b\n"]
)
def test_malformed_pax_records_are_found(records: bytes) -> None:
    with pytest.raises(BadHeader, match="pax records are malformed"):
        parse_pax(records)


def test_pax_records_may_hold_newlines_and_equal_signs() -> None:
    assert parse_pax(b"12 path=a\nb\n9 x=y=z=\n") == {b"path": b"a\nb", b"x": b"y=z="}


@pytest.mark.parametrize(("size", "blocks"), [(0, 0), (1, 1), (511, 1), (512, 1), (513, 2)])
def test_content_takes_whole_blocks(size: int, blocks: int) -> None:
    assert padded(size) == 512 * blocks
