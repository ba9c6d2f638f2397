"""The commands that back an archive up and bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alertdb.cli.output import console, counted, message, size

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    app.command()(backup)
    app.command()(restore)


def backup(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where backups lie; made if missing.")],
    keep: Annotated[
        int | None, typer.Option(min=1, help="Remove older backups afterwards, so that N are left.", metavar="N")
    ] = None,
) -> None:
    """Back up the whole archive, while loads and readers go on: all databases and accounts, thumbnails, secrets.

    Each backup is a folder of its own, named by its time, and can be restored without the others. Thumbnails that the
    backup before has too are linked, not copied. The copy is tried out by starting a server on it, and is under its
    name only when it is whole. It holds passwords: its folder is for its owner alone.

    Run it as the owner of the server's files. Thumbnails in Couchbase are not included: 'alertdb copy-thumbnails'.

    Examples
    --------
      alertdb backup /backups/alertdb

      alertdb backup /backups/alertdb --keep 4
    """
    from alertdb.backup.make import back_up, embedded_folder
    from alertdb.config import load_config

    config = load_config()
    made = back_up(config, folder, keep, message)
    if embedded_folder(config) is None:
        message(f"Not included: the thumbnails in {config.thumbnails}. 'alertdb copy-thumbnails' copies them.")
    what = f"{counted(made.facts.tarballs, 'tarball')}, {counted(made.facts.alerts, 'alert')}, {size(made.facts.bytes)}"
    files = f"of the files of thumbnails {made.copied:,} copied, {made.linked:,} shared with the backup before"
    lines = [f"{made.path} is whole: {what}; {files}.", *(f"{path} was removed." for path in made.removed)]
    console().print("\n".join(lines), soft_wrap=True, markup=False)


def restore(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of backups (the newest is taken), or one.")],
    data_directory: Annotated[
        Path | None,
        typer.Option(help="Where a server that is not the private one keeps its tables; it is stopped.", metavar="DIR"),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Restore nothing; read the backup and its checksums.")] = False,
) -> None:
    """Bring an archive back from a backup into an empty home, and start its server.

    Every file is held against its checksum. It never writes over an archive that is there. An alertdb.toml that lies
    in the home already is kept. Interrupted, run the same command again.

    Examples
    --------
      alertdb restore /backups/alertdb --check

      ALERTDB_HOME=/data/archive alertdb restore /backups/alertdb
    """
    from alertdb.backup.layout import choose_backup
    from alertdb.backup.restore import check_backup
    from alertdb.backup.restore import restore as bring_back
    from alertdb.config import load_config
    from alertdb.server import PrivateServer

    chosen = choose_backup(folder)
    if check:
        facts = check_backup(chosen, message)
        console().print(f"{chosen} is whole: {counted(facts.files, 'file')}, made {facts.made_at}.", soft_wrap=True)
        return
    config, facts = bring_back(load_config().home, chosen, data_directory, message)
    what = f"{counted(facts.tarballs, 'tarball')}, {counted(facts.alerts, 'alert')} of {facts.made_at}"
    if config.database_url is None:
        PrivateServer(config.home, config.server_options).ensure_started()
        following = "Its server runs. Next: alertdb verify"
    else:
        following = "Next: start the server, then 'alertdb init' and 'alertdb verify'"
    console().print(f"The archive in {config.home} is back: {what}. {following}", soft_wrap=True, markup=False)
