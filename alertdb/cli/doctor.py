"""The command that looks for what is wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from alertdb.cli import output
from alertdb.cli.output import FormatOption, OutputOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from alertdb.doctor import Finding

__all__ = ["register"]

COLOURS = {"ok": "green", "warning": "yellow", "problem": "bold red"}


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(doctor)


def doctor(form: FormatOption = None, output_file: OutputOption = None) -> None:
    """Look for what is wrong with the archive, its server and the machine, and say what to do.

    A warning may have its reasons; a problem stops something or endangers data. Exit code 1 if there is a problem.

    Examples
    --------
      alertdb doctor

      alertdb doctor --format json
    """
    from alertdb.config import load_config
    from alertdb.doctor import Grade, examine

    findings = examine(load_config())
    if output_file is None and form in (None, output.Format.TABLE):
        _print(findings)
    else:
        _write(findings, form, output_file)
    if any(finding.grade is Grade.PROBLEM for finding in findings):
        raise typer.Exit(1)


def _print(findings: Sequence[Finding]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "looked at", "found", box=None, pad_edge=False)
    for finding in findings:
        found = Text(finding.found)
        if finding.advice:
            found.append(f"\n{finding.advice}", style="italic")
        table.add_row(Text(finding.grade.value, style=COLOURS[finding.grade.value]), finding.check, found)
    output.console().print(table)
    counts = {grade: sum(finding.grade.value == grade for finding in findings) for grade in COLOURS}
    output.console().print(f"{counts['problem']} problems, {counts['warning']} warnings, {counts['ok']} ok")


def _write(findings: Sequence[Finding], form: output.Format | None, output_file: OutputOption) -> None:
    import pyarrow as pa

    columns = {
        name: [str(getattr(finding, name)) for finding in findings] for name in ("check", "grade", "found", "advice")
    }
    output.write_table(pa.table(columns), form, output_file)
