"""The command that draws the quality pictures of an archive."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from alertdb.cli.output import message
from alertdb.errors import UsageError

__all__ = ["register"]

DOTS_PER_INCH = 150


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(qa)


def qa(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for pictures and report; made if missing.", metavar="FOLDER")
    ],
    public: Annotated[bool, typer.Option("--public", help="Of the public alerts only (programid 1).")] = False,
) -> None:
    """Draw what tells whether the data are good: alerts per night, limits, scores, the sky, errors, rejects.

    Writes a picture (.png) and the numbers it shows (.csv) for each, and all in one page, report.html. The server
    counts: no table is downloaded.

    Example: alertdb qa --output qa
    """
    from alertdb.archive import Archive, connect
    from alertdb.config import load_config
    from alertdb.database import SURVEY
    from alertdb.qa.report import write_report
    from alertdb.schema import public_database

    drawn = []
    with Archive(load_config(), public_database(SURVEY)) if public else connect() as archive:
        archive.reader.limits()  # who may not read this archive, or when no server answers, gets no folder
        _make_folder(output)
        started = time.monotonic()
        for picture in archive.qa.all():
            picture.figure.savefig(output / f"{picture.name}.png", dpi=DOTS_PER_INCH)
            picture.table.to_csv(output / f"{picture.name}.csv", index=False)
            message(f"{picture.title}: {output / picture.name}.png")
            drawn.append(picture)
        write_report(output / "report.html", repr(archive).strip("<>"), drawn)
    message(f"{len(drawn)} pictures in {time.monotonic() - started:.1f} s; all on one page: {output / 'report.html'}")


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        file = next(place for place in (path, *path.parents) if place.exists())
        raise UsageError(
            f"{file} is a file; --output expects a folder for pictures and report, made if missing: name another."
        ) from None
