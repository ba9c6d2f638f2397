"""The commands that read: sql, object, lightcurve, cone, thumbnails."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

__all__ = ["register"]

PANEL = "Read the archive"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
