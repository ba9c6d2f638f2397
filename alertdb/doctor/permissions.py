"""Who may read the passwords and reach the server's socket."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING

from alertdb.doctor.findings import Finding, Grade
from alertdb.server import PrivateServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from alertdb.config import Config

__all__ = ["examine_permissions"]


def examine_permissions(config: Config) -> Iterator[Finding]:
    """Look at the passwords, and at the folder of the private server's socket."""
    yield _judge_secrets(config.secrets)
    if config.database_url is None:
        socket = PrivateServer(config.home).socket
        yield _judge_folder("folder of the socket", socket.parent)


def _judge_secrets(folder: Path) -> Finding:
    check = "passwords"
    if not folder.exists():
        return Finding(check, Grade.WARNING, f"{folder} is not there", "'alertdb init' makes them.")
    try:
        opened = [path for path in (folder, *sorted(folder.iterdir())) if _others(path)]
    except PermissionError:
        return Finding(check, Grade.OK, f"{folder} is closed to this account")
    if opened:
        names = ", ".join(str(path) for path in opened)
        return Finding(check, Grade.PROBLEM, f"others may read {names}", f"chmod -R go= {folder}")
    return Finding(check, Grade.OK, f"{folder} is its owner's alone")


def _judge_folder(check: str, folder: Path) -> Finding:
    if not folder.exists():
        return Finding(check, Grade.OK, "no private server was made yet")
    if _others(folder):
        mode = stat.filemode(folder.stat().st_mode)
        advice = f"chmod 700 {folder}; 'alertdb start' does the same."
        return Finding(check, Grade.PROBLEM, f"others enter {folder} ({mode})", advice)
    return Finding(check, Grade.OK, f"{folder} is its owner's alone")


def _others(path: Path) -> bool:
    """Whether anybody but the owner may do anything with it."""
    return bool(path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO))
