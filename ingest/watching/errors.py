"""What can stand against watching a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alertdb.errors import AlertdbError, UsageError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["NotAFolder", "WatchedAlready"]


class NotAFolder(UsageError):
    """A folder to watch is none."""

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            f"{path} {found}; expected a folder that can be read, into which tarballs are put. "
            "Make it, or mount it, then run the same command again."
        )


class WatchedAlready(AlertdbError):
    """Another process watches the same folder for the same archive."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            f"{folder} is watched already by another 'alertdb watch' of this archive; one is enough. "
            "Leave that one running, or stop it first."
        )
