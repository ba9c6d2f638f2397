"""What the commands share: consoles, messages on standard error, and tables in the formats that users ask for."""

from __future__ import annotations

import json
import operator
import sys
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa
    from rich.console import Console

__all__ = ["Format", "FormatOption", "OutputOption", "console", "counted", "message", "size", "write_table"]

BATCH_ROWS = 10_000


class Format(StrEnum):
    """How a table is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"


FormatOption = Annotated[
    Format | None,
    typer.Option(
        "--format", "-f", help="How to write it. [dim](default: table, or what the suffix of --output says)[/dim]"
    ),
]
OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", help="File to write instead of the terminal.", metavar="FILE")
]


def message(line: str) -> None:
    """Print one line on standard error, which a pipe does not take."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural but for one: ``1 alert``, ``2,000 alerts``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def size(count: int | None) -> str:
    """Return a number of bytes as people read it, in decimal units."""
    if count is None:
        return "-"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if value < 1000 or unit == "TB":
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"


def console(*, errors: bool = False) -> Console:
    """Return a console of rich for standard output or, for progress and remarks, standard error."""
    from rich.console import Console

    return Console(stderr=errors, highlight=False)


def write_table(table: pa.Table, form: Format | None = None, output: Path | None = None) -> None:
    """Write a table to a file or to standard output.

    Parameters
    ----------
    table
        Rows to write; FLOAT columns as float32.
    form
        Format; where None, that of the file's suffix, else a table for people.
    output
        File to write; None for standard output.
    """
    chosen = form or _format_of(output)
    if chosen is Format.TABLE:
        _write_for_people(table, output)
    elif output is None:
        _WRITERS[chosen](table, sys.stdout.buffer)
    else:
        with output.open("wb") as file:
            _WRITERS[chosen](table, file)
    if output is None:
        return
    message(f"{table.num_rows:,} rows written to {output}")


def _format_of(output: Path | None) -> Format:
    suffix = output.suffix.removeprefix(".").lower() if output else ""
    return Format(suffix) if suffix in list(Format) else Format.TABLE


def _write_for_people(table: pa.Table, output: Path | None) -> None:
    from rich.console import Console

    from alertdb.cli.tables import print_table

    if output is None:
        print_table(table, console())
        return
    with output.open("w", encoding="utf-8") as file:
        print_table(table, Console(file=file, highlight=False))


def _write_csv(table: pa.Table, file: IO[bytes]) -> None:
    """Write CSV with a header; NULL is empty, an empty text is quoted."""
    from csv import writer
    from io import StringIO

    from pyarrow import csv

    header = StringIO()
    writer(header, lineterminator="\n").writerow(table.column_names)  # Arrow would quote each name
    file.write(header.getvalue().encode())
    csv.write_csv(_plain(table), file, csv.WriteOptions(include_header=False))


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    from pyarrow import parquet

    parquet.write_table(table, file)


def _write_json(table: pa.Table, file: IO[bytes]) -> None:
    """Write a list of records, one a line; numbers are exact, NULL is null."""
    names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in table.column_names]
    separator = "["
    for batch in _plain(table).to_batches(max_chunksize=BATCH_ROWS):
        columns = [_json_cells(column.to_pylist()) for column in batch.columns]
        for cells in zip(*columns, strict=True):
            file.write(f"{separator}{{{', '.join(map(operator.add, names, cells))}}}".encode())
            separator = ",\n "
    file.write(b"[]\n" if separator == "[" else b"]\n")


def _json_cells(values: list[Any]) -> list[str]:
    """Return values as JSON: sums too long for 64 bits are numbers still, times are texts."""
    encode = json.JSONEncoder(ensure_ascii=False, default=str).encode
    return [str(value) if isinstance(value, Decimal) else encode(value) for value in values]


def _plain(table: pa.Table) -> pa.Table:
    """Make columns fit for text: float32 as the same float64, so that all digits show; bytes in hexadecimal; times."""
    columns = [_plain_column(column) for column in table.columns]
    return type(table).from_arrays(columns, names=table.column_names)


def _plain_column(column: Any) -> Any:
    import pyarrow as pa

    if column.type == pa.float32():
        return column.cast(pa.float64())
    if column.type == pa.binary():
        return pa.array([None if cell is None else cell.hex() for cell in column.to_pylist()], pa.string())
    if pa.types.is_duration(column.type):
        return pa.array([None if cell is None else str(cell) for cell in column.to_pylist()], pa.string())
    return column


_WRITERS: dict[Format, Callable[[pa.Table, IO[bytes]], None]] = {
    Format.CSV: _write_csv,
    Format.JSON: _write_json,
    Format.PARQUET: _write_parquet,
}
