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

from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any

import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "DECIMAL",
    "ORIGIN",
    "UNSIGNED",
    "Column",
    "Columns",
    "declared_column",
    "declared_columns",
    "distinct",
    "to_batch",
    "to_table",
]

ORIGIN = (b"table", b"column")  # in the metadata of a field
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
DIGITS_128 = 38  # of decimal128, which takes longer texts without a word and makes other numbers of them (Arrow 26)


@dataclass(frozen=True)
class Column:
    """A column of a result.

    Attributes
    ----------
    name
        Its name in the result.
    type
        Its Arrow type, or None for integers of unknown size.
    is_decimal
        Whether it is a DECIMAL.
    origin
        Table and column that it shows, empty where it is computed.
    """

    name: str
    type: pa.DataType | None
    is_decimal: bool
    origin: tuple[str, str] = ("", "")

    def field(self, kind: pa.DataType) -> pa.Field[Any]:
        """Return it as Arrow describes columns; where it is from stands in the metadata."""
        if not self.origin[1]:
            return pa.field(self.name, kind)
        return pa.field(self.name, kind, metadata=dict(zip(ORIGIN, self.origin, strict=True)))

    def from_values(self, values: Sequence[Any]) -> pa.Array[Any]:
        """Return values as Python has them as an array."""
        if self.is_decimal:
            values = [None if value is None else str(value) for value in values]
            array: pa.Array[Any] = self.from_texts(pa.array(values, pa.string()))
            return array
        return pa.array(values, self.type)

    def from_texts(self, texts: Any) -> Any:
        """Return DECIMALs that came as texts as an array: the smallest integers that hold them all, or doubles."""
        if self.type is not None:
            return texts.cast(self.type)
        with suppress(pa.ArrowInvalid):
            return texts.cast(pa.int64())
        from pyarrow import compute  # here: it takes long to come, and loading needs none

        longest = compute.max(compute.binary_length(texts)).as_py() or 0
        return texts.cast(pa.decimal128(38) if longest <= DIGITS_128 else pa.decimal256(76))


class Columns(tuple[Column, ...]):
    """The columns of a result."""

    @cached_property
    def schema(self) -> pa.Schema | None:
        """Their Arrow schema; None where the values decide on a type."""
        kinds = [(column, column.type) for column in self]
        fields = [column.field(kind) for column, kind in kinds if kind is not None]
        return pa.schema(fields) if len(fields) == len(self) else None


def declared_columns(metadata: Mapping[str, Sequence[Any]]) -> Columns:
    """Return the columns as a cursor's metadata declares them; a repeated name gets a number (`candid_2`)."""
    names = distinct(metadata["field"])
    origins = ([name or other for name, other in zip(metadata["org_table"], metadata["table"], strict=True)],)
    others = (metadata[name] for name in ("org_field", "type", "flags", "decimals", "charset"))
    facts = zip(*origins, *others, strict=True)
    return Columns(declared_column(name, *fact) for name, fact in zip(names, facts, strict=True))


def declared_column(
    name: str, org_table: str, org_field: str, code: int, flags: int, decimals: int, charset: int
) -> Column:
    """Return a column as the server declares it."""
    return Column(name, _arrow_type(code, flags, decimals, charset), code in DECIMAL, (org_table, org_field))


def to_table(columns: Columns, batches: Sequence[Sequence[pa.Array[Any]]]) -> pa.Table:
    """Build a table from batches, each with an array per column."""
    if columns.schema is not None:
        parts = [pa.RecordBatch.from_arrays(list(batch), schema=columns.schema) for batch in batches]
        return pa.Table.from_batches(parts, columns.schema)
    chunks = zip(*batches, strict=True) if batches else [()] * len(columns)
    arrays = [_joined(chunk, column.type) for chunk, column in zip(chunks, columns, strict=True)]
    fields = [column.field(array.type) for column, array in zip(columns, arrays, strict=True)]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def to_batch(columns: Columns, arrays: Sequence[pa.Array[Any]]) -> pa.RecordBatch:
    """Build one batch from an array per column."""
    fields = (column.field(array.type) for column, array in zip(columns, arrays, strict=True))
    return pa.RecordBatch.from_arrays(list(arrays), schema=columns.schema or pa.schema(fields))


def distinct(names: Sequence[str]) -> list[str]:
    """Return names of which none occurs twice: a repeated one gets a number."""
    if len(set(names)) == len(names):
        return list(names)
    result: list[str] = []
    for name in names:
        candidates = (f"{name}_{number}" for number in count(2))
        result.append(name if name not in result else next(other for other in candidates if other not in result))
    return result


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


def _joined(chunks: Sequence[pa.Array[Any]], kind: pa.DataType | None) -> pa.ChunkedArray[Any]:
    """Return chunks as one column; of integers in the smallest type that holds them all."""
    if kind is None:
        kinds = {chunk.type for chunk in chunks} or {pa.int64()}
        kind = max(kinds, key=lambda found: found.bit_width)
        chunks = [chunk.cast(kind) for chunk in chunks]
    wanted: Any = kind  # the stubs want to know it beforehand
    return pa.chunked_array(chunks, wanted)
