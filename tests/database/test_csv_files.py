"""The CSV files of a tarball against the tables of an archive into which that tarball alone was loaded."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest
from archives import load
from plain import KEYS, stored_table

from alertdb.database import Account, connect
from alertdb.dictionary import declared_tables, read_tables
from alertdb.errors import DamagedTarball
from ingest.csv_files import _write_rows, write_csv_files
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.tarballs import find_sources

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config

READ: dict[str, Any] = {"int": int, "bigint": int, "double": float, "float": lambda text: float(np.float32(text))}
TABLES = {**{table: key for table, key in KEYS.items() if table != "summary"}, "rejects": ("tarball", "position")}


def write(tarball: Path, folder: Path, *, allow_damaged: bool = False) -> None:
    write_csv_files(find_sources([tarball])[0], Ztf(), folder, allow_damaged=allow_damaged)


def rows_of(folder: Path, table: str) -> list[dict[str, Any]]:
    """Read a file with Python's csv module, types as the sidecar names them."""
    described = json.loads((folder / "columns.json").read_text())["files"][f"{table}.csv"]
    kinds = {column["name"]: READ.get(column["type"], str) for column in described["columns"]}
    with (folder / f"{table}.csv").open(newline="", encoding="utf-8") as file:
        rows = [{k: kinds[k](v) if v else None for k, v in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == described["rows"]
    return rows


def check(archive: Config, tarball: Path, folder: Path) -> dict[str, int]:
    load(archive, tarball)
    write(tarball, folder)
    counts = {}
    for table, key in TABLES.items():
        rows = rows_of(folder, table)
        keys = [tuple(row[name] for name in key) if len(key) > 1 else row[key[0]] for row in rows]
        assert keys == sorted(set(keys))
        assert dict(zip(keys, rows, strict=True)) == stored_table(archive, table, key)
        counts[table] = len(rows)
    return counts


@pytest.mark.parametrize("night", ["20180601", "20180819", "20210831", "20231012"])
def test_files_hold_what_the_tables_hold(archive: Config, real_data: Path, tmp_path: Path, night: str) -> None:
    counts = check(archive, real_data / "ztf" / f"ztf_public_{night}.tar.gz", tmp_path / "csv")
    assert counts["alerts"] >= 12
    assert counts["rejects"] == (2 if night == "20180601" else 0)
    assert (counts["alerts_forced"] > 0) == (night == "20231012")


def test_objects_that_alert_again_in_the_night(
    archive: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with rows that wait on disk, as those of a large tarball do."""
    monkeypatch.setattr("ingest.spool.SPILL_BYTES", 20_000)
    monkeypatch.setattr("ingest.contents.BYTES_PER_RANGE", 2_000_000)
    (tarball,) = simulate_nights([20240103], 150, tmp_path, seed=5, schema="4.02")
    counts = check(archive, tarball, tmp_path / "csv")
    assert counts["alerts"] == 150
    assert min(counts["alerts_limmag"], counts["alerts_prv"], counts["alerts_forced"]) > 150
    assert sorted(path.name for path in (tmp_path / "csv").iterdir()) == sorted(
        [*(f"{table}.csv" for table in TABLES), "columns.json"]
    )


def test_no_server_is_needed(real_tarballs: list[Path], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alertdb.cli.main", "csv", str(real_tarballs[0]), "--output", str(tmp_path / "a")]
    ended = subprocess.run(command, env={"ALERTDB_HOME": str(tmp_path / "none")}, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert "alerts.csv 13, " in ended.stdout
    assert ", 2 rejects, " in ended.stdout
    assert "rejects.csv" in ended.stderr
    assert not (tmp_path / "none").exists()


def test_a_damaged_tarball_leaves_no_files(real_tarballs: list[Path], tmp_path: Path) -> None:
    cut = tmp_path / "cut.tar.gz"
    content = real_tarballs[1].read_bytes()
    cut.write_bytes(content[: len(content) // 2])
    with pytest.raises(DamagedTarball):
        write(cut, tmp_path / "csv")
    assert list((tmp_path / "csv").iterdir()) == []
    write(cut, tmp_path / "csv", allow_damaged=True)
    assert 0 < len(rows_of(tmp_path / "csv", "alerts")) < 30
    assert "cut" in json.loads((tmp_path / "csv" / "columns.json").read_text())["tarball"]


def test_a_folder_that_takes_no_files_is_named(real_tarballs: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "alertdb.cli.main", "csv", str(real_tarballs[0]), "-o", str(tmp_path / "file/a")]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr.count("\n")) == (1, 1)
    assert str(tmp_path / "file/a") in ended.stderr


def test_texts_are_quoted_where_needed_and_floats_are_short() -> None:
    texts = [
        "plain",
        "a,b",
        'say "x"',
        "two\nlines",
        "carriage\rreturn",
        "tab\t",
        "back\\slash",
        "ünïcode",
        "nul\0",
        None,
    ]
    floats = pl.Series([0.1, 1e-12, 16777216, 3.4028235e38, -999.5, 1e-45, 17.3, 0.0, 5, None], dtype=pl.Float32)
    file = io.BytesIO()
    _write_rows(pl.DataFrame({"text": texts, "value": floats}), file)
    rows = list(csv.reader(io.StringIO(file.getvalue().decode(), newline="")))
    assert [row[0] or None for row in rows] == texts
    assert [np.float32(row[1]) if row[1] else None for row in rows] == floats.to_list()
    assert rows[0][1] == "0.1"


def test_the_files_under_sql_declare_what_the_server_has(server_config: Config) -> None:
    with connect(server_config, Account.READER) as connection:
        tables = {table.name: table for table in read_tables(connection, "ztf")}
    for name, table in declared_tables().items():
        served = [column for column in tables[name].columns if column.name != "row_hash"]  # SELECT * leaves it out
        assert [(c.name, c.comment) for c in table.columns] == [(c.name, c.comment) for c in served]
        assert [c.type.replace(", ", ",") for c in table.columns] == [c.type for c in served]
        assert table.comment == tables[name].comment
    assert {*TABLES, "tarballs", "table_checksums"} == set(declared_tables())
