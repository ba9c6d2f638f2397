"""The commands that read: sql, object, lightcurve, cone."""

from __future__ import annotations

import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli.output import Format, FormatOption, OutputOption, check_output, console, message, write_table
from alertdb.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from alertdb.query import Reader

__all__ = ["register"]

MOST_PANELS = 12
DOTS_PER_INCH = 150


class Quantity(StrEnum):
    """What a picture of a light curve shows."""

    DIFFERENCE = "difference"
    APPARENT = "apparent"
    FLUX = "flux"


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (sql, show_object, lightcurve):
        app.command("object" if command is show_object else None)(command)
    # A declination such as -20.5 must not be taken for an option.
    app.command(context_settings={"ignore_unknown_options": True})(cone)


def sql(
    query: Annotated[
        str,
        typer.Argument(metavar="QUERY|@FILE", help="SQL, or @ and the file that holds it; @- reads standard input."),
    ],
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """Run one SQL statement that reads, through an account that can do nothing else.

    Numbers are exact in csv, json and parquet: 64-bit ids and their sums are integers, and a FLOAT is printed with all
    its digits. NULL is null in json and empty in csv.

    Examples
    --------
      alertdb sql "SELECT objectId, nobs, magmin_r FROM summary ORDER BY nobs DESC LIMIT 10"

      alertdb sql @query.sql --output rows.parquet

      alertdb sql "DESCRIBE alerts"
    """
    from alertdb.archive import connect

    check_output(form, output)
    text = _statement(query)
    with connect() as archive:
        table = archive.reader.query(text)
    write_table(table, form, output)


def show_object(
    name: Annotated[str, typer.Argument(metavar="OBJECTID")], form: FormatOption = None, output: OutputOption = None
) -> None:
    """Show the summary of one object: counts, mean position, magnitudes per filter.

    Example: alertdb object ZTF21abiuvdk
    """
    from alertdb.archive import connect

    check_output(form, output)
    with connect() as archive:
        table = archive.object_table(name)
    if form in (None, Format.TABLE) and output is None:
        from alertdb.cli.tables import print_record

        print_record(table, console())
        return
    write_table(table, form, output)


def lightcurve(
    names: Annotated[list[str], typer.Argument(metavar="OBJECTID…")],
    form: FormatOption = None,
    output: OutputOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            help="Draw it into this file (.png, .pdf or .svg); the table is then written only with --format or "
            "--output.",
            metavar="FILE",
        ),
    ] = None,
    quantity: Annotated[
        Quantity,
        typer.Option(
            help="What to draw: difference magnitude, apparent magnitude, or flux of the difference (microjansky)."
        ),
    ] = Quantity.DIFFERENCE,
    limits: Annotated[bool, typer.Option("--limits/--no-limits", help="With upper limits.")] = True,
    history: Annotated[
        bool, typer.Option("--history/--no-history", help="With detections known from the history only.")
    ] = True,
    forced: Annotated[
        bool, typer.Option("--forced/--no-forced", help="With epochs of forced photometry alone.")
    ] = False,
) -> None:
    """Show the light curves of objects in the order given; with --plot as a picture, brighter is up.

    Examples
    --------
      alertdb lightcurve ZTF21abiuvdk --plot ZTF21abiuvdk.png

      alertdb lightcurve ZTF21abiuvdk --plot flux.png --quantity flux --forced

      alertdb lightcurve ZTF21abiuvdk ZTF18abiyatb --no-limits --format csv
    """
    from alertdb.archive import connect

    check_output(form, output)
    with connect() as archive:
        table = archive.lightcurve_table(names, limits=limits, history=history, forced=forced)
        if plot is not None:
            _plot(archive.reader, table, plot, quantity)
    if plot is None or form is not None or output is not None:
        write_table(table, form, output)


def cone(
    ra: Annotated[str, typer.Argument(metavar="RA", help='Degrees, or hours as "12:34:56.7". J2000.')],
    dec: Annotated[str, typer.Argument(metavar="DEC", help='Degrees, or "-20:11:02". J2000.')],
    radius: Annotated[float, typer.Argument(metavar="RADIUS", help="In arcsec, up to 36000.")],
    form: FormatOption = None,
    output: OutputOption = None,
) -> None:
    """List the alerts around a place on the sky, the nearest first, with the great-circle distance in arcsec.

    Examples
    --------
      alertdb cone 188.7 -20.2 5

      alertdb cone 12:34:56.7 -20:11:02 5 --format csv
    """
    from alertdb.archive import connect

    check_output(form, output)
    with connect() as archive:
        table = archive.cone_table((ra, dec), radius)
    write_table(table, form, output)
    if not table.num_rows:
        message(f"No alert lies within {radius:g} arcsec of {ra} {dec}; try a larger radius, up to 36000 arcsec.")


def _statement(query: str) -> str:
    """Return the SQL that is given, or that a file or standard input holds; some editors begin a file with a mark."""
    if query.startswith("@"):
        content = sys.stdin.buffer.read() if query == "@-" else Path(query[1:]).read_bytes()
        try:
            return content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise UsageError(f"{query} holds no SQL: it is no text in UTF-8.") from None
    with suppress(OSError, ValueError):  # most SQL is no name of a file at all
        if Path(query).is_file():
            raise UsageError(f"{query} is a file and no SQL; did you mean @{query}?")
    return query


def _plot(reader: Reader, table: pa.Table, file: Path, quantity: Quantity) -> None:
    from alertdb.cli.pictures import check_picture
    from alertdb.epochs import with_reference
    from alertdb.errors import TooManyPanels
    from alertdb.frames import to_frame
    from alertdb.lightcurves import plot_lightcurves

    check_picture(file)
    frame = to_frame(table)
    objects = frame["objectId"].nunique()
    if objects > MOST_PANELS:
        raise TooManyPanels(objects, MOST_PANELS)
    if quantity is Quantity.APPARENT:
        frame = with_reference(reader, frame)
    plot_lightcurves(frame, quantity.value).savefig(file, dpi=DOTS_PER_INCH)
    message(f"{len(frame):,} epochs drawn into {file}")
