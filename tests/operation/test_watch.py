"""`alertdb watch` as its user starts it: copies under way, damage, a second watcher, signals, a server that goes."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import mariadb
import pytest
from archives import differs, empty_tables, everything, load
from plain import stored_table
from programs import alertdb, start, wait_for

from alertdb.config import Config
from alertdb.errors import ArchiveMissing
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer
from alertdb.watches import Watch, read_watch
from ingest.session import Options
from ingest.simulation.nights import simulate_nights
from ingest.watching.errors import NotAFolder
from ingest.watching.folder import WatchedFolder
from ingest.watching.watcher import Pace
from ingest.watching.watcher import _go_through as go_through
from ingest.watching.watcher import watch as run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from pathlib import Path

QUICK = ("--every", "0.1", "--settle", "0.3", "--workers", "1")


class Watcher:
    """A running `alertdb watch` and what it says."""

    def __init__(self, config: Config, folder: Path, log: Path) -> None:
        self._log = log
        self._folder = folder
        self._config = config
        self.process: subprocess.Popen[bytes] = start(config, log, "watch", folder, *QUICK)

    def said(self) -> str:
        return self._log.read_text()

    def await_words(self, words: str) -> None:
        wait_for(lambda: words in self.said() or self.process.poll() is not None, self.said)
        assert words in self.said(), self.said()

    def await_loaded(self, *names: str) -> None:
        wait_for(lambda: loaded(self._config) >= set(names), self.said)

    def came_to(self) -> Watch:
        return read_watch(self._config, self._folder)

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(60)


def loaded(config: Config) -> set[str]:
    try:
        return set(stored_table(config, "tarballs", ("name",)))
    except mariadb.Error:  # the server is away
        return set()


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("nights")
    return simulate_nights([20240301, 20240302], 200, folder, seed=3, workers=1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "incoming"
    made.mkdir()
    return made


@pytest.fixture
def watch(folder: Path, tmp_path: Path) -> Iterator[Callable[[Config], Watcher]]:
    """Start watchers; none outlives its test."""
    watchers: list[Watcher] = []

    def begin(config: Config) -> Watcher:
        watchers.append(Watcher(config, folder, tmp_path / f"log{len(watchers)}"))
        return watchers[-1]

    yield begin
    for watcher in watchers:
        watcher.process.kill()
        watcher.process.wait()


def test_a_folder_is_loaded_as_it_fills(
    archive: Config, nights: list[Path], folder: Path, watch: Callable[[Config], Watcher], tmp_path: Path
) -> None:
    first, second = nights
    watcher = watch(archive)
    content = second.read_bytes()
    watcher.await_words("watching")
    refused = alertdb(archive, "watch", folder)
    assert refused.returncode == 1
    assert "is watched already by another" in refused.stderr

    (folder / f"{first.name}.part").write_bytes(first.read_bytes())
    (folder / second.name).write_bytes(content[: len(content) // 2])  # a copy that stands still
    (folder / "notes.txt").write_text("no tarball")
    watcher.await_words(f"{second.name} is left alone until it changes")
    assert loaded(archive) == set()
    assert watcher.said().count("is damaged: its gzip data break off") == 1

    shown = alertdb(archive, "status").stdout
    assert f"Watched   {folder}: 0 waiting, 1 failed" in shown
    assert f"  {second.name} is left alone until it changes: {folder / second.name} is damaged: its gzip data" in shown

    (folder / f"{first.name}.part").rename(folder / first.name)
    watcher.await_loaded(first.name)
    with (folder / second.name).open("ab") as file:
        file.write(content[len(content) // 2 :])
    watcher.await_loaded(first.name, second.name)
    wait_for(lambda: not watcher.came_to().failed, watcher.said)
    loading = watcher.came_to().looked_at
    wait_for(lambda: watcher.came_to().looked_at > loading, watcher.said)  # the load has ended when it looks again
    assert watcher.end() == 0
    assert watcher.said().count("is damaged") == 1
    assert "Traceback" not in watcher.said()
    assert watcher.said().splitlines()[-1].endswith("watch: told to end")
    assert "a load was broken off" not in watcher.said()

    found = everything(archive)
    empty_tables(archive)
    load(replace(archive, thumbnails_url=(tmp_path / "elsewhere").as_uri()), *nights)
    assert found == everything(archive)


def test_what_a_stop_breaks_off_is_told(
    archive: Config,
    nights: list[Path],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (folder / nights[0].name).write_bytes(nights[0].read_bytes())
    monkeypatch.setattr("ingest.pipeline.check_room", lambda *_: signal.raise_signal(signal.SIGTERM))
    with caplog.at_level("INFO", "watch"):
        run(archive, [folder], Pace(every=0.01, settle=0), Options(), 1)
    *_, before, last = [record.getMessage() for record in caplog.records]
    assert before == "a load was broken off; what is not in yet will be loaded at the next start"
    assert last == "told to end"
    assert loaded(archive) == set()


def test_what_failed_is_not_tried_again_after_a_restart(
    archive: Config, nights: list[Path], folder: Path, watch: Callable[[Config], Watcher]
) -> None:
    damaged = folder / nights[0].name
    damaged.write_bytes(nights[0].read_bytes()[:-1000])
    (folder / nights[1].name).write_bytes(nights[1].read_bytes())
    first = watch(archive)
    first.await_words("is left alone")
    first.await_loaded(nights[1].name)
    assert first.end(signal.SIGINT) == 0
    before = first.came_to()
    second = watch(archive)
    wait_for(lambda: second.came_to().looked_at > before.looked_at + 1, second.said)  # several looks
    assert second.end() == 0
    assert second.came_to().failed == before.failed
    assert len(second.said().splitlines()) == 2  # that it watches, that it ends


def test_a_growing_file_waits_and_a_loaded_one_is_known_by_the_ledger(
    archive: Config, nights: list[Path], folder: Path
) -> None:
    path = folder / nights[0].name
    content = nights[0].read_bytes()
    watched = WatchedFolder(archive, folder, settle=60)
    for second in range(0, 600, 30):  # a copy of ten minutes
        path.write_bytes(content[: len(content) * (second + 30) // 600])
        assert watched.look(second) == []
    assert watched.look(570 + 59) == []
    (ready,) = watched.look(570 + 60)
    assert watched.leave_out_loaded([ready]) == [ready]
    load(archive, path)
    (ready,) = watched.look(700)
    assert watched.leave_out_loaded([ready]) == []
    assert watched.look(800) == []


def test_what_cannot_be_written_down_stops_nothing(
    archive: Config, nights: list[Path], folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    elsewhere = replace(archive, home=folder.parent / "home")
    elsewhere.home.mkdir()
    for name in ("secrets", "mariadb"):
        (elsewhere.home / name).symlink_to(archive.home / name)
    (elsewhere.home / "watch").write_text("in the way")
    (folder / nights[0].name).write_bytes(nights[0].read_bytes())
    watched = WatchedFolder(elsewhere, folder, settle=0)
    go_through(elsewhere, watched, Pace(), Options(), 1)
    assert loaded(archive) == {nights[0].name}
    assert "cannot be written down: " in caplog.text


def test_a_folder_or_an_archive_that_is_none(archive: Config, tmp_path: Path) -> None:
    with pytest.raises(NotAFolder, match=f"{tmp_path}/none is no folder; expected"):
        run(archive, [tmp_path / "none"], Pace(), Options(), None)
    with pytest.raises(ArchiveMissing):
        run(Config(home=tmp_path / "home"), [tmp_path], Pace(), Options(), None)
    assert not (tmp_path / "home").exists()


def test_a_server_that_is_killed_is_waited_for(
    nights: list[Path],
    folder: Path,
    watch: Callable[[Config], Watcher],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    config = Config(home=tmp_path_factory.mktemp("own"), server_options=("innodb_log_file_size=16M",))
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    try:
        ensure_schema(config)
        watcher = watch(config)
        for night in nights:
            (folder / night.name).write_bytes(night.read_bytes())
        watcher.await_words("loading 2 tarballs")
        pid = server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        watcher.await_words("Trying again in 1 s")
        server.ensure_started()
        watcher.await_loaded(*(night.name for night in nights))
        assert watcher.end() == 0
        assert "Traceback" not in watcher.said()
        assert not differs(config, *nights)
    finally:
        server.ensure_stopped()
