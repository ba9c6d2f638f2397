from __future__ import annotations

import csv
import json
from decimal import Decimal
from io import BytesIO, StringIO
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from rich.console import Console

from alertdb.cli.output import Format, write_table
from alertdb.cli.tables import print_table

if TYPE_CHECKING:
    from pathlib import Path

FLOAT32 = 17.798429489135742  # a float32, as the double that equals it

TABLE = pa.table(
    {
        "candid": pa.array([1642404680815015001, None], pa.int64()),
        "magpsf": pa.array([FLOAT32, None], pa.float32()),
        "name": ['a,"b"', ""],
        "total": pa.array([10**30, None], pa.decimal128(38)),
        "time": pa.array([0, None], pa.timestamp("us")),
    }
)


def written(table: pa.Table, form: Format, tmp_path: Path) -> bytes:
    write_table(table, form, tmp_path / "file")
    return (tmp_path / "file").read_bytes()


def test_json_is_a_list_of_records_with_exact_numbers(tmp_path: Path) -> None:
    records = json.loads(written(TABLE, Format.JSON, tmp_path))
    first = {"candid": 1642404680815015001, "magpsf": FLOAT32, "name": 'a,"b"', "total": 10**30}
    assert records[0] == {**first, "time": "1970-01-01 00:00:00"}
    assert isinstance(records[0]["total"], int)
    assert records[1] == {"candid": None, "magpsf": None, "name": "", "total": None, "time": None}


def test_json_of_no_rows(tmp_path: Path) -> None:
    assert json.loads(written(TABLE.slice(0, 0), Format.JSON, tmp_path)) == []


def test_csv_is_exact_and_tells_null_from_empty(tmp_path: Path) -> None:
    text = written(TABLE, Format.CSV, tmp_path).decode()
    rows = list(csv.reader(StringIO(text)))
    assert rows[0] == TABLE.column_names
    assert rows[1][:3] == ["1642404680815015001", str(FLOAT32), 'a,"b"']
    assert int(Decimal(rows[1][3])) == 10**30
    assert text.splitlines()[2] == ',,"",,'


ODD = pa.table(
    {
        "bytes": pa.array([b"\xff\x00", None]),
        "duration": pa.array([3_723_000_000, None], pa.duration("us")),
        "huge": pa.array([10**60, None], pa.decimal256(76)),
        "nothing": pa.nulls(2),
    }
)


def test_odd_types_can_be_written_too(tmp_path: Path) -> None:
    text = {"bytes": "ff00", "duration": "1:02:03"}
    assert json.loads(written(ODD, Format.JSON, tmp_path))[0] == {**text, "huge": 10**60, "nothing": None}
    assert written(ODD, Format.CSV, tmp_path).decode().splitlines()[1:] == [f'"ff00","1:02:03",{10**60},', ",,,"]
    assert parquet.read_table(BytesIO(written(ODD, Format.PARQUET, tmp_path)))["huge"].to_pylist()[0] == 10**60
    assert printed(ODD)[2].split() == ["ff00", "1:02:03", str(10**60)]


def test_parquet_keeps_the_types(tmp_path: Path) -> None:
    assert parquet.read_table(BytesIO(written(TABLE, Format.PARQUET, tmp_path))).equals(TABLE)


@pytest.mark.parametrize(("suffix", "start"), [(".csv", b"candid,"), (".json", b"[{"), (".parquet", b"PAR1")])
def test_suffix_decides_unless_told(suffix: str, start: bytes, tmp_path: Path) -> None:
    write_table(TABLE, None, tmp_path / f"x{suffix}")
    assert (tmp_path / f"x{suffix}").read_bytes().startswith(start)
    write_table(TABLE, Format.CSV, tmp_path / "x.json")
    assert (tmp_path / "x.json").read_bytes().startswith(b"candid,")


def printed(table: pa.Table, **options: Any) -> list[str]:
    console = Console(file=StringIO(), highlight=False, **options)
    print_table(table, console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue().splitlines()


WIDE = pa.table({f"column{number}": ["x" * 70] * 60 for number in range(5)})


def test_a_file_gets_the_whole_table() -> None:
    lines = printed(WIDE, width=40)
    assert lines[2].split() == ["x" * 70] * 5
    assert lines[-1] == "60 rows"
    assert len(lines) == 63


def test_a_terminal_gets_what_fits_and_is_told_so() -> None:
    lines = printed(WIDE, width=140, force_terminal=True, color_system=None)
    assert lines[2].split() == ["x" * 59 + "…"] * 2
    assert lines[-1].startswith("60 rows; the first 50 are shown; 2 of 5 columns are shown; --format")


def test_cells_are_shown_as_they_are() -> None:
    table = pa.table({"a": ["[bold]x[/bold]"], "jd": [2459396.9046875], "f": pa.array([FLOAT32], pa.float32())})
    assert printed(table)[2].split() == ["[bold]x[/bold]", "2459396.9046875", "17.7984"]


def test_empty_columns_are_left_out_and_named(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(pa.table({"a": [1, 2], "flux": pa.nulls(2), "b": [None, 3]}))
    told = capsys.readouterr()
    assert told.err == "flux: empty, left out\n"
    assert told.out.split()[:2] == ["a", "b"]


def test_few_wide_rows_become_blocks_on_a_terminal() -> None:
    lines = printed(WIDE.slice(0, 2), width=80, force_terminal=True, color_system=None)
    assert lines[0] == "─── row 1 of 2"
    assert len(lines) == 2 * (1 + 5)
