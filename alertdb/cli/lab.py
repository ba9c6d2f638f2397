"""The command that opens JupyterLab beside the archive, for one person: no hub, no GitHub, no containers."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alertdb.cli.output import message

if TYPE_CHECKING:
    from alertdb.config import Config

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command()(lab)


def lab(
    folder: Annotated[
        Path | None,
        typer.Option(help="Folder for your notebooks; else notebooks/ in the archive's home.", metavar="FOLDER"),
    ] = None,
    port: Annotated[int, typer.Option(help="Port on the loopback; the next free one if it is taken.")] = 8888,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open it in the browser.")] = True,
) -> None:
    """Open JupyterLab beside this archive, for yourself alone.

    The example notebooks are copied into the folder; what is there already stays as it is. In each notebook,
    alertdb.connect() opens this archive. JupyterLab listens on the loopback, and only whoever has the token in the
    address that it prints gets in. Ctrl-C ends it.

    Example: alertdb lab --no-browser --port 8890
    """
    from alertdb.config import load_config
    from alertdb.hub.errors import HubExtraMissing
    from alertdb.hub.examples import EXAMPLES, copy_examples

    if importlib.util.find_spec("jupyterlab") is None:
        raise HubExtraMissing("jupyterlab")
    config = load_config()
    _check_answers(config)
    notebooks = (folder or config.home / "notebooks").expanduser().absolute()
    copy_examples(EXAMPLES, notebooks)
    message(f"JupyterLab opens with the notebooks in {notebooks}; Ctrl-C ends it.")
    environment = {**os.environ, "ALERTDB_HOME": str(config.home)}
    os.execve(sys.executable, _command(notebooks, port, browser=browser), environment)  # noqa: S606 (no shell wanted)


def _check_answers(config: Config) -> None:
    """Start the private server if there is one, and ask the archive: what is wrong is told here, not in a notebook."""
    from alertdb.database import Account, connect
    from alertdb.server import PrivateServer

    server = PrivateServer(config.home, config.server_options)
    if config.database_url is None and server.exists:
        server.ensure_started()
    connect(config, Account.READER).close()


def _command(notebooks: Path, port: int, *, browser: bool) -> list[str]:
    from alertdb.hub.jupyter import lab_options

    options = [
        f"--ServerApp.root_dir={notebooks}",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}",
        *lab_options(),
    ]
    if not browser:
        options.append("--no-browser")
    if os.geteuid() == 0:
        options.append("--allow-root")  # whoever calls this as root means it; only they hold the token
    return [sys.executable, "-m", "jupyterlab", *options]
