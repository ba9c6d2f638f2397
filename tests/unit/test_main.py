from __future__ import annotations

import pytest

from alertdb.cli import main as program
from alertdb.cli.helping import reflow
from alertdb.errors import AlertdbError, UsageError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["status", "--debug"], ["--debug", "status"]),
        (["status", "--home", "x", "y"], ["--home", "x", "status", "y"]),
        (["status", "--home=x"], ["--home=x", "status"]),
        (["status", "--home"], ["--home", "status"]),
        (["sql", "--", "--debug"], ["sql", "--", "--debug"]),
    ],
)
def test_global_options_may_stand_after_the_command(given: list[str], expected: list[str]) -> None:
    assert program.globals_first(given) == expected


def test_explanations_are_one_line() -> None:
    assert program.explain(UsageError("one\ntwo")) == "one two"
    assert program.explain(FileNotFoundError(2, "No such file or directory", "x.csv")) == (
        "x.csv: No such file or directory."
    )
    assert program.explain(ZeroDivisionError("division by zero")).startswith(
        "unexpected ZeroDivisionError: division by zero"
    )


class Entry:
    """An entry point that fails in one way or registers nothing."""

    def __init__(self, value: str, error: Exception | None) -> None:
        self.value = value
        self.error = error

    def load(self) -> object:
        if self.error is not None:
            raise self.error
        return lambda app: None  # noqa: ARG005


def test_a_failing_package_takes_only_its_own_commands_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = [Entry("broken:register", ImportError("no such thing")), Entry("sound:register", None)]
    monkeypatch.setattr(program, "entry_points", lambda group: entries if group == "alertdb.commands" else [])
    program.add_commands()
    warning = capsys.readouterr().err
    assert warning.count("\n") == 1
    assert "broken:register" in warning
    assert "no such thing" in warning


def test_only_what_goes_on_says_so() -> None:
    assert program.interrupted(["--home", "sql", "ingest", "x"]) == "Interrupted; run the same command to resume"
    assert program.interrupted(["--debug", "cone", "1", "2", "3"]) == "Interrupted."


@pytest.mark.parametrize(
    ("raised", "code", "line"),
    [
        (AlertdbError("It rains."), 1, "Error: It rains.\n"),
        (UsageError("No such thing."), 2, "Error: No such thing.\n"),
        (KeyboardInterrupt(), 130, "Interrupted; run the same command to resume\n"),
    ],
)
def test_exit_codes(
    raised: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_: object) -> None:
        raise raised

    monkeypatch.setattr(program, "app", fail)
    assert program.run([]) == code
    assert capsys.readouterr().err == line


def test_help_is_broken_where_the_terminal_ends() -> None:
    text = "One line.\n\nA paragraph of\ntwo lines.\n\nExamples\n--------\n  alertdb a\n  alertdb b --c\n\nMore\nof it."
    assert reflow(text) == (
        "One line.\n\nA paragraph of two lines.\n\nExamples\n\n  alertdb a\n  alertdb b --c\n\nMore of it."
    )
    assert reflow("") == ""
