"""The command that writes cutouts: as the packets held them, as pictures, or as a sheet of many."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli.output import message
from alertdb.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.archive import Archive

__all__ = ["register"]


class Stamp(StrEnum):
    """Which cutout of an alert."""

    SCIENCE = "science"
    TEMPLATE = "template"
    DIFFERENCE = "difference"
    ALL = "all"


class Picture(StrEnum):
    """How a cutout is written."""

    PNG = "png"
    FITS = "fits"


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(thumbnails)


def thumbnails(
    candids: Annotated[list[int] | None, typer.Argument(metavar="CANDID…", help="Alerts.")] = None,
    name: Annotated[str | None, typer.Option("--object", help="All alerts of this object.", metavar="OBJECTID")] = None,
    form: Annotated[
        Picture | None,
        typer.Option(
            "--format",
            "-f",
            help="Of the files: pictures (png), or the packet's own bytes (fits, as .fits.gz). Default: png.",
        ),
    ] = None,
    stamp: Annotated[Stamp, typer.Option(help="Which cutout.")] = Stamp.ALL,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for one file per cutout; made if missing.", metavar="FOLDER"),
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Draw all into one picture (.png, .pdf or .svg).", metavar="FILE")
    ] = None,
    gif: Annotated[
        Path | None,
        typer.Option(
            help="Write all through time as an animation (.gif), of an object with its light curve.", metavar="FILE"
        ),
    ] = None,
) -> None:
    """Write the cutouts of alerts, one file each (CANDID_science.png); or all in one picture, or as an animation.

    Row 0 of an image is at the bottom of its picture. Without --output files go into the current folder, and with
    --sheet or --gif alone none are written.

    Examples
    --------
      alertdb thumbnails --object ZTF21abiuvdk --sheet ZTF21abiuvdk.png --gif ZTF21abiuvdk.gif

      alertdb thumbnails 1642404680815015001 --format fits --stamp science --output stamps
    """
    from alertdb.archive import connect
    from alertdb.cli.pictures import ANIMATIONS, check_picture
    from alertdb.cutouts import candids_of

    if (name is None) == (not candids):
        raise UsageError("Name the alerts either by their candids or by --object OBJECTID.")
    if sheet is not None and output is None and form is not None:
        raise UsageError("--format is that of the single files; a sheet's is its suffix. Leave it out or add --output.")
    if gif is not None:
        check_picture(gif, ANIMATIONS)
    with connect() as archive:
        chosen = candids_of(archive.reader, name) if name else list(dict.fromkeys(candids or []))
        if sheet is not None:
            _draw_sheet(archive, chosen, sheet, stamp)
        if gif is not None:
            _draw_animation(archive, chosen, name, gif)
        if (sheet is None and gif is None) or output is not None:
            _write_files(archive, chosen, form or Picture.PNG, stamp, (output or Path()).absolute())


def _write_files(archive: Archive, candids: list[int], form: Picture, stamp: Stamp, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    try:
        for candid, kind, content in _cutouts(archive, candids, stamp):
            _write(content, folder / f"{candid}_{kind}", form)
            count += 1
    finally:
        if count or not sys.exc_info()[0]:
            message(f"{count:,} file{'' if count == 1 else 's'} written to {folder}")


def _cutouts(archive: Archive, candids: list[int], stamp: Stamp) -> Iterator[tuple[int, str, bytes]]:
    """Yield (candid, kind, bytes of the gzipped FITS) of each cutout wanted."""
    from alertdb.cutouts import read_documents
    from alertdb.thumbnails.document import read_document

    for candid, document in read_documents(archive.config, candids):
        for kind, content in read_document(document).items():
            if stamp in (Stamp.ALL, kind):
                yield candid, kind, content


def _write(content: bytes, path: Path, form: Picture) -> None:
    if form is Picture.FITS:
        path.with_name(f"{path.name}.fits.gz").write_bytes(content)
        return
    from alertdb.stamps import read_stamp, write_png

    write_png(read_stamp(content), path.with_name(f"{path.name}.png"))


def _draw_sheet(archive: Archive, candids: list[int], file: Path, stamp: Stamp) -> None:
    from alertdb.cli.pictures import check_picture
    from alertdb.contact_sheet import contact_sheet
    from alertdb.cutouts import sheet_alerts
    from alertdb.thumbnails import KINDS

    check_picture(file)
    alerts = sheet_alerts(archive.reader, archive.thumbnails(candids))
    kinds = KINDS if stamp is Stamp.ALL else (stamp.value,)
    contact_sheet(alerts, title=_title(archive, candids), kinds=kinds).savefig(file)
    message(f"cutouts of {len(alerts):,} alert{'' if len(alerts) == 1 else 's'} drawn into {file}")


def _draw_animation(archive: Archive, candids: list[int], name: str | None, file: Path) -> None:
    curve = archive.lightcurve(name, forced=True) if name else None
    archive.thumbnails(candids).gif(file, curve=curve)
    message(f"cutouts of {len(candids):,} alert{'' if len(candids) == 1 else 's'} drawn into {file}")


def _title(archive: Archive, candids: list[int]) -> str:
    """Return the names of the objects, as many as a title has room for."""
    statement = "SELECT DISTINCT objectId FROM alerts WHERE candid IN :candids ORDER BY objectId"
    names = [str(row) for row in archive.reader.query(statement, {"candids": candids}).column(0).to_pylist()]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
