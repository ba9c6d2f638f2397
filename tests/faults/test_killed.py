"""Loaders and servers that die at any moment: run again, and the archive equals one that was never disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from archives import empty_tables, everything, load

from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from alertdb.thumbnails import open_store
from ingest.simulation.nights import simulate_nights
from ingest.turns import spool_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SEED = int(os.environ.get("ALERTDB_TEST_SEED", "0")) or random.randrange(2**31)  # shown when a test fails
KILLS = 6
PROGRAM = [sys.executable, "-m", "alertdb.cli.main"]


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights")
    simulate_nights([20240201, 20240202], 400, folder, seed=11)
    return folder


@pytest.fixture(scope="module")
def own_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """Settings of an archive with a server that only this module kills."""
    config = Config(home=tmp_path_factory.mktemp("own"), server_options=("innodb_log_file_size=64M",))
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    ensure_schema(config)
    yield config
    server.ensure_stopped()


@pytest.fixture(scope="module")
def undisturbed(nights: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], int]:
    """The tables and the number of thumbnails of an archive that was loaded in one go."""
    config = Config(home=tmp_path_factory.mktemp("undisturbed"), server_options=("innodb_log_file_size=64M",))
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    ensure_schema(config)
    load(config, nights)
    tables = everything(config)
    server.ensure_stopped()
    return tables, thumbnails(config)


def thumbnails(config: Config) -> int:
    store = open_store(config.thumbnails)
    assert list(store.verify()) == []
    return sum(sealed.documents for sealed in store.tarballs())


def start_ingest(config: Config, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*PROGRAM, "ingest", str(folder), "--workers", "2"],
        env={**os.environ, "ALERTDB_HOME": str(config.home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(config: Config, folder: Path) -> str:
    process = start_ingest(config, folder)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def test_a_killed_loader_leaves_nothing_half_done(
    own_archive: Config, nights: Path, undisturbed: tuple[dict[str, Any], int]
) -> None:
    seed = SEED
    dice = random.Random(seed)
    for _ in range(KILLS):
        process = start_ingest(own_archive, nights)
        time.sleep(dice.uniform(0.3, 2.5))
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        for name, row in everything(own_archive)["tarballs"].items():
            assert row == undisturbed[0]["tarballs"][name]  # what is in the ledger is complete
    finish(own_archive, nights)
    assert everything(own_archive) == undisturbed[0]
    assert thumbnails(own_archive) == undisturbed[1]
    assert list(own_archive.spool.iterdir()) == []


def test_what_was_spooled_by_a_load_that_died_after_its_commit_goes(own_archive: Config, nights: Path) -> None:
    finish(own_archive, nights)
    with spool_folder(own_archive.spool, "ztf_public_20240201.tar.gz") as folder:
        left = folder
    left.mkdir()
    (left / "alerts.csv").write_text("1")
    assert "already loaded" in finish(own_archive, nights)
    assert list(own_archive.spool.iterdir()) == []


def test_a_killed_server_costs_nothing_but_a_second_run(
    own_archive: Config, nights: Path, undisturbed: tuple[dict[str, Any], int]
) -> None:
    seed = SEED
    dice = random.Random(seed)
    empty_tables(own_archive)
    server = PrivateServer(own_archive.home, own_archive.server_options)
    for _ in range(3):
        process = start_ingest(own_archive, nights)
        time.sleep(dice.uniform(0.8, 2.5))
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        output, _ = process.communicate(timeout=300)
        assert "Traceback" not in output
        if process.returncode != 0:
            assert "alertdb start" in output
        server.ensure_started()
    finish(own_archive, nights)
    assert everything(own_archive) == undisturbed[0]


def test_interrupted_by_the_user(own_archive: Config, nights: Path) -> None:
    empty_tables(own_archive)
    process = start_ingest(own_archive, nights)
    time.sleep(1.2)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130, output
    assert output.strip().endswith("Interrupted; run the same command to resume")
    assert "Traceback" not in output
