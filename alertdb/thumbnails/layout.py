"""The layout of a sealed file: a plain ZIP of documents with two lists that make it quick to look up.

::

    595277915515015000.zip  one member per alert, stored: its document, in the order in which they were put
    …
    index.npy               one record per document, sorted by candid: where it lies, its size and CRC-32
    blocks.npy              one record per BLOCK_RECORDS records of the index: first and last candid, CRC-32
    central directory       what every ZIP has, sorted by candid
    comment                 one line of text: how many documents, where the two lists lie, CRC-32s

So every ZIP tool gets the documents out and `numpy.load` the lists; and a reader that knows the layout finds
a document by short reads, each checked by a CRC-32 that was itself checked: comment, blocks, index, document.
"""

from __future__ import annotations

import re
from dataclasses import astuple, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from isal.isal_zlib import crc32

from alertdb.thumbnails.zipformat import directory_end, directory_entry, local_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

__all__ = [
    "BLOCK",
    "BLOCK_RECORDS",
    "FOOTER_BYTES",
    "RECORD",
    "Footer",
    "Table",
    "closing",
    "document_header",
    "parse_footer",
]

Table: TypeAlias = "npt.NDArray[np.void]"

RECORD = np.dtype([("candid", "<i8"), ("offset", "<u8"), ("size", "<u4"), ("crc32", "<u4")])
BLOCK = np.dtype([("first", "<i8"), ("last", "<i8"), ("crc32", "<u4")])
BLOCK_RECORDS = 256  # 6 KiB, quick to read and check; 200,000 documents have 782 blocks to keep in memory

_COMMENT = (
    "alertdb thumbnails, format 1: {:012d} documents, index at {:020d}, {:010d} blocks at {:020d} with CRC-32 {:08x}"
)
_COMMENT_PATTERN = re.compile(
    rb"(alertdb thumbnails, format 1: (\d{12}) documents, index at (\d{20}), "
    rb"(\d{10}) blocks at (\d{20}) with CRC-32 ([0-9a-f]{8})), CRC-32 of this line ([0-9a-f]{8})\n"
)
_ENTRIES_AT_ONCE = 10_000  # of the central directory: a megabyte


@dataclass(frozen=True)
class Footer:
    """What the comment at the end of a sealed file says.

    Attributes
    ----------
    documents, blocks
        Number of documents, and of blocks of the index.
    index_at, blocks_at
        Where the records of each list begin, in bytes from the file's beginning.
    blocks_crc32
        CRC-32 of the block records.
    """

    documents: int
    index_at: int
    blocks: int
    blocks_at: int
    blocks_crc32: int

    def line(self) -> bytes:
        """Return the comment."""
        text = _COMMENT.format(*astuple(self)).encode()
        return text + b", CRC-32 of this line %08x\n" % crc32(text)


FOOTER_BYTES = len(Footer(0, 0, 0, 0, 0).line())


def parse_footer(tail: bytes) -> Footer | None:
    """Return what a file's last `FOOTER_BYTES` say, or None if they are no undamaged comment of ours."""
    match = _COMMENT_PATTERN.fullmatch(tail)
    if match is None or crc32(match[1]) != int(match[7], 16):
        return None
    return Footer(int(match[2]), int(match[3]), int(match[4]), int(match[5]), int(match[6], 16))


def document_header(candid: int, crc: int, size: int) -> bytes:
    """Return what stands before a document."""
    return local_header(b"%d.zip" % candid, crc, size)


def closing(records: Table, start: int) -> Iterator[bytes | memoryview]:
    """Yield all that follows the documents, in pieces.

    Parameters
    ----------
    records
        The index (dtype `RECORD`), sorted by candid.
    start
        Where the documents end, in bytes.
    """
    index = _List(b"index.npy", records, start)
    blocks = _List(b"blocks.npy", _blocks(records), index.end)
    yield from index.pieces()
    yield from blocks.pieces()
    size = 0
    for entries in (*_document_entries(records), index.entry() + blocks.entry()):
        size += len(entries)
        yield entries
    footer = Footer(len(records), index.data_at, len(blocks.rows), blocks.data_at, crc32(blocks.rows.tobytes()))
    yield directory_end(len(records) + 2, size, blocks.end, footer.line())


class _List:
    """A member that holds a table in numpy's format, at `start` in the file."""

    def __init__(self, name: bytes, rows: Table, start: int) -> None:
        self.name, self.rows, self.start = name, rows, start
        self._preamble = _npy_preamble(rows)
        self._crc = crc32(_bytes(rows), crc32(self._preamble))
        self._size = len(self._preamble) + rows.nbytes
        self._header = local_header(name, self._crc, self._size)
        self.data_at = start + len(self._header) + len(self._preamble)
        self.end = self.data_at + rows.nbytes

    def pieces(self) -> tuple[bytes, bytes, memoryview]:
        return self._header, self._preamble, _bytes(self.rows)

    def entry(self) -> bytes:
        return directory_entry(self.name, self._crc, self._size, self.start)


def _bytes(rows: Table) -> memoryview:
    """Return the bytes of a table, not copied: an index has 24 for each alert of a night."""
    return rows.view(np.uint8).data


def _npy_preamble(rows: Table) -> bytes:
    stream = BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(rows))
    return stream.getvalue()


def _blocks(records: Table) -> Table:
    """Return one row (dtype `BLOCK`) for each `BLOCK_RECORDS` records."""
    parts = [records[start : start + BLOCK_RECORDS] for start in range(0, len(records), BLOCK_RECORDS)]
    candids = [part["candid"] for part in parts]
    rows = [(own[0], own[-1], crc32(part.tobytes())) for own, part in zip(candids, parts, strict=True)]
    return np.array(rows, BLOCK)


def _document_entries(records: Table) -> Iterator[bytes]:
    for first in range(0, len(records), _ENTRIES_AT_ONCE):
        rows = records[first : first + _ENTRIES_AT_ONCE].tolist()
        yield b"".join(_document_entry(*row) for row in rows)


def _document_entry(candid: int, offset: int, size: int, crc: int) -> bytes:
    before = len(document_header(candid, crc, size))
    return directory_entry(b"%d.zip" % candid, crc, size, offset - before)
