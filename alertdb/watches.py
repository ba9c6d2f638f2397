"""What watched folders have come to: a small file for each, written by `alertdb watch`, read by whoever asks.

The file lies in the archive's home and not in the folder, which may be mounted to read only.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from alertdb.config import Config

__all__ = ["Failed", "Watch", "list_watches", "read_watch", "watch_path", "write_watch"]


@dataclass(frozen=True)
class Failed:
    """A tarball that could not be loaded and is left alone until it changes.

    Attributes
    ----------
    bytes, modified_ns
        Size and time of change of the file that failed (ns since 1970, UTC).
    error
        Why, in one line.
    at
        When, in seconds since 1970 (UTC).
    """

    name: str
    bytes: int
    modified_ns: int
    error: str
    at: float


@dataclass(frozen=True)
class Watch:
    """What a watched folder had come to at the last look.

    Attributes
    ----------
    looked_at
        When that was, in seconds since 1970 (UTC).
    waiting
        Tarballs that are still being written, or whose turn has not come.
    retried
        Those of them that failed for a reason that may pass, and why.
    failed
        Tarballs that are left alone until they change.
    """

    folder: str
    looked_at: float = 0.0
    waiting: int = 0
    retried: tuple[tuple[str, str], ...] = ()
    failed: tuple[Failed, ...] = ()


def watch_path(config: Config, folder: Path, suffix: str = ".json") -> Path:
    """Return the file of a watched folder."""
    digest = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:16]
    return config.home / "watch" / f"{digest}{suffix}"


def list_watches(config: Config) -> list[Watch]:
    """Return what all watched folders of an archive have come to, by folder."""
    paths = (config.home / "watch").glob("*.json")
    return sorted(filter(None, map(_read, paths)), key=lambda watch: watch.folder)


def read_watch(config: Config, folder: Path) -> Watch:
    """Return what a folder had come to; of one that was never watched, nothing."""
    return _read(watch_path(config, folder)) or Watch(str(folder))


def write_watch(config: Config, watch: Watch, folder: Path) -> None:
    """Keep what a folder has come to; readers see the old file or the new one."""
    path = watch_path(config, folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(json.dumps(asdict(watch), indent=1) + "\n", encoding="utf-8")
    unfinished.rename(path)


def _read(path: Path) -> Watch | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
        retried = tuple((name, why) for name, why in facts.pop("retried"))
        failed = tuple(Failed(**each) for each in facts.pop("failed"))
        return Watch(**facts, retried=retried, failed=failed)
    except (OSError, ValueError, KeyError, TypeError):
        return None
