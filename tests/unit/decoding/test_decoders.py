"""What every decoder must do, against a plain loop over fastavro's reader."""

from __future__ import annotations

import io
import math
import struct
from typing import TYPE_CHECKING, Any

import fastavro
import pyarrow as pa
import pytest
from avro_packets import assert_same, first_record, pack, record, with_schema, write

from ingest.decoding import Wanted
from ingest.surveys.ztf import Ztf

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.decoding import Decoder

MakeDecoder = Any


def test_all_cells_of_all_real_packets(make_decoder: MakeDecoder, real_packets: dict[str, list[bytes]]) -> None:
    wanted = Ztf.wanted
    decoder = make_decoder(wanted)
    cells = 0
    for name, packets in real_packets.items():
        decoded = decoder.decode(pack(packets))
        expected = {index: first_record(packet) for index, packet in enumerate(packets) if index not in decoded.rejects}
        cells += assert_same(decoded, expected, wanted)
        assert not decoded.unknown, name
        # In 2018 a byte was lost from some packets: from the last cutout, which leaves the rest whole, or before.
        of_2018 = name == "ztf_public_20180601.tar.gz"
        assert list(decoded.rejects) == ([7, 11] if of_2018 else [])
        assert list(decoded.doubts) == ([4, 8, 14] if of_2018 else [])
    assert cells > 100_000


@pytest.mark.parametrize("codec", ["deflate", "snappy"])
def test_real_packets_of_all_schemas_packed_by_another_codec(
    codec: str, make_decoder: MakeDecoder, real_packets: dict[str, list[bytes]]
) -> None:
    packets, expected = [], []
    for members in real_packets.values():
        reader = fastavro.reader(io.BytesIO(members[0]))
        schema, found = reader.writer_schema, first_record(members[0])
        file = io.BytesIO()
        fastavro.writer(file, schema, [found], codec=codec)
        packets += [file.getvalue(), members[0]]
        expected += [found, found]
    decoded = make_decoder(Ztf.wanted).decode(pack(packets))
    assert not decoded.rejects
    assert_same(decoded, dict(enumerate(expected)), Ztf.wanted)


WANTED = Wanted(
    scalars={
        "id": pa.int64(),
        "now.number": pa.int32(),
        "now.mag": pa.float32(),
        "now.jd": pa.float64(),
        "now.name": pa.string(),
        "now.real": pa.bool_(),
        "absent": pa.float32(),
    },
    arrays={"before": {"number": pa.int32(), "mag": pa.float32(), "name": pa.string()}, "nowhere": {"x": pa.int64()}},
    blobs=("stamp", "now.stamp"),
    ignored=frozenset({"filler"}),
)
NOW = {"number": 7, "mag": 16.5, "jd": 2458288.123456, "name": "Böse", "real": True, "stamp": b"\x00\xff\n"}
ITEM = {"number": -3, "mag": None, "name": "x"}
VALUE = {"id": 1 << 60, "now": NOW, "before": [ITEM, ITEM | {"mag": 1.25, "name": ""}], "stamp": None}
FILLERS: list[tuple[Any, Any]] = [
    ("null", None),
    ("boolean", False),
    ("string", "filler"),
    ({"type": "map", "values": "long"}, {"a": 1, "b": -(1 << 62)}),
    ({"type": "map", "values": record(("k", ["null", "string"]), name="k")}, {"a": {"k": None}, "b": {"k": "k"}}),
    ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, "B"),
    ({"type": "fixed", "name": "f", "size": 300}, b"\x07" * 300),
    ({"type": "fixed", "name": "f", "size": 0}, b""),
    ({"type": "array", "items": {"type": "array", "items": "double"}}, [[1.0], [], [2.0, 3.0]]),
    ({"type": "array", "items": record(("l", {"type": "array", "items": "string"}), name="l")}, [{"l": ["m"]}] * 3),
    (["int", "string", "null", record(("n", "int"), name="n")], {"n": 5}),
    (["int", "string", "null", record(("n", "int"), name="n")], "text"),
    ({"type": "long", "logicalType": "timestamp-millis"}, 1 << 61),  # far beyond what a datetime holds
    ({"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, b""),
    ({"type": "string", "logicalType": "uuid"}, "none"),
    (record(name="nothing"), {}),
]


def schema(kinds: dict[str, Any] | None = None, filler: Any = None, **more: Any) -> dict[str, Any]:
    """Return a schema of `VALUE` with some fields of other types, by their names."""
    kind = {"number": "int", "mag": ["null", "float"], "jd": "double", "name": "string", "real": "boolean"}
    kind |= {"stamp": ["null", "bytes"], "id": "long"} | (kinds or {})
    now = record(*[(name, kind[name]) for name in NOW], name="now")
    item = record(*[(name, kind[name]) for name in ITEM], name="item")
    before = ["null", {"type": "array", "items": item}]
    fields = [("id", kind["id"]), ("now", now), ("before", before), ("stamp", kind["stamp"])]
    if filler is not None:
        fields.insert(1, ("filler", filler))
        fields.append(("filler2", {"type": "array", "items": "int"}))
    return record(*fields, **more)


def test_an_odd_schema_of_a_broker(make_decoder: MakeDecoder) -> None:
    """Wider numbers, unions the other way round, another record name, other orders of branches."""
    kinds = {
        "number": ["long", "null"],
        "mag": ["double", "null"],
        "id": ["null", "long"],
        "name": ["string", "null"],
        "jd": ["null", "double"],
        "real": ["null", "boolean"],
    }
    packets = [write(schema(), VALUE), write(schema(kinds, name="broker.Thing"), VALUE)]
    decoded = make_decoder(WANTED).decode(pack(packets))
    assert not decoded.rejects
    assert_same(decoded, {0: VALUE, 1: VALUE}, WANTED)


@pytest.mark.parametrize(("kind", "filling"), FILLERS)
def test_fields_of_any_type_may_stand_beside_the_wanted_ones(
    kind: Any, filling: Any, make_decoder: MakeDecoder
) -> None:
    plain = {key: value for key, value in kind.items() if key != "logicalType"} if isinstance(kind, dict) else kind
    packet = write(schema(filler=plain), VALUE | {"filler": filling, "filler2": [1, 2]})
    packet = with_schema(packet, schema(filler=kind))
    decoded = make_decoder(WANTED).decode(pack([packet, packet]))
    assert not decoded.rejects
    assert decoded.unknown == {"filler2"}, decoded.unknown
    assert_same(decoded, {0: VALUE, 1: VALUE}, WANTED)


def test_numbers_become_the_wanted_type(make_decoder: MakeDecoder) -> None:
    wanted = Wanted({"a": pa.float32(), "b": pa.float64(), "c": pa.string(), "d": pa.string(), "e": pa.float32()})
    enum = {"type": "enum", "name": "e", "symbols": ["A", "B"]}
    packet = write(
        record(("a", "long"), ("b", ["int", "null", "double"]), ("c", enum), ("d", "bytes"), ("e", "double")),
        {"a": (1 << 30) + 1, "b": 3, "c": "B", "d": "Ä".encode(), "e": 0.1},
    )
    table = make_decoder(wanted).decode(pack([packet])).packets.to_pylist()
    rounded = struct.unpack("<f", struct.pack("<f", 0.1))[0]
    assert table == [{"packet": 0, "a": float(1 << 30), "b": 3.0, "c": "B", "d": "Ä", "e": rounded}]


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 1e-45, 3.4028234663852886e38, 1.7976931348623157e308]
)
def test_floats_keep_their_bits(value: float, make_decoder: MakeDecoder) -> None:
    wanted = Wanted({"d": pa.float64()}, {"a": {"f": pa.float32()}})
    single = value if abs(value) < 1e39 else math.inf
    schema = record(("d", "double"), ("a", {"type": "array", "items": record(("f", "float"), name="f")}))
    decoded = make_decoder(wanted).decode(pack([write(schema, {"d": value, "a": [{"f": single}]})]))
    assert_same(decoded, {0: {"d": value, "a": [{"f": single}]}}, wanted)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"now": NOW | {"number": 1 << 31}}, "the field now.number holds 2147483648, which does not fit into int32"),
        ({"now": NOW | {"number": -(1 << 31) - 1}}, "the field now.number holds -2147483649"),
        ({"before": [ITEM, ITEM | {"number": 1 << 40}]}, "the field before.number holds 1099511627776"),
    ],
)
def test_integers_that_do_not_fit_are_named(change: Any, reason: str, make_decoder: MakeDecoder) -> None:
    wide = schema({"number": "long"})
    packets = [write(wide, VALUE), write(wide, VALUE | change), write(schema(), VALUE)]
    decoded = make_decoder(WANTED).decode(pack(packets))
    assert list(decoded.rejects) == [1]
    assert reason in decoded.rejects[1]
    assert_same(decoded, {0: VALUE, 2: VALUE}, WANTED)


def test_integers_at_the_edge_fit(make_decoder: MakeDecoder) -> None:
    wanted = Wanted({"a": pa.int32(), "b": pa.int32(), "c": pa.int64(), "d": pa.int64()})
    edges = {"a": -(1 << 31), "b": (1 << 31) - 1, "c": -(1 << 63), "d": (1 << 63) - 1}
    packet = write(record(*[(name, "long") for name in edges]), edges)
    assert make_decoder(wanted).decode(pack([packet])).packets.to_pylist() == [{"packet": 0, **edges}]


def test_bad_packets_do_not_disturb_their_neighbours(make_decoder: MakeDecoder) -> None:
    good = write(schema(), VALUE)
    wrong = write(record(("id", "string")), {"id": "text"})
    body = good.index(good[-16:]) + 16
    text = bytearray(good)
    text[good.index("ö".encode())] = 0xFF
    bad = [
        b"",
        b"garbage" * 100,
        good[: len(good) // 2],
        write(schema(), VALUE, VALUE),
        good[:body] + good[body:].replace(b"\x00\xff\n", b"\x00\xff", 1),
        bytes(text),
        wrong,
        write(schema(), VALUE, codec="bzip2"),
    ]
    mixed = [good]
    for packet in bad:
        mixed += [packet, good]
    decoded = make_decoder(WANTED).decode(pack(mixed))
    assert sorted(decoded.rejects) == list(range(1, len(mixed), 2)), decoded.rejects
    assert all(reason and "\n" not in reason for reason in decoded.rejects.values())
    assert_same(decoded, dict.fromkeys(range(0, len(mixed), 2), VALUE), WANTED)


def test_bytes_left_over_are_a_reject(make_decoder: MakeDecoder) -> None:
    longer = record(("id", "long"), ("more", "string"))
    packet = write(longer, {"id": 1, "more": "text"})
    packet = with_schema(packet, record(("id", "long")))
    decoded = make_decoder(WANTED).decode(pack([packet]))
    assert "5 bytes are left over" in decoded.rejects[0]


def test_arrays_that_never_end_do(make_decoder: MakeDecoder) -> None:
    """A billion items that take no bytes, or few."""
    for items, many in (("null", b"\x80\xa8\xd6\xb9\x07"), ("int", b"\x80\xa8\xd6\xb9\x07")):
        packet = write(record(("a", {"type": "array", "items": "int"})), {"a": []})
        packet = with_schema(packet, record(("a", {"type": "array", "items": items})))
        block = b"\x02" + bytes([2 * (len(many) + 1)]) + many + b"\x00"
        sync = packet[-16:]
        head = packet[: packet.index(sync) + 16]
        decoded = make_decoder(WANTED).decode(pack([head + block + sync]))
        assert list(decoded.rejects) == [0]


def test_more_items_than_any_survey_sends_are_a_reject(make_decoder: MakeDecoder) -> None:
    packets = [write(schema(), VALUE | {"before": [ITEM] * count}) for count in (10_000, 10_001)]
    decoded = make_decoder(WANTED).decode(pack(packets))
    assert list(decoded.rejects) == [1]
    assert "10001 items in before" in decoded.rejects[1]
    assert decoded.arrays["before"].num_rows == 10_000


def test_no_packets_give_empty_tables(make_decoder: MakeDecoder) -> None:
    decoded = make_decoder(WANTED).decode(pack([]))
    assert_same(decoded, {}, WANTED)
    assert not decoded.rejects


def test_arrays_may_be_null_empty_or_absent(make_decoder: MakeDecoder) -> None:
    values: list[dict[str, Any]] = [VALUE | {"before": None}, VALUE | {"before": []}, {"id": 5}]
    packets = [write(schema(), values[0]), write(schema(), values[1]), write(record(("id", "long")), values[2])]
    decoded = make_decoder(WANTED).decode(pack(packets))
    assert_same(decoded, dict(enumerate(values)), WANTED)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_buffer_will_do(kind: Callable[[bytes], Any], make_decoder: MakeDecoder) -> None:
    packets = pack([write(schema(), VALUE)])
    packets = type(packets)(kind(bytes(packets.buffer)), packets.starts, packets.ends)
    assert_same(make_decoder(WANTED).decode(packets), {0: VALUE}, WANTED)


def test_a_decoder_keeps_nothing_from_batch_to_batch(make_decoder: MakeDecoder) -> None:
    decoder: Decoder = make_decoder(WANTED)
    other = VALUE | {"id": 5, "before": None, "now": NOW | {"name": "", "mag": None}}
    first = decoder.decode(pack([write(schema(), VALUE), b"bad", write(schema({"id": ["null", "long"]}), VALUE)]))
    second = decoder.decode(pack([write(schema(), other)]))
    assert_same(first, {0: VALUE, 2: VALUE}, WANTED)
    assert_same(second, {0: other}, WANTED)
