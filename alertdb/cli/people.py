"""The commands about people with an account of their own, and the watchdog."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli import output
from alertdb.people.names import LIMITS

if TYPE_CHECKING:
    from alertdb.people.accounts import Person

__all__ = ["register"]

app = typer.Typer(no_args_is_help=True, help="People with an account of their own: who there is, limits, who left.")
Number = Annotated[int, typer.Argument(help="Numeric id at GitHub, the number in gh<id> and my_<id>.", metavar="ID")]


def register(main: typer.Typer) -> None:
    """Add the commands to the program."""
    main.add_typer(app, name="people")
    main.command()(watchdog)


def watchdog(
    every: Annotated[float, typer.Option(help="Seconds between two looks.", min=0.1)] = 1.0,
) -> None:
    """End what people's accounts do over their limits, or in the way of the archive. Runs until it is stopped.

    What it ends it says on standard error, and to the user in alertdb_people.my_notices. 'alertdb people limits' shows
    the limits; a change counts from the next look.

    Example: alertdb watchdog
    """
    from alertdb.config import load_config
    from alertdb.people.watchdog import watch

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    watch(load_config(), every)


@app.command("list")
def list_(
    left: Annotated[bool, typer.Option("--left", help="Only those whom the hub knows no more.")] = False,
) -> None:
    """List who has an account: rights, whether it is open, size of the scratch database.

    Example: alertdb people list --left
    """
    from rich.table import Table

    from alertdb.config import load_config
    from alertdb.database import Account
    from alertdb.people.accounts import list_people

    people = [p for p in list_people(load_config(), Account.ADMIN) if p.left_at or not left]
    table = Table("id", "login", "reads", "account", "last opened (UTC)", "left (UTC)", box=None, pad_edge=False)
    table.add_column("scratch", justify="right")
    for person in people:
        table.add_row(*_row(person))
    output.console().print(table)


@app.command()
def export(
    person: Number,
    to: Annotated[Path, typer.Option("--output", "-o", help="Folder; made if missing.", metavar="FOLDER")],
) -> None:
    """Write the tables of somebody's scratch database into Parquet files.

    Example: alertdb people export 1234567 --output for_ada
    """
    from alertdb.config import load_config
    from alertdb.people.leaving import export_scratch

    count = 0
    for path, rows in export_scratch(load_config(), person, to):
        output.message(f"{path}: {output.counted(rows, 'row')}")
        count += 1
    output.message(f"{output.counted(count, 'table')} written.")


@app.command()
def remove(
    person: Number,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove somebody's account and scratch database for good. An account that is open is not removed.

    Example: alertdb people remove 1234567
    """
    from alertdb.config import load_config
    from alertdb.people.leaving import find_person, remove_person

    found = find_person(load_config(), person)
    question = f"Remove {found.account} ({found.login}) and {found.scratch} with {output.size(found.scratch_bytes)}?"
    if not yes:
        typer.confirm(question, abort=True)
    remove_person(load_config(), person)
    output.message(f"{found.account} ({found.login}) and {found.scratch} are removed.")


def _limits(incomplete: str) -> list[str]:
    """Return what the shell may offer: it does not ask a server, which may be away."""
    return [name for name in LIMITS if name.startswith(incomplete)]


@app.command()
def limits(
    name: Annotated[str | None, typer.Argument(help="The limit to change.", autocompletion=_limits)] = None,
    value: Annotated[int | None, typer.Argument(help="Its new value.", min=1)] = None,
    person: Annotated[
        int | None, typer.Option("--person", help="Change scratch_MB for this person alone.", metavar="ID")
    ] = None,
) -> None:
    """Show the limits of people's accounts, or change one.

    Example: alertdb people limits statement_seconds 300
    """
    from rich.table import Table

    from alertdb.config import load_config
    from alertdb.errors import UsageError
    from alertdb.people.leaving import list_limits, set_limit, set_scratch_limit

    config = load_config()
    if person is not None and name != "scratch_MB":
        raise UsageError(
            "One person can have only a scratch_MB of their own: alertdb people limits scratch_MB N --person ID"
        )
    if person is not None:
        set_scratch_limit(config, person, value)
    elif name is not None and value is not None:
        set_limit(config, name, value)
    elif name is not None:
        raise UsageError(f"Give the new value: alertdb people limits {name} VALUE")
    table = Table("limit", box=None, pad_edge=False)
    table.add_column("value", justify="right")
    table.add_column("what happens")
    for limit, number, meaning in list_limits(config):
        table.add_row(limit, f"{number:,}", meaning)
    output.console().print(table)


def _row(person: Person) -> list[str]:
    return [
        str(person.id),
        person.login,
        "all" if person.partnership else "public",
        "open" if person.is_open else "locked",
        f"{person.opened_at:%Y-%m-%d %H:%M}",
        f"{person.left_at:%Y-%m-%d %H:%M}" if person.left_at else "-",
        output.size(person.scratch_bytes) + (" (over its limit)" if person.scratch_full else ""),
    ]
