"""Each settings file, given to a real server, sets exactly what it says."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import mariadb
import pytest

from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator

SETTINGS = Path(__file__).resolve().parents[2] / "sql" / "settings"
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30}
# Sizes for the server in question that a smaller machine cannot give.
SMALLER = {"innodb_buffer_pool_size": "64M", "innodb_log_file_size": "16M"}
LIMITS = 14
LIMIT = "maximum_"  # a limit is no variable: it shows when a session asks for more

# Options that show under another name.
RENAMED = {
    ("skip_log_bin", ""): ("log_bin", "OFF"),
    ("default_time_zone", "+00:00"): ("time_zone", "+00:00"),
    ("transaction_isolation", "READ-COMMITTED"): ("tx_isolation", "READ-COMMITTED"),
    ("symbolic_links", "OFF"): ("have_symlink", "DISABLED"),
}


def read_settings(path: Path) -> dict[str, str]:
    """Read the settings of a file, line by line, and demand a reason above each group of lines."""
    settings = {}
    reason = ""
    for line in path.read_text().splitlines():
        if line.startswith("#"):
            reason = line
        elif line in ("", "[mariadbd]"):
            reason = ""
        else:
            assert reason, f"{path.name}: no reason above '{line}'"
            name, _, value = line.partition("=")
            settings[name.strip()] = value.strip()
    return settings


def as_shown(value: str) -> str:
    """Return a value as SHOW VARIABLES writes it."""
    if value[-1:] in UNITS:
        return str(int(value[:-1]) * UNITS[value[-1]])
    return value


@contextmanager
def started(path: Path, folder: Path, **smaller: str) -> Iterator[mariadb.Cursor]:
    """Run a server with this settings file, without network, until the test is done with it."""
    server = PrivateServer(folder)
    server.ensure_created()
    socket = folder / "mariadb" / "s"
    user = ["--user=root"] if os.geteuid() == 0 else []
    if user:
        shutil.chown(server.folder, "root")
    options = [f"--datadir={server.data}", f"--socket={socket}", f"--tmpdir={folder}", "--skip-networking", *user]
    options += [f"--{name}={value}" for name, value in smaller.items()]
    program = shutil.which("mariadbd", path=os.environ.get("PATH", os.defpath) + ":/usr/sbin") or "mariadbd"
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, f"--defaults-file={path}", *options], stderr=log)
    try:
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            try:
                connection = mariadb.connect(unix_socket=str(socket), user="root")
                break
            except mariadb.OperationalError:
                time.sleep(0.05)
        yield connection.cursor()
        connection.close()
    finally:
        process.terminate()
        process.wait()


def differences(cursor: mariadb.Cursor, settings: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return the settings that the server shows otherwise: expected and shown value."""
    cursor.execute("SHOW GLOBAL VARIABLES")
    shown = dict(cursor.fetchall())
    expected = dict(RENAMED.get(item, item) for item in settings.items() if not item[0].startswith(LIMIT))
    expected = {name: as_shown(value) for name, value in expected.items()}
    return {name: (value, shown[name]) for name, value in expected.items() if shown[name] != value}


def check_limits(cursor: mariadb.Cursor, settings: dict[str, str]) -> None:
    """Show that a session which asks for more gets what the limits say."""
    limits = {name.removeprefix(LIMIT): value for name, value in settings.items() if name.startswith(LIMIT)}
    assert len(limits) == LIMITS
    for name, value in limits.items():
        cursor.execute(f"SET SESSION {name} = {2**40}")
        cursor.execute(f"SELECT @@SESSION.{name}")
        assert cursor.fetchone() == (int(as_shown(value)),), name


def test_private_settings(tmp_path: Path) -> None:
    settings = read_settings(SETTINGS / "private.cnf")
    with started(SETTINGS / "private.cnf", tmp_path) as cursor:
        assert differences(cursor, settings) == {}
        assert differences(cursor, settings | {"innodb_doublewrite": "OFF"}) == {"innodb_doublewrite": ("OFF", "ON")}
        check_limits(cursor, settings)


def test_nvme_settings(tmp_path: Path) -> None:
    settings = read_settings(SETTINGS / "nvme.cnf")
    with started(SETTINGS / "nvme.cnf", tmp_path, **SMALLER) as cursor:
        assert differences(cursor, settings | SMALLER) == {}
        check_limits(cursor, settings)


@pytest.mark.parametrize("name", ["private.cnf", "nvme.cnf"])
def test_settings_hold_no_paths(name: str) -> None:
    assert not [value for value in read_settings(SETTINGS / name).values() if "/" in value]
