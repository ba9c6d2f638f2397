"""Reading a sealed file to its last byte: it is sound if its documents, written now, would make the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from isal.isal_zlib import crc32

from alertdb.errors import DamagedThumbnail
from alertdb.thumbnails.layout import RECORD, closing, document_header
from alertdb.thumbnails.sealed import Replaced, SealedFile

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from alertdb.thumbnails.layout import Table

__all__ = ["verify_file"]


def verify_file(path: str) -> Iterator[str]:
    """Yield one line for each damage found; a file that was removed meanwhile has none."""
    try:
        file = SealedFile(path)
        with file.opened() as handle, open(handle, "rb", buffering=1 << 20, closefd=False) as stream:
            blocks = [file.index_block(handle, number) for number in range(file.footer.blocks)]
            records = np.concatenate([np.empty(0, RECORD), *blocks])
            for what, found in _differences(path, stream, records):
                yield str(DamagedThumbnail(what, found))
    except DamagedThumbnail as damage:
        yield str(damage)
    except Replaced:
        return
    except OSError as error:
        yield str(DamagedThumbnail(path, f"it cannot be read: {error.strerror}"))


def _differences(path: str, stream: BinaryIO, records: Table) -> Iterator[tuple[str, str]]:
    """Yield (what is damaged, what was found), along the file."""
    for candid, _, size, crc in records[np.argsort(records["offset"])].tolist():
        header = document_header(candid, crc, size)
        if stream.read(len(header)) != header:
            yield f"The ZIP header of {candid} in {path}", "it is not what its document gets"
        found = crc32(stream.read(size))
        if found != crc:
            yield f"The thumbnail of {candid} in {path}", f"its CRC-32 is {found:08x}, expected {crc:08x}"
    for piece in closing(records, stream.tell()):
        if stream.read(len(piece)) != piece:
            yield f"The list of members in {path}", "it is not what its documents get"
            return
    if stream.read(1):
        yield path, "bytes follow its end"
