"""The command that copies thumbnails into another store."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli.output import console, counted, message, size

if TYPE_CHECKING:
    from rich.progress import Progress

    from alertdb.thumbnails.copying import Copied

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("copy-thumbnails")(copy)


def copy(
    source_url: Annotated[str, typer.Argument(metavar="SOURCE_URL", help="Store to read.", show_default=False)],
    target_url: Annotated[str, typer.Argument(metavar="TARGET_URL", help="Store to write.", show_default=False)],
    recheck: Annotated[
        bool, typer.Option("--recheck", help="Also read back what is there already, and copy again what differs.")
    ] = False,
) -> None:
    """Copy thumbnails from one store into another; what is there already is skipped.

    A URL is file:///folder or couchbase://host/bucket; accounts of a cluster come from ALERTDB_COUCHBASE_ACCOUNT or
    secrets/couchbase in the archive's home. Each tarball is read back and compared by its checksums. Interrupted, the
    same command goes on with the tarball where it was. Exit code 1 if a tarball could not be copied.

    Example: alertdb copy-thumbnails file:///data/thumbnails couchbase://db1,db2/ztf
    """
    from alertdb.config import load_config
    from alertdb.thumbnails import open_store
    from alertdb.thumbnails.copying import copy_thumbnails

    secrets = load_config().secrets
    source, target = open_store(source_url, secrets=secrets), open_store(target_url, readonly=False, secrets=secrets)
    total = sum(tarball.documents for tarball in source.tarballs())
    counts: Counter[str] = Counter()
    with _progress() as progress:
        task = progress.add_task("thumbnails", total=total)
        for copied in copy_thumbnails(source, target, lambda done: progress.advance(task, done), recheck=recheck):
            _tell(copied)
            counts["failed" if copied.damage else "copied" if copied.copied else "skipped"] += 1
    output = f"{counted(counts['copied'], 'tarball')} copied, {counts['skipped']:,} were there already"
    console().print(output + (f", {counts['failed']:,} could not be copied" if counts["failed"] else ""))
    if counts["failed"]:
        raise typer.Exit(1)


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console(errors=True), transient=True, disable=not sys.stderr.isatty())


def _tell(copied: Copied) -> None:
    """Say what became of a tarball; those that were there are only counted."""
    tarball = copied.tarball
    name = f"{tarball.tarball} ({tarball.rights})"
    if copied.damage is not None:
        message(f"{name}: not copied. {copied.damage}")
    elif copied.copied:
        message(f"{name}: {counted(tarball.documents, 'thumbnail')}, {size(tarball.size_bytes)}")
