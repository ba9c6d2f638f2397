"""What the operator does with people: list, limit, export, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import mariadb
import pyarrow.parquet as pq
import pytest

from alertdb.cli import main
from alertdb.people.accounts import close_account, note_leaving
from alertdb.people.judging import Limits
from alertdb.people.server_view import ServerView

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from someone import Someone

    from alertdb.config import Config


@pytest.fixture
def run(
    server_config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    monkeypatch.setenv("ALERTDB_HOME", str(server_config.home))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> tuple[int, str]:
        code = main.run([str(argument) for argument in arguments])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        return code, printed.out + printed.err

    return run


def test_people_who_left_are_listed_exported_and_removed(
    server_config: Config, enter: Callable[..., Someone], run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    left, stays = enter(51), enter(52, partnership=True)
    left.archive().upload("targets", {"candid": [2**60 + 1, None], "name": ["a", "b"]})
    left.archive().upload("empty", {"a": [1]})
    left.archive().scratch.run("DELETE FROM empty")
    trap = "CREATE SQL SECURITY INVOKER VIEW trap AS SELECT LOAD_FILE('/etc/passwd') AS words"  # the operator's rights
    left.archive().scratch.run(trap)
    assert run("people", "remove", 51, "--yes")[0] == 1  # while a server runs
    note_leaving(server_config, 51)
    lines = run("people", "list")[1].splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["51", "login51", "public", "locked"], ["52", "login52", "all", "open"],
    ]  # fmt: skip
    assert [line.split()[0] for line in run("people", "list", "--left")[1].splitlines()[1:]] == ["51"]

    code, printed = run("people", "export", 51, "--output", tmp_path / "out")
    assert (code, "2 tables written" in printed) == (0, True)
    exported = pq.read_table(tmp_path / "out" / "targets.parquet")
    assert exported.to_pydict() == {"candid": [2**60 + 1, None], "name": ["a", "b"]}
    assert pq.read_table(tmp_path / "out" / "empty.parquet").num_rows == 0
    code, printed = run("people", "export", 51, "--output", tmp_path / "out")
    assert (code, "exists already" in printed) == (2, True)

    assert run("people", "remove", 51, "--yes")[0] == 0
    assert "51" not in run("people", "list")[1].split()
    code, printed = run("people", "remove", 51, "--yes")
    assert (code, "Nobody with id 51 has an account" in printed) == (2, True)
    with pytest.raises(mariadb.Error, match="Access denied"):
        left.connect()
    stays.connect().close()


def test_exports_stay_in_their_folder(
    enter: Callable[..., Someone], run: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    db = enter(54).archive()
    for number, name in enumerate(
        ("../above", f"{tmp_path}/absolute"[:64], "..", "a/b", "a%2Fb", "what?:this", "it's")
    ):
        db.scratch.run(f"CREATE TABLE `{name}` AS SELECT {number} AS n")
    folder = tmp_path / "outer" / "out"
    code, printed = run("people", "export", 54, "--output", folder)
    assert (code, "7 tables written" in printed) == (0, True), printed
    assert [path.name for path in tmp_path.iterdir()] == ["outer"]
    assert [path.name for path in folder.parent.iterdir()] == ["out"]
    found = [pq.read_table(path).to_pydict()["n"] for path in folder.iterdir()]
    assert sorted(found) == [[number] for number in range(7)]


def test_the_database_of_who_left_is_gone(enter: Callable[..., Someone], server_config: Config, admin: Any) -> None:
    enter(53).archive().upload("a", {"a": [1]})
    assert admin.exec_driver_sql("SHOW DATABASES LIKE 'my\\_53'").all()
    close_account(server_config, 53)
    assert main.run(["--home", str(server_config.home), "people", "remove", "53", "--yes"]) == 0
    assert not admin.exec_driver_sql("SHOW DATABASES LIKE 'my\\_53'").all()
    assert not admin.exec_driver_sql("SELECT user FROM mysql.user WHERE user = 'gh53'").all()


def test_limits_are_shown_and_changed(
    server_config: Config, run: Callable[..., tuple[int, str]], limit: Callable[[str, int], None]
) -> None:
    limit("statement_seconds", 77)
    view = ServerView(server_config)
    assert view.limits() == Limits(77, 60, 3600)
    code, printed = run("people", "limits", "idle_transaction_seconds", 30)
    assert (code, view.limits()) == (0, Limits(77, 30, 3600))
    assert [line.split()[:2] for line in printed.splitlines()[1:]] == [
        ["connections", "8"], ["idle_transaction_seconds", "30"], ["scratch_MB", "10,000"],
        ["statement_seconds", "77"], ["transaction_seconds", "3,600"],
    ]  # fmt: skip
    view.close()
    code, printed = run("people", "limits", "statement", 1)
    assert (code, "There is no limit 'statement'; expected one of connections" in printed) == (2, True)
    assert run("people", "limits", "connections", 5, "--person", 1)[0] == 2
    assert run("people", "limits", "connections")[0] == 2
