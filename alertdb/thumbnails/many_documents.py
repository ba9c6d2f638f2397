"""The documents of many alerts at once: all headers are filled in together, which takes less time.

The headers of a document with all its cutouts differ from others' in a few numbers only, so those are put into copies
of the headers of an empty one.
"""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from isal.isal_zlib import crc32

from alertdb.thumbnails import KINDS
from alertdb.thumbnails.document import document_pieces

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from alertdb.thumbnails import Buffer

    Numbers: TypeAlias = npt.NDArray[np.int64]
    Spans: TypeAlias = Mapping[str, tuple[Numbers, Numbers]]

__all__ = ["many_documents"]

_PIECES = [len(piece) for piece in document_pieces(dict.fromkeys(KINDS, b""))][::2]  # lengths of the headers
_LOCAL = _PIECES[:-1]
_ENTRY_LONGER = 16  # bytes by which a directory's entry is longer than the member's local header
_LOCAL_CRC, _ENTRY_CRC, _ENTRY_OFFSET, _END_OFFSET = 14, 16, 42, -6  # where these numbers stand


def many_documents(buffer: memoryview, spans: Spans) -> Iterator[list[Buffer]]:
    """Yield each alert's document in pieces, as `document_pieces` does; no pieces where an alert has no cutout.

    Parameters
    ----------
    buffer
        Holds all cutouts.
    spans
        For each kind where the cutouts of all alerts begin and end in it, shape (n,); -1 where there is none.
    """
    stamps = [_stamps(buffer, *spans[kind]) for kind in KINDS]
    crcs = np.array([[0 if stamp is None else crc32(stamp) for stamp in kind] for kind in stamps], np.int64)
    sizes = np.array([spans[kind][1] - spans[kind][0] for kind in KINDS])
    headers = _headers(crcs, sizes).ravel().data
    cuts = accumulate(_PIECES * crcs.shape[1], initial=0)
    own = iter([headers[start:end] for start, end in pairwise(cuts)])
    for cutouts, *headed in zip(zip(*stamps, strict=True), *[own] * len(_PIECES), strict=True):
        if None not in cutouts:
            pieces: list[Any] = [None] * (len(headed) + len(cutouts))
            pieces[::2], pieces[1::2] = headed, cutouts
            yield pieces
        elif any(stamp is not None for stamp in cutouts):
            yield document_pieces(dict(zip(KINDS, cutouts, strict=True)))
        else:
            yield []


def _stamps(buffer: memoryview, starts: Numbers, ends: Numbers) -> list[memoryview | None]:
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    return [buffer[start:end] if start >= 0 else None for start, end in places]


def _headers(crcs: Numbers, sizes: Numbers) -> npt.NDArray[np.uint8]:
    """Return the headers of documents with these numbers (shape (kinds, n)), shape (n, bytes of one's headers)."""
    empty = b"".join(document_pieces(dict.fromkeys(KINDS, b"")))
    table = np.tile(np.frombuffer(empty, np.uint8), (crcs.shape[1], 1))
    local, entry, offset = 0, sum(_LOCAL), np.zeros_like(sizes[0])
    for length, crc, size in zip(_LOCAL, crcs, sizes, strict=True):
        _put(table, local + _LOCAL_CRC, crc, size, size)
        _put(table, entry + _ENTRY_CRC, crc, size, size)
        _put(table, entry + _ENTRY_OFFSET, offset)
        local, entry, offset = local + length, entry + length + _ENTRY_LONGER, offset + length + size
    _put(table, table.shape[1] + _END_OFFSET, offset)
    return table


def _put(table: npt.NDArray[np.uint8], at: int, *numbers: Numbers) -> None:
    """Put numbers of 32 bits, one after the other, into each row from byte `at` on."""
    words = np.stack(numbers, axis=1).astype("<u4")
    table[:, at : at + 4 * len(numbers)] = words.view(np.uint8)
