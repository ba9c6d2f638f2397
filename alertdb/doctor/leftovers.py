"""What loads that were killed have left behind. It does no harm but takes room."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from alertdb.doctor.findings import Finding, Grade
from alertdb.thumbnails.unfinished import UNFINISHED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alertdb.config import Config

__all__ = ["examine_leftovers"]


def examine_leftovers(config: Config) -> Iterator[Finding]:
    """Look for folders in the spool and unfinished files of thumbnails."""
    yield _judge("spool", sorted(config.spool.iterdir()) if config.spool.is_dir() else [])
    url = urlsplit(config.thumbnails)
    if url.scheme == "file":
        folder = Path(unquote(url.path))
        yield _judge(
            "unfinished thumbnails", [path for path in sorted(folder.rglob(f"*{UNFINISHED}")) if _is_left(path)]
        )


def _judge(check: str, left: list[Path]) -> Finding:
    if not left:
        return Finding(check, Grade.OK, "nothing is left over")
    names = ", ".join(path.name for path in left[:3]) + (f" and {len(left) - 3} more" if len(left) > 3 else "")
    advice = (
        f"Unless a load is running: load that tarball, which clears them away, or remove them from {left[0].parent}."
    )
    return Finding(check, Grade.WARNING, f"{len(left)} left over: {names}", advice)


def _is_left(path: Path) -> bool:
    """Whether no writer holds this file."""
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:
        return True
