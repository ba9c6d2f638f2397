"""What the commands share: consoles, messages on standard error, and tables in the formats that users ask for."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pyarrow as pa
    from rich.console import Console

__all__ = ["Format", "FormatOption", "OutputOption", "console", "message", "size", "write_table"]


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
    csv.write_csv(_widened(table), file, csv.WriteOptions(include_header=False))


def _write_parquet(table: pa.Table, file: IO[bytes]) -> None:
    from pyarrow import parquet

    parquet.write_table(table, file)


def _write_json(table: pa.Table, file: IO[bytes]) -> None:
    """Write a list of records, one a line; numbers are exact, NULL is null."""
    separator = "["
    for record in _records(_widened(table)):
        file.write(f"{separator}{json.dumps(record, ensure_ascii=False)}".encode())
        separator = ",\n "
    file.write(b"[]\n" if separator == "[" else b"]\n")


def _records(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=10_000):
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            yield {name: _plain(value) for name, value in zip(table.column_names, row, strict=True)}


def _plain(value: object) -> object:
    """Return a value that JSON knows."""
    from decimal import Decimal

    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, bytes):
        return value.hex()
    return value if value is None or isinstance(value, int | float | str) else str(value)


def _widened(table: pa.Table) -> pa.Table:
    """Turn float32 into float64: the same numbers, so that text shows all their digits."""
    import pyarrow as pa

    kinds = [pa.float64() if field.type == pa.float32() else field.type for field in table.schema]
    fields = [pa.field(name, kind) for name, kind in zip(table.column_names, kinds, strict=True)]
    return table.cast(pa.schema(fields))


_WRITERS: dict[Format, Callable[[pa.Table, IO[bytes]], None]] = {
    Format.CSV: _write_csv,
    Format.JSON: _write_json,
    Format.PARQUET: _write_parquet,
}
