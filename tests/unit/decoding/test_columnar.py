"""The compiled decoder against fastavro: on schemas that hypothesis makes up, and where it has to grow or to start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from avro_packets import assert_same, everything, first_record, pack, record, with_schema, write
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.decoding import Wanted, open_decoder
from ingest.decoding.columnar import MAX_SYMBOLS, ColumnarDecoder
from ingest.decoding.fields import ACCEPTED, BYTES
from ingest.decoding.schema import leaves, read_schema

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

ROOT = Path(__file__).resolve().parents[3]
VALUES: dict[str, SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(1 << 31), (1 << 31) - 1),
    "long": st.integers(-(1 << 63), (1 << 63) - 1) | st.integers(-100, 100),
    "float": st.floats(width=32),
    "double": st.floats(),
    "bytes": st.binary(max_size=20),
    "string": st.text(max_size=20),
}
# Of a union's branches, fastavro chooses by the value alone; two of one group it could not tell apart.
GROUPS = (["int", "long"], ["float", "double"], ["string", "enum"], ["bytes", "fixed"], ["record"], ["array"])


class Maker:
    """Makes up schemas, and values for them."""

    def __init__(self, draw: DrawFn) -> None:
        self._draw = draw
        self._named: dict[str, Any] = {}

    def record(self, depth: int) -> dict[str, Any]:
        name = f"n{len(self._named)}"
        self._named[name] = None  # taken, and not to be used inside itself
        fields = [
            (f"f{number}", self.kind(depth))
            for number in range(self._draw(st.integers(0, 4) if depth else st.integers(4, 9)))
        ]
        return self._keep(record(*fields, name=name))

    def kind(self, depth: int) -> Any:
        simple = st.sampled_from([*VALUES, "enum", "fixed", "known"])
        nested = st.sampled_from(["union", "union", "array", "map", "record"])
        return self._make(self._draw(simple | nested if depth < 3 else simple), depth)

    def _make(self, kind: str, depth: int) -> Any:
        match kind:
            case "enum":
                return self._keep({"type": "enum", "name": f"n{len(self._named)}", "symbols": ["A", "b_1", "CCC"]})
            case "fixed":
                size = self._draw(st.integers(0, 9))
                return self._keep({"type": "fixed", "name": f"n{len(self._named)}", "size": size})
            case "known":
                known = [name for name, schema in self._named.items() if schema]
                return self._draw(st.sampled_from(known)) if known else "int"
            case "union":
                groups = self._draw(st.lists(st.sampled_from(GROUPS), max_size=3, unique_by=lambda group: group[0]))
                branches = [self._make(self._draw(st.sampled_from(group)), depth + 1) for group in groups]
                place = self._draw(st.integers(0, len(branches)))
                return [*branches[:place], "null", *branches[place:]]
            case "array":
                items = self.kind(depth + 1)
                usual = record(("first", "int"), ("more", items), name=f"i{len(self._named)}")
                return {"type": "array", "items": items if self._rarely() else self._keep(usual)}
            case "map":
                return {"type": "map", "values": self.kind(depth + 1)}
            case "record":
                return self.record(depth + 1)
        return kind

    def _rarely(self) -> bool:
        return self._draw(st.integers(0, 99)) == 70

    def _keep(self, schema: dict[str, Any]) -> dict[str, Any]:
        self._named[schema["name"]] = schema
        return schema

    def value(self, schema: Any) -> Any:
        if isinstance(schema, list):
            return self.value(self._draw(st.sampled_from(schema)))
        if isinstance(schema, str):
            return self._draw(VALUES[schema]) if schema in VALUES else self.value(self._named[schema])
        match schema["type"]:
            case "enum":
                return self._draw(st.sampled_from(schema["symbols"]))
            case "fixed":
                return self._draw(st.binary(min_size=schema["size"], max_size=schema["size"]))
            case "array":
                return [self.value(schema["items"]) for _ in range(self._draw(st.integers(0, 3)))]
            case "map":
                keys = self._draw(st.lists(st.text(max_size=3), max_size=3, unique=True))
                return {key: self.value(schema["values"]) for key in keys}
        return {field["name"]: self.value(field["type"]) for field in schema["fields"]}

    def wanted(self, schema: dict[str, Any]) -> Wanted:
        """Want some of the fields, mostly as types that they can become."""
        scalars: dict[str, pa.DataType] = {"absent": pa.int32()}
        items: dict[str, dict[str, pa.DataType]] = {}
        kinds: dict[tuple[str, tuple[str, ...]], set[str]] = {}
        for leaf in leaves(read_schema(json.dumps(schema).encode())):
            kinds.setdefault((leaf.path, leaf.arrays), set()).add(leaf.node.kind)
        blobs = [path for (path, arrays), found in kinds.items() if not arrays and self._may_be(found, BYTES)]
        for (path, arrays), found in kinds.items():
            types = [kind for kind, accepted in ACCEPTED.items() if self._may_be(found, accepted)]
            if path in blobs or not types or self._draw(st.integers(0, 9)) == 7:
                continue
            if not arrays:
                scalars[path] = self._draw(st.sampled_from(types))
            elif len(arrays) == 1 and path != arrays[0]:
                items.setdefault(arrays[0], {})[path[len(arrays[0]) + 1 :]] = self._draw(st.sampled_from(types))
        return Wanted(scalars, items, tuple(blobs))

    def _may_be(self, kinds: set[str], accepted: frozenset[str]) -> bool:
        return kinds <= {*accepted, "null"} or self._rarely()


@st.composite
def made_up(draw: DrawFn) -> tuple[Wanted, list[bytes]]:
    """Make up two schemas, packets of both, and fields to be wanted, which are those of the first."""
    maker, packets = Maker(draw), []
    first = maker.record(0)
    try:
        wanted = maker.wanted(first)
    except ValueError:  # one of the schemas that are refused
        wanted = Wanted({"f0": pa.int32()})
    other = Maker(draw)
    schemas = [(maker, first)] * 4 + [(other, other.record(0))]
    for _ in range(draw(st.integers(1, 5))):
        source, schema = draw(st.sampled_from(schemas))
        codec = draw(st.sampled_from(["null", "null", "deflate", "snappy"]))
        packets.append(write(schema, source.value(schema), codec=codec))
    return wanted, packets


@given(made_up())
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_equal_to_fastavro_on_schemas_made_up(case: tuple[Wanted, list[bytes]]) -> None:
    wanted, packets = case
    plain = open_decoder(wanted, "fastavro").decode(pack(packets))
    ours = open_decoder(wanted, "columnar").decode(pack(packets))
    damaged = "the record is damaged"  # which each decoder says in its own words
    assert ours.rejects.keys() == plain.rejects.keys()
    assert all(ours.rejects[packet] == why or why.startswith(damaged) for packet, why in plain.rejects.items())
    assert ours.unknown == plain.unknown
    assert everything(ours) == everything(plain)


def test_most_schemas_made_up_are_decoded() -> None:
    """Else the test above would show little."""
    decoded, cells = [], []

    @given(made_up())
    # So many that the mean hardly varies: what is made up depends on the modules that are imported, too.
    @settings(max_examples=300, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def count(case: tuple[Wanted, list[bytes]]) -> None:
        found = open_decoder(case[0], "columnar").decode(pack(case[1]))
        decoded.append(found.packets.num_rows / len(case[1]))
        tables = [found.packets, *found.arrays.values()]
        cells.append(
            sum(table[name].length() - table[name].null_count for table in tables for name in table.schema.names)
        )

    count()
    assert np.mean(decoded) > 0.5
    assert sum(cells) > 200


def test_one_batch_of_all_real_schemas_in_turn(real_packets: dict[str, list[bytes]]) -> None:
    """The schemas change from packet to packet; rows must keep the packets' order."""
    from ingest.surveys.ztf import Ztf

    lists = [packets for name, packets in real_packets.items() if "20180601" not in name]
    packets = [packets[turn % len(packets)] for turn in range(5) for packets in lists]
    decoded = ColumnarDecoder(Ztf.wanted).decode(pack(packets))
    assert not decoded.rejects
    assert_same(decoded, {index: first_record(packet) for index, packet in enumerate(packets)}, Ztf.wanted)


def test_tables_grow_as_histories_do() -> None:
    wanted = Wanted({"id": pa.int64()}, {"a": {"x": pa.int32()}, "b": {"y": pa.string()}})
    item_a, item_b = record(("x", "int"), name="ra"), record(("y", ["null", "string"]), name="rb")
    schema = record(
        ("id", "long"), ("a", {"type": "array", "items": item_a}), ("b", {"type": "array", "items": item_b})
    )
    decoder = ColumnarDecoder(wanted)
    for lengths in ([0, 5, 500], [9000, 1, 3000], [], [3], [1] * 100):
        records = [
            {"id": number, "a": [{"x": x} for x in range(length)], "b": [{"y": str(y)} for y in range(length // 2)]}
            for number, length in enumerate(lengths)
        ]
        decoded = decoder.decode(pack([write(schema, record) for record in records]))
        assert_same(decoded, dict(enumerate(records)), wanted)


def test_a_bad_record_leaves_nothing_behind() -> None:
    """Its values stood where those of the next record come to stand."""
    fields = ("flag", ["null", "boolean"]), ("number", ["null", "int"]), ("text", ["null", "string"])
    wanted = Wanted({"flag": pa.bool_(), "number": pa.int32(), "text": pa.string()}, {"a": {"flag": pa.bool_()}})
    item = record(("flag", "boolean"), name="i")
    schema = record(*fields, ("a", {"type": "array", "items": item}), ("end", "string"))
    full = {"flag": True, "number": 7, "text": "text", "a": [{"flag": True}] * 20, "end": "end"}
    empty = dict.fromkeys(wanted.scalars) | {"a": [{"flag": False}] * 9, "end": ""}
    half = empty | {"flag": False, "a": []}
    bad = write(schema, full).replace(b"\x06end", b"\x08end")
    packets = [bad, write(schema, empty), bad, write(schema, half), write(schema, full)]
    decoded = ColumnarDecoder(wanted).decode(pack(packets))
    assert list(decoded.rejects) == [0, 2]
    assert_same(decoded, {1: empty, 3: half, 4: full}, wanted)


def test_arrays_in_several_blocks() -> None:
    """Avro may cut an array into blocks, each with its size in bytes or without."""
    wanted = Wanted({"after": pa.string()}, {"a": {"x": pa.int32()}})
    schema = record(("a", {"type": "array", "items": record(("x", "int"), name="i")}), ("after", "string"))
    packet = write(schema, {"a": [{"x": number} for number in range(1, 6)], "after": "end"})
    body = b"\x0a" + bytes([2, 4, 6, 8, 10]) + b"\x00"
    assert body in packet
    cut = b"\x02\x02" + b"\x03\x04\x04\x06" + b"\x04\x08\x0a" + b"\x00"  # one, then -2 in 2 bytes, then two
    start = packet.index(packet[-16:]) + 16
    size = len(packet) - 16 - start - 2 + len(cut) - len(body)
    other = packet[:start] + bytes([2, 2 * size]) + packet[start + 2 :].replace(body, cut)
    expected = first_record(packet)
    assert first_record(other) == expected
    assert_same(ColumnarDecoder(wanted).decode(pack([packet, other])), {0: expected, 1: expected}, wanted)


@pytest.mark.parametrize("text", [b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"a\xff"])
def test_text_that_is_not_utf8(text: bytes) -> None:
    packet = with_schema(write(record(("x", "bytes")), {"x": text}), record(("x", "string")))
    decoded = ColumnarDecoder(Wanted({"x": pa.string()})).decode(pack([packet]))
    assert decoded.rejects == {0: "the record is damaged at the field x: its text is not UTF-8"}


@given(st.binary(max_size=6) | st.text(max_size=3).map(str.encode))
@settings(deadline=None)
def test_utf8_is_what_python_says_it_is(text: bytes) -> None:
    packet = with_schema(write(record(("x", "bytes")), {"x": text}), record(("x", "string")))
    decoded = ColumnarDecoder(Wanted({"x": pa.string()})).decode(pack([packet]))
    try:
        assert decoded.packets["x"].to_pylist() == [text.decode()]
    except UnicodeDecodeError:
        assert list(decoded.rejects) == [0]


def test_a_field_at_fault_is_named() -> None:
    enum = {"type": "enum", "name": "e", "symbols": ["A"]}
    cases: list[tuple[Any, bytes, str]] = [
        ("long", b"\xff" * 11, "x: the record ends in it, or a number in it has no end"),
        ("double", b"\x00" * 7, "x: the record ends in it"),
        ("boolean", b"", "x: the record ends in it"),
        ("string", b"\x09abc", "x: it has a length of -5 bytes"),
        ("string", b"\x10abc", "x: it has a length of 8 bytes"),
        (["null", "long"], b"\x04\x02", "x: its union has no branch 2"),
        (["null", "long"], b"\x01\x02", "x: its union has no branch -1"),
        (enum, b"\x02", "x: its enum has no word 1"),
        (enum, b"\x01", "x: its enum has no word -1"),
        ({"type": "map", "values": "long"}, b"\x10\x00\x00", "x: it has 8 items, and not enough bytes for them"),
    ]
    for kind, body, reason in cases:
        texts = kind == "string" or kind is enum
        wanted = Wanted({"x": pa.string() if texts else pa.bool_() if kind == "boolean" else pa.float64()})
        wanted = Wanted({}) if isinstance(kind, dict) and kind is not enum else wanted
        packet = write(record(("x", {"type": "fixed", "name": "f", "size": len(body)})), {"x": body})
        decoded = ColumnarDecoder(wanted).decode(pack([with_schema(packet, record(("x", kind)))]))
        assert reason in decoded.rejects[0], kind


def test_words_of_enums_do_not_pile_up() -> None:
    decoder = ColumnarDecoder(Wanted({"x": pa.string()}))
    for number in range(8):
        words = [f"w{number}_{index}".ljust(190, "_") for index in range(1000)]
        schema = record(("x", {"type": "enum", "name": "e", "symbols": words}))
        decoded = decoder.decode(pack([write(schema, {"x": words[-1]}), write(schema, {"x": words[0]})]))
        assert decoded.packets["x"].to_pylist() == [words[-1], words[0]]
        assert len(decoder._symbols) < MAX_SYMBOLS + 190_000


SCRIPT = """
import numpy as np, pyarrow as pa, sys
from ingest.decoding import Packets, Wanted, open_decoder
packet = open(sys.argv[1], "rb").read()
decoder = open_decoder(Wanted({"x": pa.int64()}), "columnar")
print(decoder.decode(Packets(packet, np.array([0]), np.array([len(packet)]))).packets["x"].to_pylist())
from ingest.decoding import kernel
print(sum(kernel.decode_records.stats.cache_misses.values()), kernel.decode_records.stats.cache_path)
"""


def run_in(folder: Path, environment: dict[str, str], before: str = "") -> tuple[str, str]:
    """Decode a packet in a process of its own; return what it found, how often the cache missed, and where it is."""
    (folder / "packet").write_bytes(write(record(("x", "long")), {"x": 5}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NUMBA", "XDG", "PYTHONPATH"))}
    command = [sys.executable, "-c", before + SCRIPT, str(folder / "packet")]
    done = subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, check=True)
    found, cache = done.stdout.splitlines()
    return found, cache


def test_the_cache_goes_where_one_says_and_is_used(tmp_path: Path) -> None:
    environment = {"NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    for misses in (1, 0):
        found, cache = run_in(tmp_path, environment)
        assert found == "[5]"
        assert cache.startswith(f"{misses} {tmp_path}")
        assert any((tmp_path / "cache").rglob("*.nbi"))


def test_without_a_place_for_the_cache_it_compiles_each_time(tmp_path: Path) -> None:
    """As for an account that owns neither the package's folder nor a home: numba finds no place then."""
    nowhere = "from numba.core.caching import CompileResultCacheImpl as impl; impl._locator_classes = []"
    found, cache = run_in(tmp_path, {}, nowhere)
    assert found == "[5]"
    assert cache == "1 None"
