"""The systemd units: systemd takes them, and the commands in them exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT, required
from programs import PROGRAM

if TYPE_CHECKING:
    from pathlib import Path

UNITS = ROOT / "ingest" / "systemd"
CHECKOUT = "/opt/alertdb/.venv/bin/alertdb"


def units() -> list[Path]:
    return sorted(path for path in UNITS.iterdir() if path.suffix in (".service", ".timer", ".target"))


def test_systemd_takes_the_units(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        if required("systemd"):
            pytest.fail("systemd is not installed")
        pytest.skip("systemd is not installed")
    (tmp_path / "program").symlink_to("/bin/true")
    for unit in units():
        text = unit.read_text().replace(CHECKOUT, str(tmp_path / "program"))
        (tmp_path / unit.name).write_text(text.replace("/etc/alertdb/alertdb.env", str(UNITS / "alertdb.env.example")))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *(str(tmp_path / unit.name) for unit in units())],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:/lib/systemd/system"},
    )
    ours = [line for line in done.stderr.splitlines() if "alertdb" in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_every_timer_has_its_service_and_every_unit_its_target() -> None:
    names = {unit.name for unit in units()}
    assert {f"{timer.removesuffix('.timer')}.service" for timer in names if timer.endswith(".timer")} <= names
    for unit in units():
        if "[Install]" in unit.read_text() and unit.suffix != ".target":
            assert "WantedBy=alertdb.target" in unit.read_text()


def test_the_commands_exist_and_the_variables_are_explained() -> None:
    text = "".join(unit.read_text() for unit in units())
    known = (UNITS / "alertdb.env.example").read_text()
    for name in set(re.findall(r"\$\{?(ALERTDB_\w+)", text)):
        assert f"{name}=" in known
    commands = set(re.findall(rf"{CHECKOUT} (\w+)", text))
    assert commands == {"start", "stop", "watch", "watchdog", "metrics", "fetch", "backup"}
    shown = subprocess.run([*PROGRAM, "--help"], capture_output=True, text=True, check=True).stdout
    assert all(re.search(rf"\b{command}\b", shown) for command in commands)


def test_the_fetched_nights_are_those_of_the_last_week(tmp_path: Path) -> None:
    text = (UNITS / "alertdb-fetch.service").read_text()
    script = re.search(r"ExecStart=/bin/sh -c '(.*?)'\n", text, re.DOTALL)
    assert script is not None
    said = script[1].replace("%%", "%").replace("\\\n", "").replace(f"exec {CHECKOUT}", "echo")
    # As if it were noon of 10 March 2024.
    (tmp_path / "date").write_text(
        '#!/bin/sh\n[ "$1" = --utc ] && exec /bin/date --utc "--date=2024-03-10 12:00 ${2#--date=}" "$3"\n'
    )
    (tmp_path / "date").chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/sh", "-c", said],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": path, "ALERTDB_TARBALLS": "/t"},
    )
    assert done.stdout == "fetch --output /t --night 20240303 --to 20240309\n"
