"""SQL in a cell of a notebook: ``%load_ext alertdb``, then ``%%sql``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from IPython.core.error import UsageError as MagicError
from IPython.core.magic import Magics, line_cell_magic, magics_class

from alertdb.archive import Archive, connect
from alertdb.errors import AlertdbError
from alertdb.parameters import places

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["SqlMagics", "load_ipython_extension"]

FORMS = ("pandas", "arrow", "table", "polars")
OPTIONS = re.compile(r"\s*(?:(?P<name>[A-Za-z_]\w*)\s*<<)?\s*(?:--(?P<form>\w+))?\s*")


@magics_class
class SqlMagics(Magics):
    """The magic ``%%sql``.

    Parameters
    ----------
    shell
        The notebook's or terminal's IPython.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._variables: dict[str, Any] = shell.user_ns
        self._archive: Archive | None = None

    @line_cell_magic
    def sql(self, line: str, cell: str | None = None) -> Any:
        """Run one reading SQL statement and return its rows.

        `%%sql [name <<] [--pandas|--arrow|--table|--polars]` and the statement below; or `%sql SELECT …` in one line.
        With `name <<` the rows go into that variable. A `:name` in the statement is the variable of that name. The
        archive is the variable `db` if that is one, else what `alertdb.connect()` gives.
        """
        options = OPTIONS.match(line)
        assert options is not None  # noqa: S101 (it matches the empty text)
        statement = cell if cell is not None else line[options.end() :]
        if cell is not None and options.end() < len(line):
            statement = f"{line[options.end() :]}\n{cell}"
        form = options["form"] or "pandas"
        if form not in FORMS:
            raise MagicError(f"--{form} is no form of a result; expected {', '.join(f'--{name}' for name in FORMS)}.")
        try:
            question = self._database().query(statement, **self._values(statement))
            rows = getattr(question, form)()
        except AlertdbError as error:
            raise MagicError(str(error)) from None
        if options["name"] is None:
            return rows
        self._variables[options["name"]] = rows
        return None

    def _database(self) -> Archive:
        named = self._variables.get("db")
        if isinstance(named, Archive):
            return named
        if self._archive is None:
            self._archive = connect()
        return self._archive

    def _values(self, statement: str) -> dict[str, Any]:
        """Return the variables that the statement names."""
        known = self._variables
        return {name: known[name] for name in places(statement) if name in known}


def load_ipython_extension(shell: InteractiveShell) -> None:
    """Have IPython know the magic; `%load_ext alertdb` calls it."""
    shell.register_magics(SqlMagics)
