"""`alertdb fetch` as users call it, against a web server on the loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from hostile import contradictions, counts
from web_archive import WebArchive, web_archive

from ingest.simulation.nights import simulate_nights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alertdb.config import Config

    Run = Callable[..., tuple[int, str]]

NIGHTS = (20240110, 20240112)


@pytest.fixture(scope="module")
def tarballs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("nights")
    paths = simulate_nights(NIGHTS, 5, folder, seed=4, programs=("public", "partnership"))
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture
def web(tarballs: dict[str, bytes]) -> Iterator[WebArchive]:
    with web_archive() as archive:
        archive.files = dict(tarballs)
        yield archive


def test_fetch_then_ingest(archive: Config, run: Run, web: WebArchive, tmp_path: Path) -> None:
    options = ("--night", "20240110", "--to", "20240112", "--from", web.url, "--output", tmp_path / "new")
    code, printed = run("fetch", *options)
    assert code == 0
    assert "Not in the archive (no alerts, or not yet): ztf_public_20240111.tar.gz" in printed
    assert "ztf_public_20240110.tar.gz: fetched, " in printed
    assert "MD5 sum right" in printed
    assert "2 tarballs are in" in printed
    code, printed = run("fetch", *options)
    assert code == 0
    assert printed.count("was there") == 2
    assert run("ingest", tmp_path / "new")[0] == 0
    assert counts(archive)["alerts"] == 10
    assert contradictions(archive) == []


def test_partnership_tarballs(archive: Config, run: Run, web: WebArchive, tmp_path: Path) -> None:  # noqa: ARG001
    code, _ = run("fetch", "--night", 20240110, "--from", web.url, "--output", tmp_path / "p", "--partnership")
    assert code == 0
    assert [path.name for path in (tmp_path / "p").iterdir()] == ["ztf_partnership_20240110.tar.gz"]


def test_one_wrong_file_does_not_stop_the_others(run: Run, web: WebArchive, tmp_path: Path) -> None:
    web.wrong = {"ztf_public_20240110.tar.gz"}
    code, printed = run("fetch", "--night", 20240110, "--to", 20240112, "--from", web.url, "--output", tmp_path / "n")
    assert code == 1
    assert printed.count("Error: ") == 1
    assert "1 failed" in printed
    assert (tmp_path / "n" / "ztf_public_20240112.tar.gz").exists()
    assert not (tmp_path / "n" / "ztf_public_20240110.tar.gz").exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--night", "20240230"], "no night of the survey"),
        (["--night", "20240110", "--to", "20240101"], "must not lie before the first"),
        (["--night", "20240110", "--from", "file:///etc/"], "is no address of an archive"),
    ],
)
def test_wrong_usage(run: Run, tmp_path: Path, options: list[str], words: str) -> None:
    code, printed = run("fetch", *options, "--output", tmp_path / "n")
    assert code == 2
    assert words in printed
    assert not (tmp_path / "n").exists()


def test_the_same_command_goes_on_after_ctrl_c(web: WebArchive, tarballs: dict[str, bytes], tmp_path: Path) -> None:
    name = "ztf_public_20240110.tar.gz"
    web.cuts, web.stalls = [100_000], True
    command = [sys.executable, "-m", "alertdb.cli.main", "fetch", "--night", "20240110", "--from", web.url]
    command += ["--output", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    part = tmp_path / f"{name}.part"
    deadline = time.monotonic() + 60
    while not (part.exists() and part.stat().st_size == 100_000) and time.monotonic() < deadline:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert printed.endswith("Interrupted; run the same command to resume\n")
    assert "Traceback" not in printed
    web.go_on.set()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert web.asked(name) == [None, "bytes=100000-"]
    assert (tmp_path / name).read_bytes() == tarballs[name]
    assert [path.name for path in tmp_path.iterdir()] == [name]
