"""Finding the record in a packet, with packets written by fastavro and damaged by hand."""

from __future__ import annotations

import io
import zlib

import fastavro
import pytest
from avro_packets import pack, write

from ingest.decoding.container import BadPacket, decompress
from ingest.decoding.limits import MAX_HEADER, MAX_HEADERS, MAX_PACKET
from ingest.decoding.opening import PacketOpener

SCHEMA = {"type": "record", "name": "alert", "fields": [{"name": "text", "type": "string"}]}
RECORD = {"text": "a text of some length"}
BODY = b"\x2a" + RECORD["text"].encode()  # its length, 21, twice as Avro writes it


def long(value: int) -> bytes:
    """Write one of Avro's integers, by the book."""
    rest = (value << 1) ^ (value >> 63)
    out = bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def container(block: bytes, schema: bytes = b'"string"', codec: bytes = b"null", sync: bytes = b"S" * 16) -> bytes:
    metadata = {b"avro.schema": schema, b"avro.codec": codec}
    entries = b"".join(long(len(key)) + key + long(len(value)) + value for key, value in metadata.items())
    return b"Obj\x01" + long(2) + entries + b"\x00" + sync + block


def reason(packet: bytes) -> str:
    with pytest.raises(BadPacket) as caught:
        PacketOpener().open_one(memoryview(packet), 0, len(packet))
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_the_record_is_found_whatever_the_codec(codec: str) -> None:
    records = PacketOpener().open_all(pack([write(SCHEMA, RECORD, codec=codec)] * 3))
    assert records.packets.tolist() == [0, 1, 2]
    assert not records.rejects
    for start, end in zip(records.starts, records.ends, strict=True):
        assert bytes(records.buffer[start:end]) == BODY


def test_packets_of_several_codecs_share_one_buffer() -> None:
    codecs = ["null", "snappy", "null", "deflate"]
    packets = [write(SCHEMA, {"text": codec}, codec=codec) for codec in codecs]
    records = PacketOpener().open_all(pack(packets))
    bodies = [bytes(records.buffer[start:end]) for start, end in zip(records.starts, records.ends, strict=True)]
    assert bodies == [long(len(codec)) + codec.encode() for codec in codecs]
    assert [records.headers[origin].codec for origin in records.origins] == codecs


def test_a_header_seen_before_is_the_same_object() -> None:
    opener = PacketOpener()
    packets = pack([write(SCHEMA, RECORD), write(SCHEMA, {"text": "other"})])
    (header,) = opener.open_all(packets).headers
    assert opener.open_all(packets).headers == [header]


def test_many_headers_are_read_and_the_oldest_forgotten() -> None:
    schemas = [SCHEMA | {"doc": str(number)} for number in range(MAX_HEADERS + 5)]
    opener = PacketOpener()
    records = opener.open_all(pack([write(schema, RECORD) for schema in schemas]))
    assert len(records.packets) == len(schemas)
    assert len(opener._known) == MAX_HEADERS


def test_metadata_in_the_longer_form_is_read() -> None:
    entry = long(11) + b"avro.schema" + long(8) + b'"string"'
    packet = b"Obj\x01" + long(-1) + long(len(entry)) + entry + b"\x00" + b"S" * 16 + long(1) + long(1) + b"x"
    record = PacketOpener().open_one(memoryview(packet + b"S" * 16), 0, len(packet) + 16)
    assert record.header.codec == "null"
    assert packet[record.start : record.end] == b"x"


@pytest.mark.parametrize("count", [0, 2, 3])
def test_a_packet_that_does_not_hold_one_record_says_how_many(count: int) -> None:
    assert reason(write(SCHEMA, *[RECORD] * count)) == f"the packet holds {count} records; expected one"


def test_records_in_several_blocks_are_counted() -> None:
    file = io.BytesIO()
    writer = fastavro.write.Writer(file, fastavro.parse_schema(SCHEMA), sync_interval=1)
    writer.write(RECORD)
    writer.write(RECORD)
    writer.flush()
    assert "holds 2 records" in reason(file.getvalue())


def test_what_is_no_packet_says_so() -> None:
    assert reason(b"") == "the packet is empty"
    assert "no Avro packet" in reason(b"Ob")
    assert "no Avro packet" in reason(b"SIMPLE  =                    T" * 10)
    assert "no Avro packet" in reason(b"Obj\x02" + bytes(100))


def test_every_truncation_is_a_reject_or_leaves_the_record_whole() -> None:
    packet = write(SCHEMA, RECORD)
    opener = PacketOpener()
    opener.open_one(memoryview(packet), 0, len(packet))  # the header is known, the other way in
    for length in range(len(packet)):
        if length < len(packet) - 16:
            assert reason(packet[:length])
            with pytest.raises(BadPacket):
                opener.open_one(memoryview(packet), 0, length)
        else:
            record = opener.open_one(memoryview(packet), 0, length)
            assert packet[record.start : record.end] == BODY
            assert record.doubt is not None


def test_a_damaged_marker_is_told_from_a_lost_byte() -> None:
    packet = write(SCHEMA, RECORD)
    flipped = packet[:-1] + bytes([packet[-1] ^ 1])
    assert "sync marker" in str(PacketOpener().open_one(memoryview(flipped), 0, len(flipped)).doubt)
    lost = packet[:-20] + packet[-19:]
    assert "1 byte is missing" in str(PacketOpener().open_one(memoryview(lost), 0, len(lost)).doubt)


def test_garbage_behind_the_marker_is_a_reject() -> None:
    assert reason(write(SCHEMA, RECORD) + b"garbage")
    assert reason(write(SCHEMA, RECORD)[:-16] + b"garbage" * 5)


@pytest.mark.parametrize("length", [1 << 62, (1 << 63) - 1, -1, -(1 << 63), 10_000])
def test_lengths_that_lie_are_rejects(length: int) -> None:
    assert reason(b"Obj\x01" + long(length) + bytes(50))
    assert reason(b"Obj\x01" + long(1) + long(length) + bytes(50))
    assert reason(b"Obj\x01" + long(1) + long(1) + b"k" + long(length) + bytes(50))
    assert reason(container(long(1) + long(length) + b"x" + b"S" * 16))
    assert reason(container(long(length) + long(1) + b"x" + b"S" * 16))


def test_numbers_without_end_are_rejects() -> None:
    assert "no end" in reason(b"Obj\x01" + b"\xff" * 100)
    assert "no end" in reason(container(b"\xff" * 100))


def test_too_many_parts_are_rejects() -> None:
    assert "more than 1000 blocks" in reason(container((long(0) + long(0) + b"S" * 16) * 2000))
    assert "5000 entries" in reason(b"Obj\x01" + long(5000) + bytes(20_000))


def test_unknown_codecs_and_missing_schemas_are_named() -> None:
    assert "'bzip2'; known are null, deflate, snappy" in reason(write(SCHEMA, RECORD, codec="bzip2"))
    assert "no schema" in reason(b"Obj\x01" + b"\x00" + b"S" * 16)


def test_large_packets_are_rejects() -> None:
    assert str(MAX_PACKET) in reason(bytes(MAX_PACKET + 1))
    assert str(MAX_HEADER) in reason(container(b"", schema=b" " * MAX_HEADER))


@pytest.mark.parametrize("codec", ["deflate", "snappy"])
def test_bombs_are_rejects_and_do_not_unfold(codec: str) -> None:
    packet = write(SCHEMA, {"text": "0" * (MAX_PACKET + 1)}, codec=codec)
    opener = PacketOpener()
    record = opener.open_one(memoryview(packet), 0, len(packet))
    with pytest.raises(BadPacket, match="more than"):
        decompress(codec, packet[record.start : record.end])


def test_a_snappy_length_that_lies_is_a_reject() -> None:
    with pytest.raises(BadPacket, match="unpacks to"):
        decompress("snappy", b"\xff\xff\xff\xff\x0f" + bytes(20))
    with pytest.raises(BadPacket, match="damaged"):
        decompress("snappy", b"\x10" + bytes(20))
    with pytest.raises(BadPacket):
        decompress("snappy", b"")


def test_damage_in_packed_data_is_a_reject() -> None:
    for codec in ("deflate", "snappy"):
        packet = write(SCHEMA, RECORD, codec=codec)
        flipped = bytearray(packet)
        flipped[PacketOpener().open_one(memoryview(packet), 0, len(packet)).start] ^= 0x04
        records = PacketOpener().open_all(pack([packet, bytes(flipped), packet]))
        assert list(records.rejects) == [1], codec
        assert records.packets.tolist() == [0, 2]
    with pytest.raises(BadPacket, match="do not end"):
        decompress("deflate", zlib.compress(b"text", wbits=-15)[:-1])
    with pytest.raises(BadPacket, match="do not end"):
        decompress("deflate", zlib.compress(b"text", wbits=-15) + b"more!")


def test_packets_outside_the_buffer_are_rejects() -> None:
    packets = pack([write(SCHEMA, RECORD)])
    for shift in (-1000, 1000):
        packets.starts[:] += shift
        packets.ends[:] += shift
        assert "inside the buffer" in PacketOpener().open_all(packets).rejects[0]
        packets.starts[:] -= shift
        packets.ends[:] -= shift
