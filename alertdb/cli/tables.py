"""Tables for people: as wide as the terminal, and what is left out is said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa
    from rich.console import Console

__all__ = ["print_record", "print_table"]

ROWS_SHOWN = 50
TEXT_SHOWN = 60  # letters of one cell
GAP = 3  # two blanks and the box's own


@dataclass(frozen=True)
class Column:
    """A column as text."""

    name: str
    cells: Sequence[str]
    is_number: bool

    @property
    def width(self) -> int:
        """Letters that it takes."""
        return max(len(self.name), *(len(cell) for cell in self.cells), 1) + GAP


def print_table(table: pa.Table, console: Console) -> None:
    """Print a table: in a terminal the rows and columns that fit, else all of them at full width."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    is_terminal = console.is_terminal
    shown = table.slice(0, ROWS_SHOWN) if is_terminal else table
    columns = _columns(shown, TEXT_SHOWN if is_terminal else None)
    fitting = _fitting(columns, console.width) if is_terminal else columns
    grid = Table(box=box.SIMPLE_HEAD, padding=(0, GAP - 1, 0, 0), pad_edge=False, show_edge=False)
    for column in fitting:
        grid.add_column(column.name, justify="right" if column.is_number else "left", no_wrap=True)
    for row in zip(*(column.cells for column in fitting), strict=True):
        grid.add_row(*(escape(cell) for cell in row))
    console.width = max(console.width, sum(column.width for column in fitting) + GAP)
    console.print(grid)
    console.print(_remark(table, shown.num_rows, len(fitting)), style="dim")


def print_record(table: pa.Table, console: Console) -> None:
    """Print a table's first row with one line per column."""
    columns = _columns(table.slice(0, 1))
    width = max(len(column.name) for column in columns)
    for column in columns:
        console.print(f"{column.name:{width}}  {column.cells[0]}", markup=False, soft_wrap=True)


def _remark(table: pa.Table, rows: int, columns: int) -> str:
    parts = [f"{table.num_rows:,} row{'' if table.num_rows == 1 else 's'}"]
    if rows < table.num_rows:
        parts.append(f"the first {rows} are shown")
    if columns < table.num_columns:
        parts.append(f"{columns} of {table.num_columns} columns are shown")
    if len(parts) > 1:
        parts.append("--format csv, json or parquet writes all")
    return "; ".join(parts)


def _fitting(columns: Sequence[Column], width: int) -> Sequence[Column]:
    used = 0
    for count, column in enumerate(columns):
        used += column.width
        if used > width and count > 0:
            return columns[:count]
    return columns


def _columns(table: pa.Table, longest: int | None = None) -> list[Column]:
    """Return the columns as text; a cell of more letters than `longest` ends in "…"."""
    import pyarrow as pa

    numbers = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal)
    return [
        Column(field.name, _cells(table.column(index), longest), any(is_kind(field.type) for is_kind in numbers))
        for index, field in enumerate(table.schema)
    ]


def _cells(column: pa.ChunkedArray[Any], longest: int | None) -> list[str]:
    import numpy as np
    import pyarrow as pa

    if column.type == pa.float32():
        return ["" if value is None else str(np.float32(value)) for value in column.to_pylist()]
    cells = [_cell(value) for value in column.to_pylist()]
    return [cell if longest is None or len(cell) <= longest else f"{cell[: longest - 1]}…" for cell in cells]


def _cell(value: object) -> str:
    """Return a value as people read it: seven decimals are 10 ms of a Julian date and 0.4 mas of an angle."""
    if value is None:
        return ""
    if isinstance(value, float) and 1e-4 <= abs(value) < 1e10:
        return f"{value:.7f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split())
