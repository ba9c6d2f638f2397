"""`demo.sh`: wrong arguments are told before anything is installed; a night goes in once and is shown twice."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import fastavro
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
NIGHT = "ztf_public_20210901.tar.gz"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(
    ("argument", "line"),
    [
        ("no/such/night.tar.gz", "demo: no such file or folder: no/such/night.tar.gz\n"),
        ("--force", "demo: no option --force; usage: ./demo.sh [TARBALL|FOLDER …]\n"),
    ],
)
def test_a_wrong_argument_gets_one_line(argument: str, line: str) -> None:
    done = subprocess.run([ROOT / "demo.sh", argument], capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (2, "", line)


def test_help_says_how_to_call_it() -> None:
    done = subprocess.run([ROOT / "demo.sh", "--help"], capture_output=True, text=True, check=True)
    assert "./demo.sh [TARBALL|FOLDER …]" in done.stdout
    assert "$ALERTDB_HOME" in done.stdout


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Home for a demo; its server is stopped in the end."""
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("these tests do not run from the .venv that setup.sh makes")
    home = tmp_path / "archive"
    yield home
    _run(tmp_path, home, ROOT / ".venv" / "bin" / "alertdb", "stop")


def _run(folder: Path, home: Path, *command: str | Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "ALERTDB_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _object_with_most_alerts(tarball: Path) -> tuple[str, int]:
    with tarfile.open(tarball) as members:
        files = [members.extractfile(member) for member in members]
        packets = [next(fastavro.reader(io.BytesIO(file.read()))) for file in files if file]
    counts = Counter(str(packet["objectId"]) for packet in packets)  # type: ignore[index,call-overload]
    return max(counts.items(), key=lambda item: item[1])


def test_a_night_is_loaded_and_shown_and_shown_again(home: Path, real_data: Path) -> None:
    """The tarball is named relative to the caller's folder. Without one, a filled archive gets no simulated alerts."""
    name, count = _object_with_most_alerts(real_data / "ztf" / NIGHT)
    assert count == 2
    first = _run(real_data / "ztf", home, ROOT / "demo.sh", NIGHT)
    assert "37 alerts of 36 objects" in first
    again = _run(real_data, home, ROOT / "demo.sh")
    assert "$ alertdb ingest" not in again
    assert not (home / "simulated").exists()
    for output in (first, again):
        assert f"The light curve of {name} and its thumbnails" in output
        assert output.endswith("alertdb stop\n")
    pictures = [home / "pictures" / f"{name}{ending}.png" for ending in ("", "_thumbnails")]
    assert [picture.read_bytes()[:8] for picture in pictures] == [PNG, PNG]
