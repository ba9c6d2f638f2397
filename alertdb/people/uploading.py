"""Tables of a notebook as tables of MariaDB: which type a column gets, and its values as the driver takes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from alertdb.people.errors import ColumnUnusable, ScratchNameUnusable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["ROWS", "check_name", "definitions", "rows", "to_arrow"]

ROWS = 20_000  # in one message to the server
LONGEST_VARCHAR = 1000  # characters; longer ones are TEXT, which takes no part in the limit of a row
NAME = re.compile(r"\w{1,64}", re.ASCII)
TYPES: tuple[tuple[Any, str], ...] = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_uint64, "BIGINT UNSIGNED"),
    (pa.types.is_uint32, "INT UNSIGNED"),
    (pa.types.is_int64, "BIGINT"),
    (pa.types.is_integer, "INT"),
    (pa.types.is_float32, "FLOAT"),
    (pa.types.is_floating, "DOUBLE"),
    (pa.types.is_timestamp, "DATETIME(6)"),
    (pa.types.is_date, "DATE"),
)


def to_arrow(frame: Any) -> pa.Table:
    """Return a pandas, polars or astropy table, an Arrow table, or a mapping of names to columns, as an Arrow table.

    An index that has a name becomes a column. Times with a zone become UTC.

    Raises
    ------
    ColumnUnusable
        If a column holds values of several kinds, or of one that the database has not.
    """
    import pandas as pd

    if isinstance(frame, pa.Table):
        table = frame
    elif hasattr(frame, "to_arrow"):  # polars
        table = frame.to_arrow()
    elif isinstance(frame, Mapping):  # not by way of pandas: integers beside None would become floats
        table = _from_columns(frame.items())
    else:
        table = _from_pandas(frame.to_pandas() if hasattr(frame, "to_pandas") else pd.DataFrame(frame))
    for name in table.column_names:
        check_name("column", name)
    folded = [name.casefold() for name in table.column_names]
    for name in table.column_names:
        if folded.count(name.casefold()) > 1:
            raise ScratchNameUnusable("column", name)
    if not table.column_names:
        raise ColumnUnusable("", "no columns", "Give a table with at least one.")
    return pa.table({name: _plain(name, table.column(name)) for name in table.column_names})


def definitions(table: pa.Table) -> str:
    """Return the columns as CREATE TABLE wants them; texts are as long as the longest."""
    return ", ".join(f"`{name}` {_type(table.column(name))}" for name in table.column_names)


def rows(table: pa.Table) -> Iterator[list[tuple[Any, ...]]]:
    """Yield the rows, some thousand at a time."""
    for start in range(0, table.num_rows, ROWS):
        part = table.slice(start, ROWS)
        yield list(zip(*(column.to_pylist() for column in part.columns), strict=True))


def check_name(what: str, name: object) -> str:
    """Return a name that a table or column can have.

    Raises
    ------
    ScratchNameUnusable
        If it can not.
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ScratchNameUnusable(what, name)
    return name


def _from_pandas(frame: Any) -> pa.Table:
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    return _from_columns((name, frame.iloc[:, position]) for position, name in enumerate(frame.columns))


def _from_columns(named: Iterable[tuple[Any, Any]]) -> pa.Table:
    columns: dict[str, Any] = {}
    for name, values in named:
        if check_name("column", name) in columns:
            raise ScratchNameUnusable("column", name)
        try:
            columns[name] = pa.array(values, from_pandas=True)
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            found = str(error).splitlines()[0]
            raise ColumnUnusable(name, f"values of no single kind ({found})", "Convert it, as with astype.") from error
    if len({len(column) for column in columns.values()}) > 1:
        lengths = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ColumnUnusable(next(iter(columns)), f"another length than others ({lengths})", "Make them equally long.")
    return pa.table(columns)


def _plain(name: str, column: Any) -> Any:
    """Return a column in one of the types that `TYPES` and texts are; NaN becomes NULL."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return column.cast(pa.float64())
    if pa.types.is_floating(column.type):
        column = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
        if pc.any(pc.is_inf(column)).as_py():
            raise ColumnUnusable(name, "infinite values", "MariaDB knows none: replace them, as with None.")
        return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    if pa.types.is_timestamp(column.type):
        return column.cast(pa.timestamp("us", tz=column.type.tz), safe=False).cast(pa.timestamp("us"))
    if _is_text(column.type) or any(fits(column.type) for fits, _ in TYPES):
        return column
    hint = "Numbers, truth values, texts, dates and times can; convert it, as with astype."
    raise ColumnUnusable(name, f"values of type {column.type}", hint)


def _type(column: Any) -> str:
    if _is_text(column.type):
        longest = pc.max(pc.utf8_length(column)).as_py() or 1
        return f"VARCHAR({longest})" if longest <= LONGEST_VARCHAR else "LONGTEXT"
    return next(declared for fits, declared in TYPES if fits(column.type))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
