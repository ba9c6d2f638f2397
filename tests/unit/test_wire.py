"""The binary protocol: packets and rows written by hand, as the protocol's description has them."""

from __future__ import annotations

import struct
from datetime import date, datetime, timedelta
from typing import Any

import mariadb
import numpy as np
import pyarrow as pa
import pytest

from alertdb.columns import to_table
from alertdb.wire import packets
from alertdb.wire.codes import ENDED, FULL, HUGE, MORE, SLACK
from alertdb.wire.kernel import find_rows
from alertdb.wire.packets import Definition
from alertdb.wire.rows import Layout, ProtocolBroken

UTF8, BINARY, UNSIGNED = 45, 63, 32


def packet(payload: bytes, number: int = 0) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([number]) + payload


def row(values: list[bytes | None]) -> bytes:
    """A row: a 0, a bit for each NULL from the third on, the values."""
    bits = sum(1 << (place + 2) for place, value in enumerate(values) if value is None)
    return b"\x00" + bits.to_bytes((len(values) + 9) // 8, "little") + b"".join(value or b"" for value in values)


def column(kind: int, *, flags: int = 0, charset: int = BINARY, decimals: int = 0) -> Definition:
    return Definition("x", "", "", kind, flags, decimals, charset)


def read(definitions: list[Definition], rows: list[bytes]) -> pa.Table:
    data = np.frombuffer(b"".join(map(packet, rows)) + bytes(SLACK), np.uint8).copy()
    starts = np.empty(len(rows) + 1, np.int64)
    count, at, why = find_rows(data, 0, len(data) - SLACK, starts, 0)
    assert (count, at, why) == (len(rows), len(data) - SLACK, MORE)
    layout = Layout(definitions)
    return to_table(layout.columns, [layout.read(data, starts, count)])


def text(value: bytes) -> bytes:
    """A text behind its length."""
    size = len(value)
    if size < 251:
        return bytes([size]) + value
    if size < 2**16:
        return b"\xfc" + struct.pack("<H", size) + value
    return b"\xfd" + struct.pack("<I", size)[:3] + value


@pytest.mark.parametrize(
    ("definition", "stored", "value"),
    [
        (column(1), b"\xff", -1),
        (column(1, flags=UNSIGNED), b"\xff", 255),
        (column(2), b"\x00\x80", -(2**15)),
        (column(2, flags=UNSIGNED), b"\xff\xff", 2**16 - 1),
        (column(13, flags=UNSIGNED), b"\xe8\x07", 2024),
        (column(9), struct.pack("<i", -(2**23)), -(2**23)),
        (column(3), struct.pack("<i", -(2**31)), -(2**31)),
        (column(3, flags=UNSIGNED), struct.pack("<I", 2**32 - 1), 2**32 - 1),
        (column(8), struct.pack("<q", -(2**63)), -(2**63)),
        (column(8, flags=UNSIGNED), struct.pack("<Q", 2**64 - 1), 2**64 - 1),
        (column(4), struct.pack("<f", 16.123455), float(np.float32(16.123455))),
        (column(5), struct.pack("<d", 1 / 3), 1 / 3),
        (column(10), b"\x04" + struct.pack("<HBB", 2024, 2, 29), date(2024, 2, 29)),
        (column(10), b"\x00", None),
        (column(12), b"\x04" + struct.pack("<HBB", 1969, 12, 31), datetime(1969, 12, 31)),
        (column(12), b"\x07" + struct.pack("<HBBBBB", 2024, 1, 10, 3, 4, 5), datetime(2024, 1, 10, 3, 4, 5)),
        (column(7), b"\x0b" + struct.pack("<HBBBBBI", 2024, 1, 10, 3, 4, 5, 6), datetime(2024, 1, 10, 3, 4, 5, 6)),
        (column(12), b"\x00", None),
        (column(11), b"\x00", timedelta(0)),
        (column(11), b"\x08" + struct.pack("<BIBBB", 0, 1, 2, 3, 4), timedelta(1, 2 * 3600 + 3 * 60 + 4)),
        (column(11), b"\x0c" + struct.pack("<BIBBBI", 1, 0, 0, 0, 1, 5), -timedelta(seconds=1, microseconds=5)),
        (column(253, charset=UTF8), text("é☄".encode()), "é☄"),
        (column(253, charset=UTF8), text(b""), ""),
        (column(252, charset=UTF8), text(b"a" * 300), "a" * 300),
        (column(252, charset=UTF8), text(b"b" * 70_000), "b" * 70_000),
        (column(252), text(b"\xff\x00"), b"\xff\x00"),
        (column(246), text(b"-12345678901234567890"), -12345678901234567890),
        (column(246, decimals=2), text(b"0.10"), 0.1),
        (column(6), b"", None),
    ],
)
def test_a_value_of_each_kind(definition: Definition, stored: bytes, value: Any) -> None:
    """Between two of another kind, and NULL in the next row."""
    between = column(8)
    before, after = struct.pack("<q", 7), struct.pack("<q", 8)
    kept = None if definition.type == 6 else stored
    rows = [row([before, kept, after]), row([before, None, after]), row([before, kept, after])]
    table = read([between, definition, between], rows)
    assert [table.column(number).to_pylist() for number in range(3)] == [[7] * 3, [value, None, value], [8] * 3]


def test_nulls_in_many_columns() -> None:
    dice = np.random.default_rng(1)
    kinds = [column(3), column(5), column(253, charset=UTF8)] * 9
    stored = [struct.pack("<i", 5), struct.pack("<d", 0.5), text(b"abc")] * 9
    present = dice.random((40, 27)) < 0.5
    table = read(kinds, [row([s if p else None for s, p in zip(stored, line, strict=True)]) for line in present])
    for number, values in enumerate([5, 0.5, "abc"] * 9):
        assert table.column(number).to_pylist() == [values if is_there else None for is_there in present[:, number]]


def test_where_the_rows_end() -> None:
    rows = [packet(row([b"\x05"])) for _ in range(5)]
    end = packet(b"\xfe\x00\x00\x02\x00")
    data = np.frombuffer(b"".join(rows) + end, np.uint8).copy()
    starts = np.empty(9, np.int64)
    assert find_rows(data, 0, len(data), starts, 0) == (5, 5 * len(rows[0]), ENDED)
    for cut in range(len(data)):
        count, at, why = find_rows(data, 0, cut, starts, 0)
        assert (count, why) == (min(cut // len(rows[0]), 5), MORE)
        assert find_rows(data, at, len(data), starts, count) == (5, 5 * len(rows[0]), ENDED)
    assert find_rows(data, 0, len(data), starts[:4], 0) == (3, 3 * len(rows[0]), FULL)
    huge = np.frombuffer(b"\xff\xff\xff\x00\x00", np.uint8).copy()
    assert find_rows(huge, 0, len(huge), starts, 0) == (0, 0, HUGE)


@pytest.mark.parametrize(
    "broken",
    [
        b"\x00\x00",
        b"\x00\x00" + b"\x01" * 7,
        b"\x00\x00" + b"\x01" * 8 + b"\xfd\xff\xff\xff",
        b"\x00\x00" + b"\x01" * 8 + b"\x05abc",
        b"\x00\x00" + b"\x01" * 8 + b"\x01ab",
        b"\x00",
    ],
)
def test_rows_that_are_none(broken: bytes) -> None:
    good = row([struct.pack("<q", 1), text(b"a")])
    definitions = [column(8), column(253, charset=UTF8)]
    with pytest.raises(ProtocolBroken, match="row 1 of 3"):
        read(definitions, [good, broken, good])


def test_any_bytes_at_all_are_survived() -> None:
    dice = np.random.default_rng(2)
    definitions = [column(kind, charset=UTF8) for kind in (1, 2, 3, 4, 8, 10, 11, 12, 253)]
    for _ in range(2000):
        broken = b"\x00" + dice.integers(0, 256, dice.integers(0, 60), np.uint8).tobytes()
        try:
            read(definitions, [broken])
        except (ProtocolBroken, pa.ArrowInvalid):
            continue


def test_long_commands_go_in_several_packets() -> None:
    """One that fills a packet to the last byte is followed by an empty one."""
    full = packets.LARGEST
    assert packets.framed(b"\x03abc", b"") == b"\x04\x00\x00\x00\x03abc" + b"\x00\x00\x00\x00"
    for size, lengths in ((full - 1, [full - 1]), (full, [full, 0]), (full + 5, [full, 5])):
        sent = packets.framed(bytes(size))
        for number, length in enumerate(lengths):
            assert (int.from_bytes(sent[:3], "little"), sent[3]) == (length, number)
            sent = sent[4 + length :]
        assert sent == b""


def test_what_the_server_says() -> None:
    error = packets.server_error(b"\xff" + struct.pack("<H", 1054) + b"#42S22" + b"Unknown column 'x'")
    assert isinstance(error, mariadb.Error)
    assert (error.errno, str(error)) == (1054, "Unknown column 'x'")
    assert packets.parse_count(b"\x05") == (5, True)
    assert packets.parse_count(b"\x05\x00") == (5, False)
    assert packets.parse_count(b"\x05\x01") == (5, True)
    assert packets.parse_count(b"\xfc\x58\x02\x00") == (600, False)
    assert packets.parse_count(b"\x00\x00\x00\x02\x00\x00\x00") == (0, False)
