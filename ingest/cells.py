"""The cells of a frame as the arrays that compiled functions read: Arrow's memory, seen and not copied."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ingest.compiling import BYTES_TYPE, Bytes, Index, part, types

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt
    import polars as pl
    import pyarrow as pa

    Cells = pa.Array[Any]

__all__ = ["VALIDITY_TYPES", "columns_of", "has_value", "numbers_of", "texts_of", "validity_of"]

ALL_VALID: Bytes = np.empty(0, np.uint8)
VALIDITY_TYPES = (BYTES_TYPE, types.int64)


def columns_of(frame: pl.DataFrame) -> Iterator[tuple[str, Cells]]:
    """Yield name and cells of each column; no cells where there are no rows."""
    table = frame.to_arrow().combine_chunks()
    for name, column in zip(table.column_names, table.columns, strict=True):
        for chunk in column.chunks:  # one, or none where there are no rows
            yield name, chunk


def numbers_of(column: Cells) -> npt.NDArray[Any]:
    """Return the numbers of a column, shape (n,); those of cells without a value mean nothing."""
    numbers = _view(column.buffers()[1], column.type.to_pandas_dtype())
    return numbers[column.offset : column.offset + len(column)]


def texts_of(column: Cells) -> tuple[Index, Bytes]:
    """Return where the texts of a column begin and end, shape (n + 1,), and their bytes."""
    _, ends, text = column.buffers()
    return _view(ends, np.int64)[column.offset : column.offset + len(column) + 1], _view(text or b"", np.uint8)


def validity_of(column: Cells) -> tuple[Bytes, int]:
    """Return bits that say which cells have a value, and the number of the first bit; no bits if all have."""
    bitmap = column.buffers()[0]
    return ALL_VALID if bitmap is None else _view(bitmap, np.uint8), column.offset


@part
def has_value(valid: Bytes, bit: int) -> bool:
    """Return whether this bit is set; called from compiled functions."""
    return len(valid) == 0 or (valid[bit >> 3] >> (bit & 7)) & 1 == 1


def _view(buffer: Any, kind: Any) -> npt.NDArray[Any]:
    return np.frombuffer(buffer, kind)
