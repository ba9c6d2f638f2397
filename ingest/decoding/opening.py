"""From many packets to their records: headers known again, compressed packets unpacked, bad ones set aside.

A header is some 20 KB and the same in most packets of a night, so `PacketOpener` knows it again by its bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.decoding.container import BadPacket, decompress, find_record, read_header
from ingest.decoding.limits import MAX_HEADERS, MAX_PACKET

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from ingest.decoding import Packets
    from ingest.decoding.container import Header, Record

    FindKnown = Callable[..., None]

__all__ = ["PacketOpener", "Records"]


@dataclass(frozen=True)
class Records:
    """The records of many packets, ready to be decoded: record `i` is ``buffer[starts[i]:ends[i]]``.

    Attributes
    ----------
    buffer
        Holds all records: the packets' own buffer, or a new one where any of them was compressed.
    packets
        Shape (n,), index of each record's packet.
    starts, ends
        Shape (n,), offsets into `buffer`.
    origins
        Shape (n,), index in `headers` of each record's header.
    headers
        The headers met, each once.
    rejects
        Packets without a usable record, and why.
    doubts
        Packets that have a whole record but are damaged behind it, and how.
    """

    buffer: bytes | bytearray | memoryview
    packets: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    origins: npt.NDArray[np.int64]
    headers: list[Header]
    rejects: dict[int, str]
    doubts: dict[int, str]


class PacketOpener:
    """Finds the record of each packet. It remembers headers from batch to batch.

    Parameters
    ----------
    find_known
        Finds those packets that begin with a known header, quickly; see `ingest.decoding.reading.find_records`.
    """

    def __init__(self, find_known: FindKnown | None = None) -> None:
        self._find_known = find_known
        self._known: dict[bytes, Header] = {}  # the bytes up to the sync marker; the last met comes last

    def open_all(self, packets: Packets) -> Records:
        """Find the records of all packets; a packet that has none becomes a reject."""
        view = memoryview(packets.buffer).cast("B")
        found = _Found(len(packets.starts))
        if self._find_known is not None:
            self._open_known(view, packets, found, self._find_known)
        for index in np.flatnonzero(found.origins < 0).tolist():
            try:
                record = self.open_one(view, int(packets.starts[index]), int(packets.ends[index]))
                found.add(index, record)
            except BadPacket as bad:
                found.rejects[index] = str(bad)
        return found.gather(view)

    def _open_known(self, view: memoryview, packets: Packets, found: _Found, find_known: FindKnown) -> None:
        """Find the records of the packets whose header is known and that are as most are."""
        buffer, sizes = np.asarray(view), packets.ends - packets.starts
        left = np.flatnonzero((packets.starts >= 0) & (packets.ends <= len(view)) & (sizes <= MAX_PACKET))
        for prologue, header in reversed(self._known.items()):
            places = np.full((2, len(left)), -1, dtype=np.int64)
            find_known(buffer, packets.starts[left], packets.ends[left], np.asarray(memoryview(prologue)), *places)
            hits = places[0] >= 0
            found.add_many(left[hits], header, places[:, hits])
            left = left[~hits]
            if not len(left):
                return

    def open_one(self, view: memoryview, start: int, end: int) -> Record:
        """Find the record of the packet ``view[start:end]``.

        Raises
        ------
        BadPacket
            If the packet is damaged, too large, of an unknown codec, or does not hold exactly one record.
        """
        if not 0 <= start <= end <= len(view):
            raise BadPacket("the packet does not lie inside the buffer")
        if end - start > MAX_PACKET:
            raise BadPacket(f"the packet has {end - start} bytes, more than the {MAX_PACKET} that are accepted")
        header, position = self._header(view, start, end)
        return find_record(view, header, position, end)

    def _header(self, view: memoryview, start: int, end: int) -> tuple[Header, int]:
        """Return the header and where the sync marker begins."""
        for prologue, header in reversed(self._known.items()):
            # Comparing bytes is a hundred times faster than comparing a memoryview.
            if bytes(view[start : min(end, start + len(prologue))]) == prologue:
                return header, start + len(prologue)
        header, position = read_header(view, start, end)
        if len(self._known) == MAX_HEADERS:
            del self._known[next(iter(self._known))]
        self._known[bytes(view[start:position])] = header
        return header, position


class _Found:
    """The records of some packets as they are found, by packet."""

    def __init__(self, packets: int) -> None:
        self.starts, self.ends, self.origins = np.full((3, packets), -1, dtype=np.int64)
        self.rejects: dict[int, str] = {}
        self._doubts: dict[int, str] = {}
        self._headers: dict[Header, int] = {}

    def add(self, packet: int, record: Record) -> None:
        self.add_many(packet, record.header, (record.start, record.end))
        if record.doubt is not None:
            self._doubts[packet] = record.doubt

    def add_many(self, packets: Any, header: Header, places: Any) -> None:
        self.starts[packets], self.ends[packets] = places
        self.origins[packets] = self._headers.setdefault(header, len(self._headers))

    def gather(self, view: memoryview) -> Records:
        """Bring the records together in one buffer: the packets' own, unless some are compressed."""
        headers = list(self._headers)
        packed = any(header.codec != "null" for header in headers)
        buffer = self._unpack(view, headers) if packed else view
        kept = np.flatnonzero(self.origins >= 0)
        places = self.starts[kept], self.ends[kept], self.origins[kept]
        return Records(buffer, kept, *places, headers, self.rejects, self._doubts)

    def _unpack(self, view: memoryview, headers: list[Header]) -> bytearray:
        """Write all records unpacked into a new buffer; those that cannot be unpacked join the rejects."""
        buffer = bytearray()
        for packet in np.flatnonzero(self.origins >= 0).tolist():
            codec = headers[self.origins[packet]].codec
            data: bytes | memoryview = view[self.starts[packet] : self.ends[packet]]
            try:
                data = data if codec == "null" else decompress(codec, data)
            except BadPacket as bad:
                self.rejects[packet], self.origins[packet] = str(bad), -1
                continue
            self.starts[packet], self.ends[packet] = len(buffer), len(buffer) + len(data)
            buffer += data
        return buffer
