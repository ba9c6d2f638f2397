"""Gunzip in pieces: members one after another, each with its CRC and length checked; zeros may pad them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from isal.igzip_lib import DECOMP_GZIP, IgzipDecompressor, IsalError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["MAGIC", "BadGzip", "CutGzip", "gunzip", "one_by_one"]

MAGIC = b"\x1f\x8b"
_PIECE = 256 << 10  # unpacked bytes at a time; they stay in the processor's cache until they are copied


class BadGzip(Exception):
    """What is wrong with gzip data, in words that follow 'is damaged:'."""


class CutGzip(BadGzip):
    """The gzip data are right as far as they go, and end too early."""


def gunzip(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack the blocks of a gzip file.

    Raises
    ------
    BadGzip
        If the data are damaged or end too early. What the failing block held before the damage is not yielded;
        `one_by_one` helps who wants that too.
    """
    unpacker = None
    for block in blocks:
        rest = block
        while rest:
            if unpacker is None:
                rest = rest.lstrip(b"\0")
                if not rest:
                    break
                if rest[0] != MAGIC[0]:
                    raise BadGzip("something that is no gzip follows its gzip data")
                # isal 1.9 takes a header with two fields of free length (a name and a comment, say) for damage if a
                # block ends between them. Only a further member can begin so late, and gzip writes at most one.
                unpacker = IgzipDecompressor(flag=DECOMP_GZIP)
            yield from _unpack(unpacker, rest)
            rest = b""
            if unpacker.eof:
                rest = unpacker.unused_data
                unpacker = None
    if unpacker is not None:
        raise CutGzip("its gzip data break off")


def _unpack(unpacker: IgzipDecompressor, packed: bytes) -> Iterator[bytes]:
    try:
        piece = unpacker.decompress(packed, _PIECE)
        while piece:
            yield piece
            if unpacker.eof or unpacker.needs_input:
                return
            piece = unpacker.decompress(b"", _PIECE)
    except IsalError as error:  # type: ignore[misc]  # its stub has it as an instance
        raise BadGzip(f"its gzip data are wrong ({error})") from error


def one_by_one(blocks: Iterable[bytes], start: int) -> Iterator[bytes]:
    """Cut the blocks into single bytes from byte `start` on, so that `gunzip` yields all before a damage."""
    at = 0
    for block in blocks:
        if at < start:
            yield block
        else:
            for index in range(len(block)):
                yield block[index : index + 1]
        at += len(block)
