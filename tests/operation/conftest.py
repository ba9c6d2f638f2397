"""An archive of two nights with a server of its own, a backup of it, and an empty home."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from archives import load
from programs import alertdb

from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

OPTIONS = ("innodb_log_file_size=16M",)


@pytest.fixture(scope="session")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("nights")
    return simulate_nights([20240301, 20240302, 20240303], 100, folder, seed=3, programs=("public", "partnership"))


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory, nights: list[Path]) -> Iterator[Config]:
    """Settings of an archive of two nights with a server of its own; its backups lie beside it."""
    config = Config(home=tmp_path_factory.mktemp("own") / "home", server_options=OPTIONS)
    server = PrivateServer(config.home, OPTIONS)
    server.ensure_started()
    try:
        ensure_schema(config)
        (config.home / "alertdb.toml").write_text(f"server_options = {list(OPTIONS)}\n")
        load(config, *nights[:4])
        yield config
    finally:
        server.ensure_stopped()


@pytest.fixture(scope="session")
def backups(own: Config) -> Path:
    """A folder with one whole backup of that archive."""
    folder = own.home.parent / "backups"
    done = alertdb(own, "backup", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Config]:
    """Settings of an empty home; a server that comes to run there is stopped."""
    config = Config(home=tmp_path / "home")
    yield config
    PrivateServer(config.home).ensure_stopped()
