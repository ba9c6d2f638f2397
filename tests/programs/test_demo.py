"""`demo.sh`: wrong arguments are told before anything is installed."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


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
