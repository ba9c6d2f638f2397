"""Docstrings of commands as help: their lines are broken where the terminal ends, not where the source's do."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

__all__ = ["helpful", "reflow"]

UNDERLINE = re.compile(r"^-+\n", re.MULTILINE)  # of numpydoc's headings


def helpful(app: typer.Typer) -> None:
    """Set the help of all commands of a program from their docstrings."""
    for command in app.registered_commands:
        command.help = reflow(inspect.getdoc(command.callback) or "")
    for group in app.registered_groups:
        if group.typer_instance is not None:
            helpful(group.typer_instance)


def reflow(text: str) -> str:
    """Join the lines of each paragraph; lines that are indented stay lines, and headings lose their underlines."""
    lines = UNDERLINE.sub("\n", text).split("\n")
    joined = [lines[0]]
    for line in lines[1:]:
        is_prose = line and joined[-1] and not line.startswith(" ") and not joined[-1].startswith(" ")
        if is_prose:
            joined[-1] += f" {line}"
        else:
            joined.append(line)
    return "\n".join(joined)
