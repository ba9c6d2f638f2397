"""Fixtures that all tests share: a private MariaDB per session, an empty archive per test, and the real packets."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from archives import empty_tables

from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

# A shell that starts us in the background has Ctrl-C ignored, for us and all that we start; some tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parent.parent
SERVER_OPTIONS = ("innodb_buffer_pool_size=256M", "innodb_log_file_size=64M")


def required(part: str) -> bool:
    """Whether `ALERTDB_REQUIRE` (a comma-separated list) says that this part must not be skipped."""
    return part in os.environ.get("ALERTDB_REQUIRE", "").replace(" ", "").split(",")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Folder with real alert packets: `$ALERTDB_TEST_DATA`, else `../shared/data` from the repository's root."""
    folder = Path(os.environ.get("ALERTDB_TEST_DATA") or ROOT.parent / "shared" / "data")
    if not (folder / "ztf").is_dir():
        message = f"no real alerts: {folder}/ztf does not exist; set ALERTDB_TEST_DATA to a folder that has it"
        if required("data"):
            pytest.fail(message)
        pytest.skip(message)
    return folder


@pytest.fixture(scope="session")
def real_tarballs(real_data: Path) -> list[Path]:
    """All real tarballs of ZTF, by name."""
    return sorted((real_data / "ztf").glob("*.tar.gz"))


@pytest.fixture(scope="session")
def server_config(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """Settings of a private server that lives as long as the session; its databases have all tables, empty."""
    config = Config(home=tmp_path_factory.mktemp("home"), server_options=SERVER_OPTIONS)
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    try:
        ensure_schema(config)
        yield config
    finally:
        server.ensure_stopped()


@pytest.fixture
def archive(server_config: Config, tmp_path: Path) -> Config:
    """Settings of an empty archive: the session's server with emptied tables, thumbnails in a folder of the test."""
    empty_tables(server_config)
    return Config(
        home=server_config.home,
        thumbnails_url=(tmp_path / "thumbnails").as_uri(),
        server_options=server_config.server_options,
    )
