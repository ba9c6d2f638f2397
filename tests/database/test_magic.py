"""`%%sql` in IPython."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from alertdb.archive import Archive

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.config import Config


@pytest.fixture
def shell(server_config: Config, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ALERTDB_HOME", str(server_config.home))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])  # a shell puts its own
    shell: Any = InteractiveShell.instance()
    shell.run_line_magic("load_ext", "alertdb")
    yield shell
    shell.reset()


def test_a_cell_of_sql(shell: Any) -> None:
    shell.user_ns |= {"least": 3, "names": ["a", "b"]}
    frame = shell.run_cell_magic("sql", "", "SELECT seq FROM seq_1_to_5\nWHERE seq >= :least AND 'b' IN :names")
    assert frame["seq"].tolist() == [3, 4, 5]


def test_into_a_variable_and_in_another_form(shell: Any) -> None:
    assert shell.run_cell_magic("sql", "rows << --polars", "SELECT 7 AS n") is None
    assert isinstance(shell.user_ns["rows"], pl.DataFrame)
    assert shell.user_ns["rows"]["n"].to_list() == [7]
    assert shell.run_line_magic("sql", "SELECT 8 AS n")["n"].tolist() == [8]
    assert shell.run_cell_magic("sql", "--table", "SELECT magpsf FROM alerts")["magpsf"].unit == "mag"


def test_the_archive_of_the_notebook_is_asked(shell: Any, server_config: Config) -> None:
    with Archive(server_config, "ztf_public") as db:
        shell.user_ns["db"] = db
        assert shell.run_line_magic("sql", "SELECT DATABASE() AS d")["d"].tolist() == ["ztf_public"]


@pytest.mark.parametrize(
    ("line", "cell", "told"),
    [
        ("", "SELECT magspf FROM alerts", "Nearest: magpsf"),
        ("", "DELETE FROM alerts", "Only reading statements"),
        ("", "SELECT :nobody", "':nobody'|:name"),
        ("--csv", "SELECT 1", "--csv is no form.*--pandas, --arrow"),
    ],
)
def test_mistakes_are_one_line(shell: Any, line: str, cell: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        shell.run_cell_magic("sql", line, cell)
    assert "\n" not in str(caught.value)
