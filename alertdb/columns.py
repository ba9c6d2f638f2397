"""Columns of a query's result as Arrow arrays of the types that the server declares, whatever the values are.

| MariaDB | Arrow |
|---|---|
| TINYINT, SMALLINT, INT | int32; INT UNSIGNED int64 |
| BIGINT | int64; BIGINT UNSIGNED uint64 |
| FLOAT, DOUBLE | float32, float64 |
| DECIMAL without decimals (SUM of integers) | int64, or where a value does not fit decimal128 or decimal256 |
| DECIMAL with decimals (AVG of integers, 1.5) | float64: the nearest double of the exact value |
| DATETIME, TIMESTAMP; DATE; TIME | timestamp, date32, duration; microseconds |
| CHAR, VARCHAR, ENUM, TEXT | string |
| BINARY, BLOB, BIT | binary |
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Column", "declared_columns", "to_table"]

INT32 = (1, 2, 3, 9, 13)  # field types of the protocol: TINY, SHORT, LONG, INT24, YEAR
INT64 = 8
DECIMAL = (0, 246)
FIXED: dict[int, pa.DataType] = {
    4: pa.float32(),
    5: pa.float64(),
    6: pa.null(),
    7: pa.timestamp("us"),
    10: pa.date32(),
    11: pa.duration("us"),
    12: pa.timestamp("us"),
}
BIT = 16
UNSIGNED = 32
BINARY_CHARSET = 63
INT64_LIMIT = 2**63


@dataclass(frozen=True)
class Column:
    """A column of a result: its name, its Arrow type (None for integers of unknown size), and whether DECIMAL."""

    name: str
    type: pa.DataType | None
    is_decimal: bool


def declared_columns(metadata: Mapping[str, Sequence[Any]]) -> list[Column]:
    """Return the columns as a cursor's metadata declares them; a repeated name gets a number (`candid_2`)."""
    names = _distinct(metadata["field"])
    facts = zip(metadata["type"], metadata["flags"], metadata["decimals"], metadata["charset"], strict=True)
    return [Column(name, _arrow_type(*fact), fact[0] in DECIMAL) for name, fact in zip(names, facts, strict=True)]


def to_table(columns: Sequence[Column], batches: Sequence[Sequence[tuple[Any, ...]]]) -> pa.Table:
    """Build a table from batches of rows."""
    chunks: list[list[pa.Array[Any]]] = [[] for _ in columns]
    for rows in batches:
        for chunk, column, values in zip(chunks, columns, zip(*rows, strict=True), strict=True):
            chunk.append(_array(values, column))
    arrays = [_joined(chunk, column.type) for chunk, column in zip(chunks, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=[column.name for column in columns])


def _arrow_type(code: int, flags: int, decimals: int, charset: int) -> pa.DataType | None:
    if code in INT32:
        return pa.int64() if flags & UNSIGNED and code == 3 else pa.int32()
    if code == INT64:
        return pa.uint64() if flags & UNSIGNED else pa.int64()
    if code in DECIMAL:
        return None if decimals == 0 else pa.float64()
    if code in FIXED:
        return FIXED[code]
    return pa.binary() if charset == BINARY_CHARSET or code == BIT else pa.string()


def _array(values: Sequence[Any], column: Column) -> pa.Array[Any]:
    if column.type is None:
        return _integers([None if value is None else int(value) for value in values])
    if column.is_decimal:
        values = [None if value is None else float(value) for value in values]
    return pa.array(values, column.type)


def _integers(values: Sequence[int | None]) -> pa.Array[Any]:
    largest = max((abs(value) for value in values if value is not None), default=0)
    if largest < INT64_LIMIT:
        return pa.array(values, pa.int64())
    kind = pa.decimal128(38) if largest < 10**38 else pa.decimal256(76)
    return pa.array(values, kind)


def _joined(chunks: list[Any], kind: pa.DataType | None) -> pa.ChunkedArray[Any]:
    if kind is None:
        kinds = {chunk.type for chunk in chunks} or {pa.int64()}
        kind = max(kinds, key=lambda found: found.bit_width)
    wanted: Any = kind  # the stubs want to know it beforehand
    return pa.chunked_array([chunk.cast(kind) for chunk in chunks], wanted)


def _distinct(names: Sequence[str]) -> list[str]:
    result: list[str] = []
    for name in names:
        candidates = (f"{name}_{number}" for number in count(2))
        result.append(name if name not in result else next(other for other in candidates if other not in result))
    return result
