from __future__ import annotations

from typing import TYPE_CHECKING

import typer
from typer.testing import CliRunner

from alertdb.errors import BadNightError
from ingest.simulation.command import simulate

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = typer.Typer()
PROGRAM.command()(simulate)


def run(*arguments: str) -> tuple[int, str, BaseException | None]:
    result = CliRunner().invoke(PROGRAM, list(arguments))
    return result.exit_code, result.output, result.exception


def test_it_writes_nights_in_a_row_of_both_kinds(tmp_path: Path) -> None:
    code, text, _ = run(
        *(
            "--night",
            "20210831",
            "--nights",
            "2",
            "--alerts",
            "6",
            "--output",
            str(tmp_path / "new"),
            "--partnership",
        )
    )
    assert code == 0
    names = {f"ztf_{kind}_{night}" for kind in ("public", "partnership") for night in (20210831, 20210901)}
    expected = {f"{name}.{end}" for name in names for end in ("tar.gz", "truth.parquet")}
    assert {path.name for path in (tmp_path / "new").iterdir()} == expected
    assert "24 alerts in 4 tarballs" in text


def test_nights_given_one_by_one_are_written_once(tmp_path: Path) -> None:
    code, text, _ = run(*("--night", "20210901", "--night", "20210901", "--alerts", "3", "--output", str(tmp_path)))
    assert code == 0
    assert "3 alerts in 1 tarballs" in text


def test_wrong_usage(tmp_path: Path) -> None:
    assert run("--alerts", "3", "--output", str(tmp_path))[0] == 2
    assert run("--night", "20210901", "--alerts", "0", "--output", str(tmp_path))[0] == 2
    error = run("--night", "20210931", "--alerts", "3", "--output", str(tmp_path))[2]
    assert isinstance(error, BadNightError)


def test_help_has_examples() -> None:
    assert "alertdb simulate --night 20210901" in run("--help")[1]
