"""From header to header through an unpacked tar, whose bytes come buffer by buffer. No I/O here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ingest.tarballs.batches import Reject
from ingest.tarballs.headers import (
    BLOCK,
    BadHeader,
    Header,
    is_extended_sparse,
    padded,
    parse_header,
    parse_pax,
)
from ingest.tarballs.names import is_passed_over, shown, why_rejected

if TYPE_CHECKING:
    from ingest.tarballs.batches import Found

__all__ = ["BadTar", "UnclosedTar", "Walk"]

MAX_EXTENSION = 1 << 20  # bytes of a pax header or a GNU long name; real ones have a few hundred
_ZEROS = bytes(BLOCK)
_WITHOUT_CONTENT = {b"1", b"2", b"3", b"4", b"5", b"6"}  # links and folders, whatever their size field says
_EXTENSIONS = {b"x", b"X", b"g", b"L", b"K"}


class BadTar(Exception):
    """What is wrong with a tar, in words that follow 'is damaged:'."""


class UnclosedTar(BadTar):
    """The tar ends after a whole member, without the two blocks of zeros that close a tar."""


class Walk:
    """The state of a walk, kept from buffer to buffer.

    Attributes
    ----------
    position
        Unpacked byte up to which the tar is understood.
    needed
        How many bytes from `position` on the next step must see at once; 0 if what it saw was enough.
    members
        Members met so far: packets, rejects and what was passed over.
    """

    def __init__(self) -> None:
        self.position = 0
        self.needed = BLOCK
        self.members = 0
        self._ended = False
        self._skip = 0  # bytes of content and padding that nobody wants
        self._after_map: int | None = None  # bytes of content after the map of a sparse member
        self._defaults: dict[bytes, bytes] = {}  # what a global pax header says of all members
        self._next: dict[bytes, bytes] = {}  # what extension headers say of the member to come
        self._where = "before its first member"

    def find(self, found: Found, view: memoryview, at: int, most: int) -> int:
        """Walk on through ``view[at:]`` until `found` has `most` members or the next is not there as a whole.

        Returns where in `view` the walk stands.

        Raises
        ------
        BadTar
            If there is no header where one should be; what came before is in `found`.
        """
        self.needed = 0
        while len(found) < most and not self.needed and at < len(view):
            try:
                step = self._step(found, view, at)
            except BadHeader as error:
                raise BadTar(f"a tar header was expected, but {error}") from error
            at += step
            self.position += step
        return at

    def finish(self, left: int) -> None:
        """Say at the end of the tar, with `left` bytes not understood, whether it was the whole tar."""
        if left or self._skip:
            raise BadTar("the tar breaks off")
        if not self._ended and self.position:
            raise UnclosedTar("the tar lacks its closing blocks, so members after this may be missing")

    def where(self) -> str:
        """Name the member where the walk stands."""
        return self._where

    def _step(self, found: Found, view: memoryview, at: int) -> int:
        if self._skip:
            return self._pass(self._skip, len(view) - at)
        if self._ended:
            return self._see_zeros(view[at:])
        if len(view) - at < BLOCK:
            return self._need(BLOCK)
        block = bytes(view[at : at + BLOCK])
        if self._after_map is not None:
            return self._see_map(block, self._after_map, len(view) - at)
        if block == _ZEROS:
            return self._close(view[at + BLOCK : at + 2 * BLOCK])
        header = parse_header(block)
        if header.kind in _EXTENSIONS:
            return self._extend(header, view[at + BLOCK :])
        if header.kind == b"S" and is_extended_sparse(block, first=True):
            return self._begin_map(found, header, view, at)
        return self._meet(found, self._completed(header), view, at)

    def _need(self, size: int) -> int:
        self.needed = size
        return 0

    def _pass(self, size: int, available: int) -> int:
        """Go `size` bytes ahead, over what the buffer has of them now and over the rest later."""
        step = min(size, available)
        self._skip = size - step
        return step

    def _see_zeros(self, rest: memoryview) -> int:
        if np.frombuffer(rest, dtype=np.uint8).any():
            raise BadTar("data follow after the closing blocks of the tar")
        return len(rest)

    def _close(self, following: memoryview) -> int:
        if len(following) < BLOCK:
            return self._need(2 * BLOCK)
        if following != _ZEROS:
            raise BadTar("a lone block of zeros stands where a tar header was expected")
        self._ended = True
        return 2 * BLOCK

    def _extend(self, header: Header, content: memoryview) -> int:
        if header.size > MAX_EXTENSION:
            raise BadTar(f"an extended header claims {header.size} bytes")
        if len(content) < padded(header.size):
            return self._need(BLOCK + padded(header.size))
        text = bytes(content[: header.size])
        if header.kind == b"L":
            self._next[b"path"] = text.partition(b"\0")[0]
        elif header.kind == b"g":
            self._defaults |= _heard(parse_pax(text))
        elif header.kind != b"K":  # a long name of a link's target: links are rejects anyway
            self._next |= _heard(parse_pax(text))
        return BLOCK + padded(header.size)

    def _completed(self, header: Header) -> Header:
        """Apply what extension headers said; an empty value means: as in the header itself."""
        if not (self._next or self._defaults):
            return header
        said = self._defaults | self._next
        size = said.get(b"size") or b"%d" % header.size
        if not size.isdigit():
            raise BadHeader(f"{size!r} in it is no size")
        return Header(said.get(b"path") or header.name, int(size), said.get(b"kind") or header.kind)

    def _meet(self, found: Found, header: Header, view: memoryview, at: int) -> int:
        name, size, kind = header
        start = at + BLOCK
        if not is_passed_over(name, kind):
            reason = why_rejected(name, kind, size)
            label = shown(name)
            if reason is not None:
                found.rejects.append(Reject(label, self.position, reason))
            elif start + size > len(view):
                self._where = f"in member {label}"
                return self._need(BLOCK + size)
            else:
                found.add(label, self.position, start, start + size)
            self._where = f"after member {label}"
        self.members += 1
        self._next = {}
        content = 0 if kind in _WITHOUT_CONTENT else padded(size)
        return self._pass(BLOCK + content, len(view) - at)

    def _begin_map(self, found: Found, header: Header, view: memoryview, at: int) -> int:
        """Reject a GNU sparse member whose map goes on in further blocks, of which its size says nothing."""
        header = self._completed(header)
        self._after_map = padded(header.size)
        return self._meet(found, header._replace(size=0), view, at)

    def _see_map(self, block: bytes, after: int, available: int) -> int:
        if is_extended_sparse(block, first=False):
            return BLOCK
        self._after_map = None
        return self._pass(BLOCK + after, available)


def _heard(records: dict[bytes, bytes]) -> dict[bytes, bytes]:
    """Keep of pax records what concerns us; a hostile tar could say millions of other things."""
    heard: dict[bytes, bytes] = {key: records[key] for key in (b"path", b"size") if key in records}
    if any(key.startswith(b"GNU.sparse.") for key in records):
        heard[b"kind"] = b"S"
    return heard
