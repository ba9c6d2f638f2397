"""The console script `alertdb`: global options, the commands of all packages, and one line for each error."""

from __future__ import annotations

import os
import sys
import traceback
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli import backup, copying, doctor, lab, metrics, output, people, quality, reading, server, thumbnails
from alertdb.cli.helping import helpful
from alertdb.errors import AlertdbError
from alertdb.version import installed_version

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["app", "main"]

ENTRY_POINTS = "alertdb.commands"
BUILT_IN = (
    *(server.register, doctor.register, reading.register, thumbnails.register),
    *(backup.register, metrics.register, quality.register, copying.register, lab.register, people.register),
)
FAILED = 1
INTERRUPTED = 130  # what Typer exits with after Ctrl-C
RESUMED = "Interrupted; run the same command to resume"
ONLY_READING = {"sql", "object", "lightcurve", "cone", "thumbnails", "qa", "status"}  # they have nothing to resume

EXAMPLES = """\
[bold]Examples[/bold]

  alertdb ingest ztf_public_20180819.tar.gz

  alertdb sql "SELECT objectId, nobs FROM summary ORDER BY nobs DESC LIMIT 10"

  alertdb lightcurve ZTF21abiuvdk --plot lightcurve.png

  alertdb cone 12:34:56.7 -20:11:02 5

  alertdb thumbnails --object ZTF21abiuvdk --sheet sheet.png

Settings are read from alertdb.toml in the archive's home; ALERTDB_HOME, ALERTDB_DATABASE_URL and \
ALERTDB_THUMBNAILS_URL win over it. Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

app = typer.Typer(
    name="alertdb",
    help="An archive of astronomical alerts: tarballs in, SQL, light curves and thumbnails out.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the program and end it with the exit code of what happened."""
    chosen = globals_first(sys.argv[1:] if arguments is None else arguments)
    add_commands(debug="--debug" in chosen)
    code = run(chosen, debug="--debug" in chosen)
    sys.exit(flush(code))


def run(arguments: Sequence[str], *, debug: bool = False) -> int:
    """Run the program with these arguments; print one line for an error and return the exit code."""
    try:
        app(args=list(arguments), prog_name="alertdb", standalone_mode=True)
    except SystemExit as ending:
        if isinstance(ending.__context__, BrokenPipeError):
            return 0  # the reader of our output (`| head`) has all it wanted; Typer and Rich would end with 1
        code = ending.code if isinstance(ending.code, int) else FAILED
        if code == INTERRUPTED:
            output.message(interrupted(arguments))
        return code
    except KeyboardInterrupt:
        output.message(interrupted(arguments))
        return INTERRUPTED
    except Exception as error:
        if debug:
            traceback.print_exc()
        output.message(f"Error: {explain(error)}")
        return error.exit_code if isinstance(error, AlertdbError) else FAILED
    return 0


def interrupted(arguments: Sequence[str]) -> str:
    """Return what is said after Ctrl-C; the command is the first argument that belongs to no global option."""
    rest = iter(arguments)
    for argument in rest:
        if argument == "--home":
            next(rest, None)
        elif not argument.startswith("-"):
            return "Interrupted." if argument in ONLY_READING else RESUMED
    return RESUMED


def explain(error: Exception) -> str:
    """Return one line about any error; those that are not ours say how to see more."""
    if isinstance(error, AlertdbError):
        text = str(error)
    elif isinstance(error, OSError) and error.filename is not None and error.strerror:
        text = f"{error.filename}: {error.strerror}."
    elif reason := denial(error):
        text = f"The database does not let this account do that: {reason}. It is for whoever runs the archive."
    else:
        text = f"unexpected {type(error).__name__}: {error} (alertdb --debug … shows where)"
    return " ".join(text.split())


def denial(error: Exception) -> str | None:
    """Return the server's words if the database refused something for want of a right."""
    cause = getattr(error, "orig", None) or error  # SQLAlchemy's errors have the driver's in them
    if not hasattr(cause, "errno") or isinstance(cause, OSError):
        return None
    from alertdb.database import DENIED  # here, since it brings the driver

    return str(cause) if cause.errno in DENIED else None


def flush(code: int) -> int:
    """Write what is left for standard output; a reader that went away (`| head`) is no error to talk about."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # else the interpreter complains when it flushes on its way out
    return code


def globals_first(arguments: Sequence[str]) -> list[str]:
    """Move `--debug` and `--home FOLDER` to the front, so that they may stand after the command too."""
    moved: list[str] = []
    others: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument == "--":
            others += [argument, *rest]
        elif argument == "--debug" or argument.startswith("--home="):
            moved.append(argument)
        elif argument == "--home":
            moved += [argument, *(value for _, value in zip(range(1), rest, strict=False))]
        else:
            others.append(argument)
    return moved + others


def add_commands(*, debug: bool = False) -> None:
    """Register the commands of other packages; one that cannot be loaded takes only its own commands away."""
    for entry_point in entry_points(group=ENTRY_POINTS):
        try:
            entry_point.load()(app)
        except Exception as error:
            if debug:
                traceback.print_exc()
            output.message(f"Warning: the commands of '{entry_point.value}' are not there: {explain(error)}")
    helpful(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"alertdb {installed_version()}")
        raise typer.Exit


@app.callback()
def choose(
    home: Annotated[
        Path | None, typer.Option(help="Home of the archive; wins over ALERTDB_HOME.", metavar="FOLDER")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")] = False,  # noqa: ARG001
    version: Annotated[  # noqa: ARG001
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """An archive of astronomical alerts: tarballs in, SQL, light curves and thumbnails out."""  # noqa: D401
    if home is not None:
        os.environ["ALERTDB_HOME"] = str(home.expanduser().absolute())  # worker processes are to find the same archive


for register in BUILT_IN:
    register(app)

if __name__ == "__main__":
    main()
