"""JupyterLab for one person, as `alertdb lab` opens it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from example_notebook import TITLE, write_example
from hub import SECONDS, free_port, wait_for
from pages import brightest, keep, run_all_cells

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from alertdb.config import Config


@pytest.fixture(scope="module")
def lab(filled: Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address with token of a JupyterLab whose folder holds an example."""
    folder = tmp_path_factory.mktemp("notebooks")
    write_example(folder)
    command = [str(Path(sys.prefix, "bin", "alertdb")), "lab", "--no-browser", "--port", str(free_port())]
    environment = {**os.environ, "ALERTDB_HOME": str(filled.home), "ALERTDB_THUMBNAILS_URL": filled.thumbnails}
    log = tmp_path_factory.mktemp("lab") / "lab.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*command, "--folder", str(folder)], env=environment, stdout=file, stderr=file, cwd=folder
        )
    try:
        yield wait_for(lambda: re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text()), "an address")[0]
    finally:
        process.terminate()
        process.wait(SECONDS)


def test_one_person_runs_an_example_beside_the_archive(page: Page, lab: str, filled: Config) -> None:
    page.goto(lab.replace("/lab?", "/lab/tree/01_brightest.ipynb?"))
    page.get_by_role("heading", name=TITLE).wait_for()
    run_all_cells(page)
    page.locator(".jp-OutputArea-output img").first.wait_for()
    table = page.locator(".jp-OutputArea-output table").nth(1)
    assert brightest(filled) in table.locator("tbody tr").first.inner_text()
    keep(page, "lab")


def test_without_the_token_nobody_gets_in(lab: str) -> None:
    with (
        pytest.raises(urllib.error.HTTPError, match="403"),
        urllib.request.urlopen(f"{lab.split('/lab')[0]}/api/contents"),
    ):
        pass


def test_without_an_archive_one_line_says_so(tmp_path: Path) -> None:
    program = Path(sys.prefix, "bin", "alertdb")
    done = subprocess.run(
        [program, "--home", tmp_path, "lab"],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"Error: There is no archive in {tmp_path}. ")
    assert list(tmp_path.iterdir()) == []
