"""The program `alertdb` as a process of its own, and waiting for what it does."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from alertdb.config import Config

PROGRAM = (sys.executable, "-m", "alertdb.cli.main")
LIMIT_SECONDS = 120  # far more than anything takes


def environment(config: Config) -> dict[str, str]:
    return {**os.environ, "ALERTDB_HOME": str(config.home), "ALERTDB_THUMBNAILS_URL": config.thumbnails}


def alertdb(config: Config, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    command = [*PROGRAM, *map(str, arguments)]
    return subprocess.run(command, env=environment(config), capture_output=True, text=True, check=False)


def start(config: Config, log: Path, *arguments: object) -> subprocess.Popen[bytes]:
    """Start the program; what it says goes to the end of a file."""
    with log.open("ab") as file:
        command = [*PROGRAM, *map(str, arguments)]
        return subprocess.Popen(command, env=environment(config), stdout=file, stderr=file, start_new_session=True)


def wait_for(condition: Callable[[], bool], what: Callable[[], str]) -> None:
    """Return when the condition holds; `what` tells how things stand if it never does."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the one line that a program which failed says."""
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("Error: "))
    return line
