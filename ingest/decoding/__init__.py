"""From the bytes of many alert packets to columns: the seam that every decoder stands behind.

A packet is one Avro object container file that holds one record. A decoder gets many packets in one buffer and
gives back, for each table that is wanted, one Arrow table; cutouts stay in the buffer and come back as offsets.
Nothing here knows a survey: which fields are wanted is said by `Wanted`, which a survey's file fills in.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

__all__ = ["PACKET_INDEX", "Decoded", "Decoder", "Offsets", "Packets", "Wanted", "open_decoder"]

PACKET_INDEX = "packet"  # name of the column that ties rows to their packet


@dataclass(frozen=True)
class Packets:
    """Many packets in one buffer: packet `i` is ``buffer[starts[i]:ends[i]]``.

    `starts` and `ends` have shape (n,), in bytes. The packets need not lie side by side.
    """

    buffer: bytes | bytearray | memoryview
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Wanted:
    """Which fields to decode, and as which type.

    Attributes
    ----------
    scalars
        Dotted path from the top of the record (``candidate.jd``) to the Arrow type of its column. Types are
        int32, int64, float32, float64, bool and string.
    arrays
        Name of an array of records (``prv_candidates``) to the wanted fields of its items.
    blobs
        Dotted paths of bytes that stay in the buffer (``cutoutScience.stampData``).
    ignored
        Dotted paths known and left out on purpose (an array's items as ``prv_candidates.pdiffimfilename``),
        so that they are not reported as unknown. A path covers all that lies below it.
    """

    scalars: Mapping[str, pa.DataType]
    arrays: Mapping[str, Mapping[str, pa.DataType]] = field(default_factory=dict)
    blobs: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Offsets:
    """Where the bytes of one blob lie: ``buffer[starts[i]:ends[i]]`` for row `i`; both are -1 where null."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


@dataclass(frozen=True)
class Decoded:
    """What a decoder made of some packets.

    Attributes
    ----------
    packets
        One row for each packet that could be decoded, in the order of the packets. Its first column, `packet`
        (int32), is the packet's index in the input; then one column for each path of `Wanted.scalars`, in
        that order. A field that the packet's schema lacks is null.
    arrays
        For each name of `Wanted.arrays` the items of all packets, flat, in order. The first column, `packet`
        (int32), is the packet's index in the input.
    buffer
        What the offsets of `blobs` point into: the input's buffer, or a new one where packets were compressed.
    blobs
        For each path of `Wanted.blobs` one range per row of `packets`.
    rejects
        Index of each packet that could not be decoded, and why, in words.
    unknown
        Dotted paths of leaf fields that are neither wanted nor ignored, in all schemas that packets had and that
        were not refused.
    doubts
        Index of each packet that was decoded although something behind its record is damaged, and what.
    """

    packets: pa.Table
    arrays: Mapping[str, pa.Table]
    buffer: bytes | bytearray | memoryview
    blobs: Mapping[str, Offsets]
    rejects: Mapping[int, str]
    unknown: frozenset[str]
    doubts: Mapping[int, str] = field(default_factory=dict)


class Decoder(Protocol):
    """Turns packets into columns. A decoder keeps what it learned about schemas from batch to batch."""

    def decode(self, packets: Packets) -> Decoded:
        """Decode all packets; a bad one is a reject and never disturbs its neighbours."""
        ...


def open_decoder(wanted: Wanted, name: str = "columnar") -> Decoder:
    """Make a decoder: `fastavro`, or `columnar`, which is many times faster. Both give the same."""
    # Imported here so that whoever uses one decoder need not wait for the libraries of the other.
    if name == "columnar":
        from ingest.decoding.columnar import ColumnarDecoder

        return ColumnarDecoder(wanted)
    if name == "fastavro":
        from ingest.decoding.by_fastavro import FastavroDecoder

        return FastavroDecoder(wanted)
    raise ValueError(f"there is no decoder '{name}'; known are columnar and fastavro")
