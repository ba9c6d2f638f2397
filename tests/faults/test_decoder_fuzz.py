"""Records damaged in every way: rejected, or decoded to something; never a crash, and neighbours come out whole.

`ALERTDB_FUZZ_SEED` repeats a run, `ALERTDB_FUZZ_RECORDS` makes it longer or shorter.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from avro_packets import join, members, pack, record, split, write

from ingest.decoding import Packets, Wanted, open_decoder
from ingest.surveys.ztf import Ztf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ingest.decoding import Decoded

SEED = int(os.environ.get("ALERTDB_FUZZ_SEED") or random.SystemRandom().randrange(1 << 32))
RECORDS = int(os.environ.get("ALERTDB_FUZZ_RECORDS") or 20_000)
BATCH = 250

ITEM = record(("x", "int"), ("y", ["null", "double"]), ("s", ["string", "null"]), name="item")
RICH = record(
    ("id", "long"),
    ("flag", "boolean"),
    ("name", ["null", "string", "int"]),
    ("word", {"type": "enum", "name": "e", "symbols": ["A", "B", "C"]}),
    ("list", ["null", {"type": "array", "items": ITEM}]),
    ("map", {"type": "map", "values": {"type": "array", "items": "long"}}),
    ("deep", record(("f", {"type": "fixed", "name": "f8", "size": 8}), ("b", ["bytes", "null"]), name="deep")),
    ("mixed", {"type": "array", "items": ["null", "float", "string", {"type": "map", "values": "boolean"}]}),
    ("end", "string"),
)
RICH_WANTED = Wanted(
    {"id": pa.int32(), "flag": pa.bool_(), "word": pa.string(), "end": pa.string()},
    {"list": {"x": pa.int64(), "y": pa.float32(), "s": pa.string()}},
    ("deep.f", "deep.b"),
)


def rich_value(chance: random.Random) -> dict[str, Any]:
    def text(most: int = 12) -> str:
        return "".join(chance.choices("abcdé☃", k=chance.randrange(most)))

    def item() -> dict[str, Any]:
        number = chance.randrange(-(1 << 31), 1 << 31)
        return {"x": number, "y": chance.choice([None, chance.random()]), "s": chance.choice([None, text()])}

    return {
        "id": chance.randrange(-(1 << 31), 1 << 31),
        "flag": chance.random() < 0.5,
        "name": chance.choice([None, text(), 5]),
        "word": chance.choice("ABC"),
        "list": chance.choice([None, [item() for _ in range(chance.randrange(40))]]),
        "map": {text(4): [chance.randrange(1 << 40)] * chance.randrange(4) for _ in range(chance.randrange(5))},
        "deep": {"f": chance.randbytes(8), "b": chance.choice([None, chance.randbytes(300)])},
        "mixed": chance.choices([None, 1.5, "text", {"k": True}], k=chance.randrange(10)),
        "end": text(300),
    }


def truncate(body: bytes, _: bytes, chance: random.Random) -> bytes:
    return body[: chance.randrange(len(body))]


def flip(body: bytes, _: bytes, chance: random.Random) -> bytes:
    flipped = bytearray(body)
    for _bit in range(chance.choice([1, 1, 1, 2, 10])):
        flipped[_place(body, chance)] ^= 1 << chance.randrange(8)
    return bytes(flipped)


def splice(body: bytes, other: bytes, chance: random.Random) -> bytes:
    return body[: _place(body, chance)] + other[_place(other, chance) :]


def insert(body: bytes, _: bytes, chance: random.Random) -> bytes:
    """Put in numbers that claim a lot: lengths, counts and branches of any size, or without end."""
    place = _place(body, chance)
    numbers = [b"\xff" * 9 + b"\x01", b"\xfe" + b"\xff" * 8 + b"\x01", b"\xff" * 12, b"\x80\xa8\xd6\xb9\x07", b"\x01"]
    return body[:place] + chance.choice(numbers) + body[place + chance.randrange(3) :]


def _place(body: bytes, chance: random.Random) -> int:
    """Choose a place, mostly where the fields are: cutouts make up most of a record, at its end."""
    return chance.randrange(min(len(body), 8000) if chance.random() < 0.9 else len(body))


DAMAGES: list[Callable[[bytes, bytes, random.Random], bytes]] = [truncate, flip, splice, insert]


@pytest.fixture(params=["rich", "real"])
def source(request: pytest.FixtureRequest) -> tuple[Wanted, list[bytes]]:
    """What to want, and good packets of a few schemas."""
    if request.param == "rich":
        chance = random.Random(SEED)
        return RICH_WANTED, [write(RICH, rich_value(chance)) for _ in range(50)]
    tarballs: list[Path] = request.getfixturevalue("real_tarballs")
    names = ("20180819", "20210901", "20231012")
    return Ztf.wanted, [packet for path in tarballs if any(n in path.name for n in names) for packet in members(path)]


def batches(packets: list[bytes], records: int, chance: random.Random) -> Iterator[list[bytes]]:
    """Yield batches in which each second packet, from the second on, is damaged."""
    parts = [split(packet) for packet in packets]
    for first in range(0, records, BATCH):
        batch = []
        for number in range(first, min(first + BATCH, records)):
            (header, body), (_, other) = chance.choice(parts), chance.choice(parts)
            batch += [chance.choice(packets), join(header, DAMAGES[number % len(DAMAGES)](body, other, chance))]
        yield batch


def only(decoded: Decoded, kept: Callable[[int], bool]) -> Any:
    """Return the rows and blobs of some packets."""
    index: list[int] = np.asarray(decoded.packets["packet"]).tolist()
    rows = [row for row, packet in enumerate(index) if kept(packet)]
    packets = [index[row] for row in rows]
    tables = [decoded.packets.take(pa.array(rows, pa.int32()))]
    for table in decoded.arrays.values():
        tables.append(table.filter(pc.is_in(table["packet"], pa.array(packets, pa.int32()))))
    offsets = {path: (blob.starts[rows], blob.ends[rows]) for path, blob in decoded.blobs.items()}
    found = {
        path: [bytes(decoded.buffer[s:e]) if s >= 0 else None for s, e in zip(*pair, strict=True)]
        for path, pair in offsets.items()
    }
    return packets, [[bits(table, name) for name in table.column_names] for table in tables], found


def bits(table: pa.Table, name: str) -> Any:
    """Return a column that can be compared: floats by their bits, but one NaN is like another.

    Where a float is read as Python's float, as fastavro does, the processor makes a signalling NaN a quiet one.
    """
    column: Any = table[name].combine_chunks()
    as_integers = {pa.float32(): pa.int32(), pa.float64(): pa.int64()}
    if column.type not in as_integers:
        return column
    column = pc.if_else(pc.is_nan(column), pa.scalar(np.nan, column.type), column)
    return column.view(as_integers[column.type])


def test_damaged_records_are_rejects_or_decode_and_neighbours_are_whole(source: tuple[Wanted, list[bytes]]) -> None:
    wanted, packets = source
    print(f"ALERTDB_FUZZ_SEED={SEED}")  # noqa: T201 - pytest shows it where the test fails
    chance, decoder, rejects, count = random.Random(SEED), open_decoder(wanted, "columnar"), 0, 0
    for batch in batches(packets, RECORDS // 2, chance):
        decoded = decoder.decode(pack(batch))
        good = decoder.decode(pack([packet if index % 2 == 0 else b"" for index, packet in enumerate(batch)]))
        assert only(decoded, lambda packet: packet % 2 == 0) == only(good, lambda packet: packet % 2 == 0)
        assert all(packet % 2 == 1 and reason for packet, reason in decoded.rejects.items())
        # What lies around a record has no say in what it decodes to.
        around = decoder.decode(pack(batch, gap=b"\x00" * 64))
        assert around.rejects.keys() == decoded.rejects.keys()
        assert only(around, lambda _: True) == only(decoded, lambda _: True)
        rejects, count = rejects + len(decoded.rejects), count + len(batch) // 2
    assert count == RECORDS // 2
    assert count / 4 < rejects < count


def test_what_is_decoded_of_damaged_records_is_what_fastavro_finds(source: tuple[Wanted, list[bytes]]) -> None:
    """The compiled decoder may reject more: numbers that are too long, branches counted from the end."""
    wanted, packets = source
    chance = random.Random(SEED + 1)
    ours, plain = open_decoder(wanted, "columnar"), open_decoder(wanted, "fastavro")
    for batch in batches(packets, RECORDS // 20, chance):
        found, expected = ours.decode(pack(batch)), plain.decode(pack(batch))
        assert found.rejects.keys() >= expected.rejects.keys(), f"ALERTDB_FUZZ_SEED={SEED}"
        kept = set(np.asarray(found.packets["packet"]).tolist())
        assert only(found, kept.__contains__) == only(expected, kept.__contains__), f"ALERTDB_FUZZ_SEED={SEED}"


def test_nothing_behind_the_buffer_is_read(source: tuple[Wanted, list[bytes]]) -> None:
    """Each packet ends where memory ends that may be read: one byte more would end this process."""
    wanted, packets = source
    chance, decoder = random.Random(SEED + 2), open_decoder(wanted, "columnar")
    guarded = Guarded(1 << 18)
    for batch in batches(packets, RECORDS // 20, chance):
        for packet in batch:
            place = np.array([0]), np.array([len(packet)])
            decoder.decode(Packets(guarded.put(packet), *place))
            cut = packet[: chance.randrange(len(packet))]
            decoder.decode(Packets(guarded.put(cut), place[0], np.array([len(cut)])))


class Guarded:
    """Memory with a page behind it that cannot be read."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._memory = mmap.mmap(-1, size + mmap.PAGESIZE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        libc = ctypes.CDLL(None, use_errno=True)
        assert libc.mprotect(ctypes.c_void_p(address + size), mmap.PAGESIZE, 0) == 0

    def put(self, data: bytes) -> memoryview:
        """Put data at the very end of the memory."""
        self._memory[self._size - len(data) : self._size] = data
        return memoryview(self._memory)[self._size - len(data) : self._size]
