"""Avro object container files: from a packet's bytes to the bytes of the one record in it.

A packet is the magic, a map of metadata (the writer's schema and the codec among them), a sync marker, and a block:
how many records, how many bytes, those bytes, the marker again. Nothing in a packet is trusted: every length is
held against what is there, and what is unpacked is bounded.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import NamedTuple

import cramjam

from ingest.decoding.limits import MAX_HEADER, MAX_PACKET, MAX_PARTS, MAX_RATIO, SMALL

__all__ = ["CODECS", "BadPacket", "Header", "Record", "decompress", "find_record", "read_header", "read_long"]

MAGIC = b"Obj\x01"
SYNC = 16  # bytes of a sync marker
MAX_LONG = 10  # bytes of a variable-length 64-bit integer
CHECKSUM = 4  # bytes of a checksum: snappy's, or the rest of zlib's that fastavro leaves behind deflate's data
CODECS = ("null", "deflate", "snappy")


class BadPacket(ValueError):
    """A packet that cannot be decoded; the text says why, in words."""


@dataclass(frozen=True, eq=False)
class Header:
    """What packets of one origin have in common: the writer's schema (JSON) and the codec of the block."""

    schema: bytes
    codec: str


class Record(NamedTuple):
    """Where a packet's record lies, packed as its codec says, and what is doubtful about the packet."""

    header: Header
    start: int
    end: int
    doubt: str | None


def read_header(view: memoryview, start: int, end: int) -> tuple[Header, int]:
    """Read magic and metadata of the packet ``view[start:end]``; return them and where the sync marker begins."""
    if start == end:
        raise BadPacket("the packet is empty")
    if bytes(view[start : min(end, start + len(MAGIC))]) != MAGIC:
        raise BadPacket("this is no Avro packet: it does not begin with 'Obj' and the byte 1")
    metadata, position = _read_metadata(view, start + len(MAGIC), end)
    if position - start > MAX_HEADER:
        raise BadPacket(f"the packet's header has {position - start} bytes; at most {MAX_HEADER} are accepted")
    if "avro.schema" not in metadata:
        raise BadPacket("the packet's header has no schema")
    codec = metadata.get("avro.codec", b"null").decode("ascii", "backslashreplace")
    if codec not in CODECS:
        raise BadPacket(f"the packet is packed with the codec '{codec[:40]}'; known are {', '.join(CODECS)}")
    return Header(metadata["avro.schema"], codec), position


def _read_metadata(view: memoryview, position: int, end: int) -> tuple[dict[str, bytes], int]:
    metadata: dict[str, bytes] = {}
    while True:
        count, position = read_long(view, position, end)
        if count == 0:
            return metadata, position
        if count < 0:  # Avro's longer form: minus the count, then the size of the entries in bytes
            count = -count
            _, position = read_long(view, position, end)
        if len(metadata) + count > MAX_PARTS:
            raise BadPacket(f"the packet's header is damaged: it announces {count} entries of metadata")
        for _ in range(count):
            key, position = _read_bytes(view, position, end)
            value, position = _read_bytes(view, position, end)
            metadata[key.decode("utf-8", "backslashreplace")] = value


def _read_bytes(view: memoryview, position: int, end: int) -> tuple[bytes, int]:
    length, position = read_long(view, position, end)
    if not 0 <= length <= end - position:
        raise BadPacket(f"the packet's header is damaged: a length of {length} with {end - position} bytes left")
    return bytes(view[position : position + length]), position + length


def read_long(view: memoryview, position: int, end: int) -> tuple[int, int]:
    """Read one of Avro's integers; return it and the position behind it."""
    value, position = _read_varint(view, position, end)
    return (value >> 1) ^ -(value & 1), position


def _read_varint(view: memoryview, position: int, end: int) -> tuple[int, int]:
    value = 0
    for place in range(min(MAX_LONG, end - position)):
        byte = view[position + place]
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value, position + place + 1
    raise BadPacket("the packet is truncated, or a number in it has no end")


def find_record(view: memoryview, header: Header, position: int, end: int) -> Record:
    """Find the one record behind the sync marker at `position`."""
    marker = bytes(view[position : min(position + SYNC, end)])
    if len(marker) < SYNC:
        raise BadPacket("the packet is truncated in its header")
    position += SYNC
    total, blocks, record = 0, 0, None
    while position < end:
        count, start, stop = _read_block(view, position, end)
        total, blocks = total + count, blocks + 1
        if blocks > MAX_PARTS:
            raise BadPacket(f"the packet has more than {MAX_PARTS} blocks; expected one")
        position = min(stop + SYNC, end)
        doubt = _compare_marker(bytes(view[stop:position]), marker, end - stop)
        if count:
            record = Record(header, start, stop, doubt)
    if total != 1 or record is None:
        raise BadPacket(f"the packet holds {total} records; expected one")
    return record


def _read_block(view: memoryview, position: int, end: int) -> tuple[int, int, int]:
    """Return how many records a block has, and where its data begin and end."""
    count, position = read_long(view, position, end)
    size, position = read_long(view, position, end)
    if count < 0 or size < 0:
        raise BadPacket(f"the packet is damaged: a block of {count} records in {size} bytes")
    if size > end - position:
        raise BadPacket(f"the packet is truncated: its block has {size} bytes, of which {end - position} are there")
    return count, position, position + size


def _compare_marker(found: bytes, marker: bytes, left: int) -> str | None:
    """Return what is doubtful about the sync marker behind a block, of which `left` bytes of the packet are left.

    A block that is there in full and has a record that fills it to the last byte is good even when the marker behind
    it is not: real packets of 2018 have lost a byte of their last cutout, and everything else in them is right.
    """
    if found == marker:
        return None
    if left > SYNC:
        raise BadPacket("the packet is damaged: the sync marker behind its block is not that of its header")
    if found and marker.endswith(found):
        lost = SYNC - left
        missing = "1 byte is" if lost == 1 else f"{lost} bytes are"
        return f"{missing} missing from the end of the record; the last field is damaged"
    return "the sync marker at the packet's end is damaged"


def decompress(codec: str, packed: bytes | memoryview) -> bytes:
    """Unpack a block.

    Raises
    ------
    BadPacket
        If the data are damaged, or unpack to more than `MAX_PACKET` or `MAX_RATIO` times their size.
    """
    try:
        data = _inflate(packed) if codec == "deflate" else _unsnap(packed)
    except (zlib.error, cramjam.DecompressionError) as error:
        raise BadPacket(f"the packet's {codec} data are damaged: {error}") from error
    return data


def _inflate(packed: bytes | memoryview) -> bytes:
    inflater, most = zlib.decompressobj(-zlib.MAX_WBITS), _most(packed)
    data = inflater.decompress(packed, most + 1)
    if len(data) > most:
        raise BadPacket(f"the packet unpacks to more than the {most} bytes that are accepted")
    if not inflater.eof or len(inflater.unused_data) > CHECKSUM:
        raise BadPacket("the packet's deflate data are damaged: they do not end where the block ends")
    return data


def _most(packed: bytes | memoryview) -> int:
    """Return how many bytes a block may unpack to."""
    return min(MAX_PACKET, max(SMALL, MAX_RATIO * len(packed)))


def _unsnap(packed: bytes | memoryview) -> bytes:
    """Unpack a block of the codec snappy, which ends with the checksum of what it unpacks to."""
    view, body = memoryview(packed), max(0, len(packed) - CHECKSUM)
    size, _ = _read_varint(view, 0, body)
    if size > _most(packed):
        raise BadPacket(f"the packet unpacks to {size} bytes, more than the {_most(packed)} that are accepted")
    data = bytes(cramjam.snappy.decompress_raw(view[:body]))
    if zlib.crc32(data) != int.from_bytes(view[body:], "big"):
        raise BadPacket("the packet's snappy data are damaged: their checksum is wrong")
    return data
