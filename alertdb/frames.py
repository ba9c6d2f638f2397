"""Arrow tables as data frames whose 64-bit ids stay integers, with NULLs too."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["to_columns", "to_frame"]

NULLABLE: dict[pa.DataType, Any] = {
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
}
TEXT: Any = pd.StringDtype("pyarrow", na_value=np.nan)  # what pandas calls str


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a data frame: integers as int32 or int64, where they hold NULLs as Int32 or Int64; floats with NaN."""
    return pd.DataFrame(to_columns(table))


def to_columns(table: pa.Table) -> dict[str, Any]:
    """Return what a data frame is made of, by the name of the column; see `to_frame`."""
    return {name: _values(table.column(name)) for name in table.column_names}


def _values(column: pa.ChunkedArray[Any]) -> Any:
    """Return the values as pandas keeps them; column by column, for a table's own way takes longer for few rows."""
    kind: pa.DataType = column.type
    if pa.types.is_decimal(kind):  # sums that no int64 holds: integers of Python
        return pd.Series([None if value is None else int(value) for value in column.to_pylist()], dtype=object)
    if pa.types.is_string(kind):
        return TEXT.__from_arrow__(column)
    if column.null_count and kind in NULLABLE:
        return NULLABLE[kind].__from_arrow__(column)
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return column.to_numpy()
    return column.to_pandas()
