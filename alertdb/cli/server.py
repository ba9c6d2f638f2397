"""The commands that make, start, stop and describe an archive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli import output

if TYPE_CHECKING:
    from alertdb.config import Config
    from alertdb.server import PrivateServer
    from alertdb.status import Status

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (init, start, stop, status):
        app.command()(command)


def init() -> None:
    """Make the archive: server, tables, accounts. May be run again, after an upgrade for instance.

    Without ALERTDB_DATABASE_URL it makes and starts a private MariaDB server in the archive's home, reached through
    a unix socket only. With it, that server is used; its account must be allowed to create databases and accounts.

    Example: ALERTDB_HOME=/data/alerts alertdb init
    """
    from alertdb.config import load_config, write_config_template
    from alertdb.schema import ensure_schema
    from alertdb.server import PrivateServer
    from alertdb.thumbnails import open_store

    config = load_config()
    config.home.mkdir(parents=True, exist_ok=True)
    write_config_template(config.home)
    if config.database_url is None:
        PrivateServer(config.home, config.server_options).ensure_started()
    ensure_schema(config)
    open_store(config.thumbnails, readonly=False, secrets=config.secrets)
    output.console().print(f"The archive in {config.home} is ready. Next: alertdb ingest TARBALL…", soft_wrap=True)


def start() -> None:
    """Start the private server of the archive, unless it runs.

    Example: alertdb start
    """
    server = _private_server()
    server.ensure_started()
    output.console().print(f"The server runs (process {server.pid()}, socket {server.socket}).", soft_wrap=True)


def stop() -> None:
    """Stop the private server of the archive.

    Example: alertdb stop
    """
    ran = _private_server().ensure_stopped()
    output.console().print("The server was stopped." if ran else "The server did not run.")


def status(
    exact: Annotated[
        bool, typer.Option("--exact", help="Count rows one by one instead of asking the server's statistics.")
    ] = False,
) -> None:
    """Show what is in the archive: version, data span, rows per table, disk used; what failed in watched folders.

    Example: alertdb status
    """
    from alertdb.config import load_config
    from alertdb.status import describe

    _print_status(load_config(), describe(load_config(), exact=exact))


def _print_status(config: Config, status: Status) -> None:
    from rich.table import Table

    console = output.console()
    console.print(f"Archive   {config.home}", soft_wrap=True)
    console.print(f"Server    {status.server}", soft_wrap=True)
    console.print(f"alertdb   {status.version}")
    console.print(
        f"Tarballs  {status.tarballs:,} loaded, {status.partial:,} of them partial; {status.rejects:,} rejects"
    )
    console.print(f"Nights    {status.first_night or '-'} to {status.last_night or '-'}")
    console.print(f"Alerts    {status.first_alert or '-'} to {status.last_alert or '-'} (UTC)")
    table = Table("table", box=None, pad_edge=False)
    table.add_column("rows", justify="right")
    table.add_column("disk", justify="right")
    for row in status.tables:
        approximate = "" if row.exact else "~ "
        table.add_row(row.name, f"{approximate}{row.rows:,}", output.size(row.bytes))
    console.print(table)
    console.print(f"Thumbnails  {output.size(status.thumbnails_bytes)} in {config.thumbnails}", soft_wrap=True)
    console.print(
        f"Disk        {output.size(status.disk_used)} in the home: tables, redo log, thumbnails and what else lies "
        f"there; {output.size(status.disk_free)} free",
        soft_wrap=True,
    )
    _print_watches(config)


def _print_watches(config: Config) -> None:
    from alertdb.watches import list_watches

    for watch in list_watches(config):
        looked = datetime.fromtimestamp(watch.looked_at, tz=UTC)
        head = f"Watched   {watch.folder}: {watch.waiting:,} waiting, {len(watch.failed):,} failed"
        lines = [f"{head}; last look {looked:%Y-%m-%d %H:%M:%S} UTC"]
        lines += [f"  {name} is tried again later: {why}" for name, why in watch.retried]
        lines += [f"  {failed.name} is left alone until it changes: {failed.error}" for failed in watch.failed]
        output.console().print("\n".join(lines), soft_wrap=True, markup=False)


def _private_server() -> PrivateServer:
    from alertdb.config import load_config
    from alertdb.errors import NoPrivateServer
    from alertdb.server import PrivateServer

    config = load_config()
    if config.database_url is not None:
        raise NoPrivateServer
    return PrivateServer(config.home, config.server_options)
