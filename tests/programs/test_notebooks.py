"""The notebooks, run as a reader runs them: on a simulated archive whose truth is known, some on real packets."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pyarrow.dataset as ds
import pytest
from archives import empty_tables, load
from nbclient import NotebookClient

from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from alertdb.config import Config

read_notebook: Any = nbformat.read  # nbformat has no types
code_cell: Any = nbformat.v4.new_code_cell

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
NIGHTS, ALERTS = 45, 40
SECONDS = 120
# The measured magnitudes of the asteroid are better than this; the period must be found all the same.
NOISE = 'points["magpsf"] += np.random.default_rng(5).normal(0, 0.05, len(points))'


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights")
    days = [date(2024, 1, 1) + timedelta(days=number) for number in range(NIGHTS)]
    simulate_nights([int(f"{day:%Y%m%d}") for day in days], ALERTS, folder, seed=1)
    return folder


@pytest.fixture(scope="module")
def truth(nights: Path) -> pd.DataFrame:
    return ds.dataset(sorted(nights.glob("*.parquet"))).to_table().to_pandas()


def loaded(config: Config, thumbnails: Path, *sources: Path) -> Config:
    empty_tables(config)
    config = replace(config, thumbnails_url=thumbnails.as_uri())
    load(config, *sources)
    return config


@pytest.fixture(scope="module")
def simulated(server_config: Config, nights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A simulated archive, which `alertdb.connect()` finds."""
    config = loaded(server_config, tmp_path_factory.mktemp("thumbnails"), nights)
    with pytest.MonkeyPatch.context() as patch:
        name_archive(patch, config, tmp_path_factory.mktemp("jupyter"))
        yield


@pytest.fixture(scope="module")
def real(server_config: Config, real_tarballs: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """An archive of the real packets, which `alertdb.connect()` finds."""
    config = loaded(server_config, tmp_path_factory.mktemp("thumbnails"), *real_tarballs)
    with pytest.MonkeyPatch.context() as patch:
        name_archive(patch, config, tmp_path_factory.mktemp("jupyter"))
        yield


def name_archive(patch: pytest.MonkeyPatch, config: Config, folder: Path) -> None:
    patch.setenv("ALERTDB_HOME", str(config.home))
    patch.setenv("ALERTDB_THUMBNAILS_URL", config.thumbnails)
    for name in ("JUPYTER_RUNTIME_DIR", "JUPYTER_CONFIG_DIR", "IPYTHONDIR"):
        patch.setenv(name, str(folder))  # nothing of the user's own, nothing left behind


def run(name: str, folder: Path, after: dict[str, str] | None = None) -> Any:
    """Run a notebook in an empty folder; `after` puts a cell behind the one in which a text stands."""
    notebook = read_notebook(FOLDER / f"{name}.ipynb", as_version=4)
    for text, code in (after or {}).items():
        (place,) = [number for number, cell in enumerate(notebook.cells) if text in cell.source]
        notebook.cells.insert(place + 1, code_cell(code))
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(folder)}}).execute()
    complaints = [out for out in outputs(notebook) if out.output_type == "stream" and out.name == "stderr"]
    assert complaints == []
    assert list(folder.iterdir()) == []
    return notebook


def outputs(notebook: Any) -> list[Any]:
    return [out for cell in notebook.cells if cell.cell_type == "code" for out in cell.outputs]


def printed(notebook: Any) -> str:
    return "".join(out.text for out in outputs(notebook) if out.output_type == "stream")


def pictures(notebook: Any) -> int:
    """How many pictures a reader sees."""
    shown = [out.get("data", {}) for out in outputs(notebook)]
    return sum("image/png" in data or "image/gif" in data or "<img" in data.get("text/html", "") for data in shown)


PICTURES = {
    "01_first_steps": 2,
    "02_quality": 9,
    "03_thumbnails": 5,
    "04_asteroids": 3,
    "05_supernova": 3,
    "06_your_own_table": 1,
    "07_raw_packet": 2,
    "08_raw_drivers": 0,
}


@pytest.mark.usefixtures("simulated")
@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("04_asteroids", "05_supernova")])
def test_notebook_runs(name: str, tmp_path: Path) -> None:
    assert pictures(run(name, tmp_path)) >= PICTURES[name]


@pytest.mark.usefixtures("simulated")
def test_the_asteroid_rotates_as_the_simulator_made_it(tmp_path: Path, truth: pd.DataFrame) -> None:
    notebook = run("04_asteroids", tmp_path, after={"NAME =": NOISE})
    period_hours = truth[truth["ssnamenr"] == "138847"]["period_days"].iloc[0] * 24
    assert period_hours == pytest.approx(7.6)
    found = re.findall(r"rotation(?: of|:) ([\d.]+) h", printed(notebook))
    assert [float(hours) for hours in found] == pytest.approx([7.6, 7.6], rel=1e-3)
    assert pictures(notebook) >= PICTURES["04_asteroids"]


@pytest.mark.usefixtures("simulated")
def test_the_candidate_is_a_supernova(tmp_path: Path, truth: pd.DataFrame) -> None:
    notebook = run("05_supernova", tmp_path, after={"name = shapes": "print(name)"})
    assert set(truth[truth["objectId"] == printed(notebook).strip()]["class"]) == {"supernova"}
    assert pictures(notebook) >= PICTURES["05_supernova"]


@pytest.mark.usefixtures("real")
def test_the_candidate_among_the_real_packets_is_the_supernova(tmp_path: Path) -> None:
    notebook = run("05_supernova", tmp_path, after={"name = shapes": "print(name)"})
    assert printed(notebook).strip() == "ZTF21abiuvdk"  # SN 2021rhu
    assert pictures(notebook) >= PICTURES["05_supernova"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    notebook = read_notebook(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
        assert not cell.metadata
    assert notebook.cells[0].source.startswith("# ")
    assert notebook.metadata["kernelspec"]["name"] == "python3"


def test_notebooks_are_numbered_and_listed() -> None:
    assert [name[:2] for name in NAMES] == [f"{number:02d}" for number in range(1, len(NAMES) + 1)]
    assert set(NAMES) == set(PICTURES)
    listed = re.findall(r"\((\w+)\.ipynb\)", (FOLDER / "README.md").read_text())
    assert listed == NAMES


def test_no_notebook_names_a_password_or_a_place_of_ours() -> None:
    for path in NOTEBOOKS:
        text = path.read_text()
        assert str(Path.home()) not in text or os.sep == str(Path.home())
        assert "IDENTIFIED BY" not in text
        assert not re.search(r"password['\"]?\s*[:=]\s*['\"]\w", text)
