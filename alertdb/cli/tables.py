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
GAP = "  "
BLOCKS = 5  # rows that are shown one below the other where the table is wider than the terminal


@dataclass(frozen=True)
class Column:
    """A column as text."""

    name: str
    cells: Sequence[str]
    is_number: bool

    @property
    def width(self) -> int:
        """Letters that it takes, with the gap before the next."""
        return max(len(self.name), *(len(cell) for cell in self.cells), 0) + len(GAP)

    def padded(self) -> list[str]:
        """Return the name and the cells, all of one width."""
        width = self.width - len(GAP)
        return [cell.rjust(width) if self.is_number else cell.ljust(width) for cell in (self.name, *self.cells)]


def print_table(table: pa.Table, console: Console) -> None:
    """Print a table: in a terminal the rows and columns that fit, else all of them at full width."""
    is_terminal = console.is_terminal
    shown = table.slice(0, ROWS_SHOWN) if is_terminal else table
    columns = _columns(shown, TEXT_SHOWN if is_terminal else None)
    if is_terminal and table.num_rows <= BLOCKS and len(_fitting(columns, console.width)) < len(columns):
        _print_blocks(columns, table.num_rows, console)
        return
    fitting = _fitting(columns, console.width) if is_terminal else columns
    padded = [column.padded() for column in fitting]
    rule = "─" * sum(column.width for column in fitting)
    lines = (GAP.join(cells).rstrip() for cells in zip(*padded, strict=True))
    for number, line in enumerate(lines):  # not a table of rich: that takes 0.2 ms a row
        console.file.write(f"{line}\n" if number else f"{line}\n{rule}\n")
    console.print(_remark(table, shown.num_rows, len(fitting)), style="dim")


def print_record(table: pa.Table, console: Console) -> None:
    """Print a table's first row with one line per column."""
    columns = _columns(table.slice(0, 1))
    width = max(len(column.name) for column in columns)
    for column in columns:
        console.print(f"{column.name:{width}}  {column.cells[0]}", markup=False, soft_wrap=True)


def _print_blocks(columns: Sequence[Column], rows: int, console: Console) -> None:
    """Print each row as a block with one line per column."""
    width = max(len(column.name) for column in columns)
    for row in range(rows):
        console.print(f"─── row {row + 1} of {rows}", style="dim")
        for column in columns:
            console.print(f"{column.name:{width}}  {column.cells[row]}", markup=False, soft_wrap=True)


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
        Column(
            field.name,
            _cells(table.column(index), longest, _decimals(field.name)),
            any(is_kind(field.type) for is_kind in numbers),
        )
        for index, field in enumerate(table.schema)
    ]


def _decimals(name: str) -> int:
    """Return how many decimals of a DOUBLE are shown."""
    return 3 if name == "distance_arcsec" else 7


def _cells(column: pa.ChunkedArray[Any], longest: int | None, decimals: int) -> list[str]:
    import pyarrow as pa

    if column.type == pa.float32():
        return ["" if value is None else _rounded(value) for value in column.to_pylist()]
    cells = [_cell(value, decimals) for value in column.to_pylist()]
    return [cell if longest is None or len(cell) <= longest else f"{cell[: longest - 1]}…" for cell in cells]


def _rounded(value: float) -> str:
    """Return a FLOAT with four decimals, or six digits where those would not tell it."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if 1e-2 <= abs(value) < 1e5 else f"{value:.6g}"


def _cell(value: object, decimals: int = 7) -> str:
    """Return a value as people read it: seven decimals are 10 ms of a Julian date and 0.4 mas of an angle."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and 1e-4 <= abs(value) < 1e10:
        return f"{value:.{decimals}f}".rstrip("0").rstrip(".")
    return " ".join(str(value).split())
