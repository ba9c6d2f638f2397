"""Removing and replacing, killed at any moment: run again, and the archive equals one that was never disturbed."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from archives import empty_tables, everything, load

from alertdb.thumbnails import open_store
from ingest.remove import remove_tarball
from ingest.simulation.nights import simulate_nights
from ingest.surveys.ztf import Ztf
from ingest.verification import check_archive

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config

SEED = int(os.environ.get("ALERTDB_TEST_SEED", "0")) or random.randrange(2**31)  # shown when a test fails
PROGRAM = [sys.executable, "-m", "alertdb.cli.main"]
KILLS = 5


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return simulate_nights([20240201, 20240202], 300, tmp_path_factory.mktemp("nights"), seed=11)


@pytest.fixture(scope="module")
def reissued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another content under the name of the second night: that of another sky."""
    folder = tmp_path_factory.mktemp("reissued")
    return simulate_nights([20240202], 300, folder, seed=12)[0]


def state(config: Config) -> dict[str, Any]:
    store = open_store(config.thumbnails, readonly=False)
    assert list(store.verify()) == []
    return {**everything(config), "thumbnails": [(s.rights, s.tarball, s.documents) for s in store.tarballs()]}


def undisturbed(config: Config, *tarballs: Path) -> dict[str, Any]:
    empty_tables(config)
    shutil.rmtree(config.thumbnails.removeprefix("file://"), ignore_errors=True)
    load(config, *tarballs)
    return state(config)


def start(config: Config, *arguments: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "ALERTDB_HOME": str(config.home), "ALERTDB_THUMBNAILS_URL": config.thumbnails}
    return subprocess.Popen(
        [*PROGRAM, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )


def kill_and_finish(config: Config, whole: list[dict[str, Any]], *arguments: str) -> int:
    """Kill the command at random moments, then let it end; in between the tables are those of one of `whole`."""
    dice = random.Random(SEED)
    survived = 0
    for _ in range(KILLS):
        process = start(config, *arguments)
        time.sleep(dice.uniform(0.5, 2.5))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        tables = everything(config)
        assert any(all(tables[name] == one[name] for name in tables) for one in whole)
        survived += tables["tarballs"] == whole[0]["tarballs"]
    process = start(config, *arguments)
    output, _ = process.communicate(timeout=300)
    assert "Traceback" not in output
    if process.returncode != 0:
        assert "No tarball" in output  # an earlier one had done everything
    return survived


def test_a_killed_removal(archive: Config, nights: list[Path]) -> None:
    after = undisturbed(archive, nights[0])
    before = undisturbed(archive, *nights)
    kill_and_finish(archive, [before, after], "remove", nights[1].name, "--from", str(nights[0]))
    assert state(archive) == after


def test_a_killed_replacement(archive: Config, nights: list[Path], reissued: Path) -> None:
    after = undisturbed(archive, nights[0], reissued)
    before = undisturbed(archive, *nights)
    kill_and_finish(archive, [before, after], "ingest", str(reissued), "--replace", "--from", str(nights[0]))
    assert state(archive) == after


@pytest.fixture(scope="module")
def twin(nights: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The alerts of the second night in a file of another name and content."""
    path = tmp_path_factory.mktemp("twin") / "twin.tar.gz"
    shutil.copy(nights[1], path)
    with path.open("ab") as file:
        file.write(b"\0" * 512)
    return path


def test_a_load_and_a_removal_side_by_side(archive: Config, nights: list[Path], twin: Path) -> None:
    expected = undisturbed(archive, nights[0], twin)
    undisturbed(archive, *nights)
    with ThreadPoolExecutor(2) as pool:
        removal = pool.submit(remove_tarball, nights[1].name, archive, Ztf(), [nights[0].parent, twin])
        loading = pool.submit(load, archive, twin)
        removal.result()
        loading.result()
    assert list(check_archive(archive, Ztf())) == []
    assert state(archive) == expected


def test_a_removal_of_alerts_that_a_load_found_known(archive: Config, nights: list[Path], twin: Path) -> None:
    expected = undisturbed(archive, nights[0], twin)
    undisturbed(archive, *nights)

    def remove_meanwhile(*_: int) -> None:
        time.sleep(1)  # until the batch was looked up
        remove_tarball(nights[1].name, archive, Ztf(), [nights[0].parent])

    load(archive, twin, progress=remove_meanwhile)
    assert list(check_archive(archive, Ztf())) == []
    assert state(archive) == expected
