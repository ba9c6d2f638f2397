"""The commands that fill the archive, and those that show what was filled in; part of the program `alertdb`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alertdb.cli.output import FormatOption, OutputOption, console, message, write_table
from ingest.fetching.command import fetch
from ingest.simulation.command import simulate
from ingest.watching.command import watch

__all__ = ["register"]


FromOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--from",
        metavar="FOLDER",
        help="Where the tarballs of the nights around lie; may be given several times. What they told as well as the "
        "one that goes comes back from them.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (fetch, ingest, watch, nights, rejects, verify, remove, csv, simulate):
        app.command()(command)
    group = typer.Typer(no_args_is_help=True, help="Keep the table of objects in step with the alerts.")
    group.command()(update)
    group.command()(rebuild)
    app.add_typer(group, name="summary")


def ingest(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH…", help="Tarballs (.tar.gz, .tar), single .avro files, or folders of any of them."
        ),
    ],
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="How many tarballs to load at once (default: as many as cores, if worth it)."),
    ] = None,
    max_bad: Annotated[
        int | None,
        typer.Option(min=0, help="End with exit code 1 if more packets than this are rejected.", metavar="N"),
    ] = None,
    allow_damaged: Annotated[
        bool, typer.Option("--allow-damaged", help="Load what is whole of a damaged tarball; the ledger says so.")
    ] = False,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace", help="Load also what is in, in the place of what is there: a re-issued night, or a repair."
        ),
    ] = False,
    places: FromOption = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Load nothing; estimate alerts, space and time, and compare with what is free."),
    ] = False,
) -> None:
    """Load alerts: rows into the tables, cutouts into the thumbnail store, an entry into the ledger.

    A tarball is in as a whole or not at all. One that is in is skipped, so after an interruption of any kind run the
    same command again. A packet that cannot be used is a reject (see 'alertdb rejects') and stops nothing.

    Examples
    --------
      alertdb ingest ztf_public_20180819.tar.gz

      alertdb ingest /data/tarballs --workers 4

      alertdb ingest /data/tarballs --dry-run

      alertdb ingest new/ztf_public_20180819.tar.gz --replace --from /data/tarballs
    """
    from alertdb.config import load_config
    from ingest.report import report_estimate, report_load
    from ingest.session import Options, choose_workers
    from ingest.tarballs import find_sources

    config = load_config()
    sources = find_sources(paths)
    if dry_run:
        report_estimate(console(), sources, config)
        return
    chosen = min(workers or choose_workers(sources), len(sources))
    options = Options(allow_damaged=allow_damaged, replace=replace, neighbours=tuple(places or ()))
    failures = report_load(console(), sources, config, chosen, options, max_bad=max_bad)
    if failures:
        raise typer.Exit(1)


def nights(form: FormatOption = None, output: OutputOption = None) -> None:
    """List the tarballs that are in: the ledger.

    Examples
    --------
      alertdb nights

      alertdb nights --format csv --output ledger.csv
    """
    from alertdb.config import load_config
    from ingest.listings import damages, ledger_table, short_ledger_table

    config = load_config()
    if form is not None or output is not None:
        write_table(ledger_table(config), form, output)
        return
    write_table(short_ledger_table(config))
    for name, damage in damages(config).items():
        message(f"{name} is partial: {damage}")


def rejects(
    tarball: Annotated[str | None, typer.Argument(help="File name of one tarball; all if left out.")] = None,
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """List the packets that were not loaded, with the reason.

    Examples
    --------
      alertdb rejects

      alertdb rejects ztf_public_20180601.tar.gz
    """
    from alertdb.config import load_config
    from ingest.listings import rejects_table

    write_table(rejects_table(load_config(), tarball), form, output)


def csv(
    tarball: Annotated[Path, typer.Argument(metavar="TARBALL", help="A .tar.gz, .tar or .avro file.")],
    output: Annotated[Path, typer.Option("--output", "-o", file_okay=False, help="Folder for the files.")],
    allow_damaged: Annotated[
        bool, typer.Option("--allow-damaged", help="Write what is whole of a damaged tarball.")
    ] = False,
) -> None:
    """Write the rows of a tarball as CSV files, one for each table; needs no server and no archive.

    Sorted by key, each key once, an empty field is NULL. Beside them columns.json says type, unit, meaning and
    null rule of each column, and rejects.csv which packets could not be used, and why.

    Example: alertdb csv ztf_public_20180819.tar.gz --output csv
    """
    from ingest.checking import report_csv

    report_csv(tarball, output, allow_damaged=allow_damaged)


def verify(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="TARBALL…", help="Tarballs that are in, or folders of them; the ledger if left out."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Print at most so many differences.", metavar="N")] = 20,
    accept: Annotated[
        bool,
        typer.Option("--accept", help="Record what the shared tables hold now as right: the last step of a repair."),
    ] = False,
) -> None:
    """Compare the archive with tarballs, or with its own ledger; name each difference, exit code 1 if there is one.

    With tarballs: every cell, every stamp, every reject, every row that their histories brought. Without: the number
    and the checksum of each tarball's alerts, of each row of the shared tables and of each table, all thumbnails.
    Nothing is changed, and loads may go on. To repair: 'alertdb ingest --replace' with the tarballs concerned.

    Examples
    --------
      alertdb verify

      alertdb verify ztf_public_20180819.tar.gz --limit 100
    """
    from alertdb.config import load_config
    from ingest.checking import report_accept, report_verify

    if accept:
        report_accept(load_config())
    if report_verify(paths or [], load_config(), limit):
        raise typer.Exit(1)


def remove(
    tarball: Annotated[str, typer.Argument(metavar="TARBALL", help="File name of the tarball, as in the ledger.")],
    places: FromOption = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Remove nothing; say what would go.")] = False,
) -> None:
    """Remove a tarball: afterwards the archive is as if it had never been loaded. Asks no question.

    Its alerts, thumbnails, rejects and entry go, and the rows of the shared tables that it had won. What other tarballs
    hold of these comes back from them; those within 30 nights are needed for that, and --from says where they lie.

    Examples
    --------
      alertdb remove ztf_public_20180819.tar.gz --from /data/tarballs --dry-run

      alertdb remove ztf_public_20180819.tar.gz --from /data/tarballs
    """
    from alertdb.config import load_config
    from ingest.remove import report_remove

    report_remove(tarball, load_config(), places or [], dry_run=dry_run)


def update(
    objects: Annotated[list[str] | None, typer.Argument(metavar="OBJECTID…", help="Objects; all if left out.")] = None,
) -> None:
    """Compute the rows of some or all objects again, in place. Ingest does this for the objects that it touches.

    Example: alertdb summary update ZTF21abiuvdk
    """
    from alertdb.config import load_config
    from ingest.summary import update_all

    count = update_all(load_config(), "ztf", objects or None, lambda done: message(f"objects looked at: {done:,}"))
    console().print(f"The summary is in step: {count:,} objects with two or more alerts.")


def rebuild() -> None:
    """Compute the summary of all objects anew, for instance after a column was added under sql/summary.

    The old table serves until the new one takes its place.

    Example: alertdb summary rebuild
    """
    from alertdb.config import load_config
    from ingest.summary import rebuild_all

    count = rebuild_all(load_config(), "ztf", lambda done: message(f"objects looked at: {done:,}"))
    console().print(f"The summary was rebuilt: {count:,} objects with two or more alerts.")
