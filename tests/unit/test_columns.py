from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from alertdb.columns import Columns, declared_columns, to_table

DECIMAL, BIGINT, FLOAT, LONG, TEXT = 246, 8, 4, 3, 253
BINARY, UTF8 = 63, 45


def column(code: int, *, flags: int = 0, decimals: int = 0, charset: int = BINARY) -> dict[str, list[Any]]:
    origin = {"table": ["t"], "org_table": [""], "org_field": ["y"]}
    return {**origin, "field": ["x"], "type": [code], "flags": [flags], "decimals": [decimals], "charset": [charset]}


def table_of(columns: Columns, batches: list[list[tuple[Any, ...]]]) -> pa.Table:
    """Build a table from batches of rows."""
    return to_table(
        columns,
        [
            [column.from_values(values) for column, values in zip(columns, zip(*rows, strict=True), strict=True)]
            for rows in batches
        ],
    )


@pytest.mark.parametrize(
    ("metadata", "values", "kind"),
    [
        (column(LONG), [1, None], pa.int32()),
        (column(LONG, flags=32), [2**32 - 1], pa.int64()),
        (column(1), [None], pa.int32()),
        (column(BIGINT), [-(2**63), None, 2**63 - 1], pa.int64()),
        (column(BIGINT, flags=32), [2**64 - 1], pa.uint64()),
        (column(FLOAT), [16.123455047607422, None], pa.float32()),
        (column(5), [1 / 3], pa.float64()),
        (column(12), [datetime(2021, 7, 1, 1, 2, 3, 4)], pa.timestamp("us")),
        (column(TEXT, charset=UTF8), ["a", None], pa.string()),
        (column(TEXT), [b"\xff"], pa.binary()),
        (column(6), [None], pa.null()),
    ],
)
def test_types_are_those_declared(metadata: dict[str, list[Any]], values: list[Any], kind: pa.DataType) -> None:
    columns = declared_columns(metadata)
    for rows in ([(value,) for value in values], [(None,)], []):
        table = table_of(columns, [rows] if rows else [])
        assert table.schema.types == [kind]
        assert table["x"].to_pylist() == [row[0] for row in rows]


def test_sums_of_integers_are_integers_of_any_size() -> None:
    columns = declared_columns(column(DECIMAL))
    small, large, huge = 2**63 - 1, 10**37, 10**60
    assert table_of(columns, [[(Decimal(small),)]]).schema.types == [pa.int64()]
    assert table_of(columns, [[(None,)]]).schema.types == [pa.int64()]
    assert table_of(columns, []).schema.types == [pa.int64()]
    mixed = table_of(columns, [[(Decimal(small),)], [(Decimal(large),)]])
    assert mixed.schema.types == [pa.decimal128(38)]
    assert mixed["x"].to_pylist() == [small, large]
    assert table_of(columns, [[(Decimal(small),)], [(Decimal(huge),)]])["x"].to_pylist() == [small, huge]


def test_decimals_become_the_nearest_double() -> None:
    table = table_of(declared_columns(column(DECIMAL, decimals=4)), [[(Decimal("0.3333"),), (None,)]])
    assert table.schema.types == [pa.float64()]
    assert table["x"].to_pylist() == [0.3333, None]


def test_repeated_names_get_numbers() -> None:
    metadata: dict[str, list[Any]] = {
        "field": ["a", "a", "a_2", "a"],
        **{name: [""] * 4 for name in ("table", "org_table", "org_field")},
        "type": [3] * 4,
        "flags": [0] * 4,
        "decimals": [0] * 4,
        "charset": [63] * 4,
    }
    assert [column.name for column in declared_columns(metadata)] == ["a", "a_2", "a_2_2", "a_3"]
