"""Arrow tables as data frames whose 64-bit ids stay integers, with NULLs too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["to_frame"]

NULLABLE: dict[pa.DataType, Any] = {
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a data frame: integers as int32 or int64, where they hold NULLs as Int32 or Int64; floats with NaN."""
    return pd.DataFrame({name: _to_series(table.column(name)) for name in table.column_names})


def _to_series(column: pa.ChunkedArray[Any]) -> Any:
    if pa.types.is_decimal(column.type):  # sums that no int64 holds: integers of Python
        values = [None if value is None else int(value) for value in column.to_pylist()]
        return pd.Series(values, dtype=object)
    mapper: Callable[[pa.DataType], Any] | None = NULLABLE.get if column.null_count else None
    return column.to_pandas(types_mapper=mapper)
