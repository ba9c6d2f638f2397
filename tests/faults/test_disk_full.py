"""Disks that are full: one clear line, nothing half loaded, and the same command completes once there is room."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from archives import empty_tables, everything, load
from hostile import contradictions, counts

from alertdb.cli import main
from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from alertdb.thumbnails import open_store
from ingest import pipeline
from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ALERTS = 300
SMALL_SERVER = ("innodb_log_file_size=8M", "innodb_buffer_pool_size=64M")


@contextmanager
def small_disk(folder: Path, kilobytes: int) -> Iterator[Path]:
    """Mount a small file system, or skip the test where that is not permitted."""
    folder.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small file system to fill: {(done.stderr or done.stdout).strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (tarball,) = simulate_nights([20240125], ALERTS, tmp_path_factory.mktemp("night"), seed=2, workers=1)
    return tarball


@pytest.fixture
def ingest(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Call `alertdb ingest` for an archive; return exit code and output. Room is not looked for beforehand."""
    if not any(command.callback.__name__ == "ingest" for command in main.app.registered_commands if command.callback):
        main.add_commands()
    monkeypatch.setattr(pipeline, "check_room", lambda *_: None)

    def call(config: Config, night: Path) -> tuple[int, str]:
        monkeypatch.setenv("ALERTDB_HOME", str(config.home))
        monkeypatch.setenv("ALERTDB_THUMBNAILS_URL", config.thumbnails)
        code = main.run(["ingest", str(night)])
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return call


@pytest.fixture
def undisturbed(archive: Config, night: Path) -> dict[str, Any]:
    """What the tables hold after a load without trouble; they are empty again."""
    load(archive, night)
    tables = everything(archive)
    empty_tables(archive)
    return tables


def check_refused(config: Config, code: int, printed: str, words: str) -> None:
    assert code == 1
    assert "Traceback" not in printed
    (line,) = (line for line in printed.splitlines() if line.startswith("Error: "))
    assert words in line
    assert "run the same command again" in line
    assert contradictions(config) == []
    assert counts(config) == dict.fromkeys(counts(config), 0)


@pytest.mark.parametrize("kilobytes", [16, 200])
def test_a_full_spool(
    archive: Config,
    ingest: Callable[..., tuple[int, str]],
    night: Path,
    undisturbed: dict[str, Any],
    kilobytes: int,
) -> None:
    archive.spool.mkdir(exist_ok=True)
    with small_disk(archive.spool, kilobytes):
        code, printed = ingest(archive, night)
        check_refused(archive, code, printed, f"Cannot write {archive.spool}")
        assert "No space left on device" in printed
        assert list(archive.spool.iterdir()) == []
    assert ingest(archive, night)[0] == 0
    assert everything(archive) == undisturbed


@pytest.mark.parametrize("kilobytes", [4, 1000])
def test_a_full_disk_of_thumbnails(
    archive: Config,
    ingest: Callable[..., tuple[int, str]],
    night: Path,
    undisturbed: dict[str, Any],
    tmp_path: Path,
    kilobytes: int,
) -> None:
    with small_disk(tmp_path / "small", kilobytes) as small:
        full = replace(archive, thumbnails_url=(small / "thumbnails").as_uri())
        code, printed = ingest(full, night)
        check_refused(archive, code, printed, "could not be written")
        assert str(small) in printed
        assert open_store(full.thumbnails, readonly=False).tarballs() == []
        assert [path for path in small.rglob("*") if path.is_file()] == []
        subprocess.run(["mount", "-o", "remount,size=100m", str(small)], check=True)
        assert ingest(full, night)[0] == 0
        store = open_store(full.thumbnails)
        assert [sealed.documents for sealed in store.tarballs()] == [ALERTS]
        assert list(store.verify()) == []
    assert everything(archive) == undisturbed


def test_a_full_disk_of_the_database(
    ingest: Callable[..., tuple[int, str]], night: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("database")
    with small_disk(folder / "home", 180_000) as home:
        home.chmod(0o755)
        elsewhere = {"thumbnails_url": (folder / "thumbnails").as_uri(), "server_options": SMALL_SERVER}
        config = Config(home=home, **elsewhere)  # type: ignore[arg-type]
        server = PrivateServer(home, SMALL_SERVER)
        server.ensure_started()
        try:
            ensure_schema(config)
            (folder / "spool").mkdir()
            config.spool.symlink_to(folder / "spool")
            ballast = home / "ballast"
            ballast.write_bytes(bytes(os.statvfs(home).f_bavail * os.statvfs(home).f_frsize - 400_000))
            code, printed = ingest(config, night)
            ballast.unlink()
            server.ensure_started()  # a server whose disk is full may end
            check_refused(config, code, printed, "database")
            assert ingest(config, night)[0] == 0
            assert counts(config)["alerts"] == ALERTS
            assert contradictions(config) == []
        finally:
            server.ensure_stopped()


def test_a_disk_without_room_is_told_before_anything_is_loaded(archive: Config, night: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 20_000) as small:
        environment = {"ALERTDB_HOME": str(archive.home), "ALERTDB_THUMBNAILS_URL": (small / "thumbnails").as_uri()}
        done = subprocess.run(
            [sys.executable, "-m", "alertdb.cli.main", "ingest", night],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )
        check_refused(archive, done.returncode, done.stderr, f"MB on the disk of {small}, where 20 MB are free")
        assert list(small.iterdir()) == []
