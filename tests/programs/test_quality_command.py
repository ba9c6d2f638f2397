"""`alertdb qa` as users call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from archives import load

from alertdb.archive import Archive
from alertdb.qa import NAMES
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.config import Config


@pytest.mark.parametrize("public", [False, True])
def test_pictures_numbers_and_report(
    archive: Config, run: Callable[..., tuple[int, str]], tmp_path: Path, public: bool
) -> None:
    load(archive, *simulate_nights([20240105], 20, tmp_path, seed=2, programs=("public", "partnership")))
    output = tmp_path / "new" / "qa"
    code, said = run("qa", "--output", output, *(["--public"] if public else []))
    assert code == 0
    assert "9 pictures in" in said
    assert {path.name for path in output.iterdir()} == {
        f"{name}.{kind}" for name in NAMES for kind in ("png", "csv")
    } | {"report.html"}
    assert pd.read_csv(output / "nights.csv")["alerts"].sum() == (20 if public else 40)
    page = (output / "report.html").read_text()
    assert page.count('<img src="data:image/png;base64,iVBOR') == len(NAMES)
    assert ("Archive ztf_public in" in page) == public


def test_an_empty_archive_has_pictures_that_say_so(
    archive: Config, run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    code, _ = run("qa", "-o", tmp_path / "qa")
    assert code == 0
    assert len(list((tmp_path / "qa").glob("*.png"))) == len(NAMES)
    assert "no alerts yet" in (tmp_path / "qa" / "report.html").read_text()
    for database in ("ztf", "ztf_public"):
        with Archive(archive, database) as opened:
            for found in opened.qa.all():
                (axes,) = found.figure.axes
                assert axes.texts[0].get_text().startswith("No ")
                assert found.table.empty
                assert len(found.table.columns) >= 3


def test_without_a_folder_it_says_what_is_missing(run: Callable[..., tuple[int, str]]) -> None:
    code, said = run("qa")
    assert code == 2
    assert "--output" in said


def test_a_file_is_no_folder_for_pictures(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("mine")
    for output in (tmp_path / "report.html", tmp_path / "report.html" / "qa"):
        code, said = run("qa", "--output", output)
        assert code == 2
        assert f"{tmp_path / 'report.html'} is a file; --output expects a folder" in said
        assert said.count("\n") == 1
    assert (tmp_path / "report.html").read_text() == "mine"
