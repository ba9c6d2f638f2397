"""What the watchdog does besides keeping the way free for a load, and how one sees that it runs."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest
from someone import Someone, is_gone, until

from alertdb.doctor.people import examine_people
from alertdb.people.watchdog import watch

if TYPE_CHECKING:
    from collections.abc import Callable

    from alertdb.config import Config
    from alertdb.people.watchdog import Watchdog


def test_a_change_of_tables_gets_through(
    archive: Config, enter: Callable[..., Someone], watchdog: Watchdog, admin: Any
) -> None:
    """A transaction keeps each table it has read; HANDLER keeps one without any transaction."""
    del archive
    person = enter(26, partnership=True)
    reading, handling = person.connect(), person.connect()
    for connection, statements in (
        (reading, ["BEGIN", "SELECT COUNT(*) FROM ztf.rejects"]),
        (handling, ["HANDLER ztf.rejects OPEN"]),
    ):
        for statement in statements:
            connection.cursor().execute(statement)
    [[comment]] = admin.exec_driver_sql(
        "SELECT table_comment FROM information_schema.tables WHERE table_schema = 'ztf' AND table_name = 'rejects'"
    ).all()
    admin.commit()
    change = threading.Thread(target=admin.exec_driver_sql, args=(f"ALTER TABLE rejects COMMENT = '{comment}'",))
    change.start()
    clock = 0.0
    while change.is_alive():
        watchdog.look(clock)
        clock += 1
        change.join(0.1)
        assert clock < 600
    assert is_gone(reading)
    assert is_gone(handling)


def test_the_command_watches(
    server_config: Config, enter: Callable[..., Someone], limit: Callable[[str, int], None]
) -> None:
    limit("idle_transaction_seconds", 1)
    connection = enter(28).connect()
    cursor = connection.cursor()
    cursor.execute("START TRANSACTION WITH CONSISTENT SNAPSHOT")
    command = [sys.executable, "-m", "alertdb.cli.main", "--home", str(server_config.home)]
    with subprocess.Popen([*command, "watchdog", "--every", "0.2"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        lines = iter(process.stderr.readline, "")
        try:
            assert any("gh28" in line and "idle_transaction_seconds" in line for line in lines)
            until(lambda: is_gone(connection), "the connection is still there")
        finally:
            process.terminate()


def test_the_doctor_sees_whether_it_looks(
    server_config: Config, enter: Callable[..., Someone], watchdog: Watchdog, admin: Any
) -> None:
    def found() -> tuple[str, str]:
        (finding,) = examine_people(server_config)
        return finding.grade, finding.found

    def set_back() -> None:
        admin.exec_driver_sql("UPDATE alertdb_people.looks SET at = UTC_TIMESTAMP() - INTERVAL 2 HOUR")
        admin.commit()

    admin.exec_driver_sql("DELETE FROM alertdb_people.looks")
    admin.commit()
    enter(29)
    assert found() == ("warning", "it has never looked")
    watchdog.look(0)
    assert found()[0] == "ok"
    set_back()
    assert found() == ("warning", "it looked 7,200 s ago")
    watchdog.look(9)  # what it writes each ten seconds
    assert found()[0] == "warning"
    watchdog.look(11)
    assert found()[0] == "ok"


def test_the_doctor_says_when_it_cannot_see(server_config: Config, admin: Any) -> None:
    """As before 'alertdb init' was run again after an upgrade."""
    admin.exec_driver_sql("RENAME TABLE alertdb_people.looks TO alertdb_people.hidden")
    try:
        (finding,) = examine_people(server_config)
    finally:
        admin.exec_driver_sql("RENAME TABLE alertdb_people.hidden TO alertdb_people.looks")
    assert finding.grade == "warning"
    assert "looks" in finding.found
    assert "alertdb init" in finding.advice


def test_a_look_that_fails_again_and_again_is_told_once(
    server_config: Config, admin: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As before 'alertdb init' was run again after an upgrade."""
    renamed = "RENAME TABLE alertdb_people.{} TO alertdb_people.{}"
    steps = {
        3: [renamed.format("hidden", "looks"), renamed.format("people", "hidden")],
        5: [renamed.format("hidden", "people")],
    }
    looks = 0

    def between(_: float) -> None:
        nonlocal looks
        looks += 1
        for statement in steps.get(looks, ()):
            admin.exec_driver_sql(statement)
        if looks == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr("alertdb.people.watchdog.NOTE_SECONDS", 0.0)
    monkeypatch.setattr("alertdb.people.watchdog.time.sleep", between)
    admin.exec_driver_sql(renamed.format("looks", "hidden"))
    with pytest.raises(KeyboardInterrupt):
        watch(server_config, 0.1)
    first, second = [record for record in caplog.records if record.levelname == "ERROR"]
    assert looks == 5
    assert first.exc_info is second.exc_info is None
    assert "looks' doesn't exist" in first.getMessage()
    assert "people' doesn't exist" in second.getMessage()
    assert "alertdb init" in first.getMessage()
