"""`alertdb doctor` on real servers, good and bad."""

from __future__ import annotations

import fcntl
import json
from typing import TYPE_CHECKING, Any

import pytest

from alertdb.config import Config
from alertdb.schema import ensure_schema
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Run = Callable[..., tuple[int, str]]

BAD = (
    "innodb_flush_log_at_trx_commit=2",
    "innodb_doublewrite=OFF",
    "local_infile=ON",
    "collation_server=utf8mb4_general_ci",
    "default_time_zone=+05:00",
    "sql_mode=",
    "log_bin=binlog",
    "innodb_buffer_pool_size=16M",
    "innodb_log_file_size=16M",
)


def findings(printed: str) -> dict[str, dict[str, Any]]:
    return {finding["check"]: finding for finding in json.loads(printed)}


@pytest.fixture(scope="module")
def badly_set(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    config = Config(home=tmp_path_factory.mktemp("bad"), server_options=BAD)
    server = PrivateServer(config.home, config.server_options)
    server.ensure_started()
    ensure_schema(config)
    yield config
    server.ensure_stopped()


def test_a_good_archive_has_no_problem(run: Run, archive: Config) -> None:
    code, printed = run("doctor", "--format", "json")
    found = findings(printed)
    assert code == 0, printed
    assert {finding["grade"] for finding in found.values()} <= {"ok", "warning"}
    for check in ("server", "innodb_doublewrite", "local_infile", "sql_mode", "passwords", "folder of the socket"):
        assert found[check]["grade"] == "ok", found[check]
    assert "MariaDB" in found["server"]["found"]
    assert str(archive.secrets) in found["passwords"]["found"]
    assert "ms (median" in found["sync of the disk"]["found"]
    assert "Python 3." in found["versions"]["found"]
    assert "UTC" in found["clock"]["found"]
    assert all(bool(finding["advice"]) == (finding["grade"] != "ok") for finding in found.values())


def test_the_table_for_people(run: Run) -> None:
    code, printed = run("doctor")
    assert code == 0
    assert "looked at" in printed
    assert "0 problems" in printed


def test_bad_settings_are_found(run: Run, badly_set: Config) -> None:
    code, printed = run("--home", badly_set.home, "doctor", "--format", "json")
    assert code == 1
    grades = {check: finding["grade"] for check, finding in findings(printed).items()}
    expected = {
        "innodb_flush_log_at_trx_commit": "problem",
        "innodb_doublewrite": "problem",
        "local_infile": "warning",
        "collation_server": "warning",
        "character_set_server": "ok",
        "default_time_zone": "warning",
        "sql_mode": "warning",
        "log_bin": "warning",
        "innodb_buffer_pool_size": "warning",
        "skip_networking": "ok",
    }
    assert {check: grades[check] for check in expected} == expected
    assert "a power cut loses tarballs" in printed


def test_passwords_and_sockets_that_others_may_read(run: Run, badly_set: Config) -> None:
    opened = badly_set.secrets / "loader"
    folder = PrivateServer(badly_set.home).socket.parent
    opened.chmod(0o644)
    folder.chmod(0o755)
    try:
        found = findings(run("--home", badly_set.home, "doctor", "--format", "json")[1])
    finally:
        opened.chmod(0o600)
        folder.chmod(0o700)
    assert (found["passwords"]["grade"], found["folder of the socket"]["grade"]) == ("problem", "problem")
    assert str(opened) in found["passwords"]["found"]
    assert str(badly_set.secrets / "reader") not in found["passwords"]["found"]


def test_what_killed_loads_left(run: Run, archive: Config, tmp_path: Path) -> None:
    (archive.spool / "night.abc").mkdir(parents=True)
    folder = tmp_path / "thumbnails" / "public"
    folder.mkdir(parents=True)
    (folder / "left.zip.unfinished").touch()
    try:
        with (folder / "being-written.zip.unfinished").open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            code, printed = run("doctor", "--format", "json")
    finally:
        (archive.spool / "night.abc").rmdir()
    found = findings(printed)
    assert code == 0
    assert found["spool"]["found"] == "1 left over: night.abc"
    assert found["unfinished thumbnails"]["found"] == "1 left over: left.zip.unfinished"


def test_a_server_that_is_down(run: Run, tmp_path: Path) -> None:
    code, printed = run("--home", tmp_path, "doctor", "--format", "json")
    assert code == 1
    assert findings(printed)["server"]["grade"] == "problem"
    assert "alertdb init" in findings(printed)["server"]["advice"]


def test_a_home_that_is_not_there(run: Run, tmp_path: Path) -> None:
    code, printed = run("--home", tmp_path / "nowhere", "doctor")
    assert code == 1
    assert "is not there" in printed
    assert not (tmp_path / "nowhere").exists()
