"""`setup.sh` as people meet it: nothing to do, nothing allowed, nothing found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ("setup.sh", "demo.sh", "test.sh", ".ci/run")
TOOLS = ("cat", "dirname", "env", "flock", "getent", "grep", "id", "mkdir", "sha256sum")
NOBODY = 65534


@pytest.fixture
def bare() -> Iterator[Path]:
    """A checkout on a machine without compiler and headers: `bin` is all of its PATH. It belongs to nobody."""
    with tempfile.TemporaryDirectory() as name:
        checkout = Path(name)
        programs = checkout / "bin"
        programs.mkdir()
        for tool in TOOLS:
            (programs / tool).symlink_to(str(shutil.which(tool)))
        for file in ("setup.sh", "requirements.txt", "pyproject.toml"):
            shutil.copy(ROOT / file, checkout)
        if os.geteuid() == 0:
            os.chown(checkout, NOBODY, NOBODY)
        yield checkout


def _program(folder: Path, name: str, body: str) -> None:
    path = folder / "bin" / name
    path.write_text(f"#!/bin/bash\n{body}\n")
    path.chmod(0o755)


def _set_up(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run it as a user who is not root."""
    nobody = NOBODY if os.geteuid() == 0 else None
    return subprocess.run(
        ["/bin/bash", folder / "setup.sh"],
        env={"PATH": str(folder / "bin")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=nobody,
        group=nobody,
        extra_groups=[] if nobody else None,
    )


@pytest.mark.parametrize("script", SCRIPTS)
def test_scripts_parse(script: str) -> None:
    subprocess.run(["bash", "-n", ROOT / script], check=True)
    assert os.access(ROOT / script, os.X_OK)


def test_a_second_run_installs_nothing() -> None:
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("these tests do not run from the .venv that setup.sh makes")
    done = subprocess.run([ROOT / "setup.sh", "--hub"], capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_rights_one_line_says_what_to_run_as_root(bare: Path) -> None:
    _program(bare, "apt-get", "exit 99")
    done = _set_up(bare)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "run as root, then start this again: apt-get update && apt-get install -y" in done.stderr
    assert {"gcc", "libc6-dev", "libmariadb-dev"} <= set(done.stderr.split())


def test_without_apt_one_line_says_what_is_missing(bare: Path) -> None:
    done = _set_up(bare)
    assert done.returncode == 1
    assert "setup: missing: what Debian has in the packages" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_apt_that_fails_is_tried_again_with_fresh_lists_and_then_reported(bare: Path) -> None:
    _program(bare, "sudo", '[ "$1" = -n ] && exit; exec "$@"')
    _program(bare, "apt-get", 'echo "$DEBIAN_FRONTEND: $*"; [[ $* = *" update" ]]')
    done = _set_up(bare)
    log = bare / "build" / "setup.log"
    calls = log.read_text().splitlines()
    assert done.returncode == 1
    assert [next(word for word in ("install", "update") if f" {word}" in call) for call in calls] == [
        "install",
        "update",
        "install",
    ]
    assert all(call.startswith("noninteractive: -y --no-install-recommends") for call in calls)
    assert done.stderr.startswith("setup: failed: Debian packages: ")
    assert done.stderr.endswith(f"see {log}\n")


def test_a_broken_python_does_not_hide_the_one_of_the_system(bare: Path) -> None:
    """A python3 first on PATH that cannot build extensions is passed over: no Python is asked for."""
    if not list(Path("/usr/include").glob("python3.*/Python.h")):
        pytest.skip("the system's Python has no headers here: /usr/include/python3.*/Python.h")
    _program(bare, "python3", "exit 1")
    assert "python3-dev" not in _set_up(bare).stderr


def test_an_unknown_option_is_named_and_nothing_is_done() -> None:
    done = subprocess.run([ROOT / "setup.sh", "--hubs"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "setup: no option --hubs; there are --hub and --browser\n"
