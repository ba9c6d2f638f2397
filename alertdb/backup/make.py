"""Making a backup: thumbnails, then tables, then the thumbnails that came meanwhile; whole or not there at all."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from alertdb.backup.errors import BackupNotWritten, BackupOvertaken, BackupRoom
from alertdb.backup.files import (
    FULL,
    alone_in,
    copy_file,
    files_in,
    hash_file,
    link_or_copy,
    same_file,
    size_of,
    written_to,
)
from alertdb.backup.layout import (
    DATA,
    FACTS,
    SUMS,
    THUMBNAILS,
    UNFINISHED,
    Facts,
    list_backups,
    read_sums,
    time_name,
)
from alertdb.backup.tables import copy_tables, data_folder, try_tables
from alertdb.config import FILE_NAME
from alertdb.thumbnails import RIGHTS
from alertdb.thumbnails.shelf import SUFFIX
from alertdb.version import installed_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from alertdb.backup.tables import Trial
    from alertdb.config import Config

__all__ = ["LAST_BACKUP", "Made", "back_up", "embedded_folder"]

LAST_BACKUP = "last_backup.json"  # in the archive's home, for who watches over backups
REMOVED = "removed-"
LOG = "mariadb-backup.log"
WORK = "backup"  # in the archive's home: where the copy is tried out


@dataclass(frozen=True)
class Made:
    """A backup that was made.

    Attributes
    ----------
    copied, linked
        Sealed files of thumbnails that are new in it, and that it shares with the backup before.
    removed
        Older backups that went afterwards.
    """

    path: Path
    facts: Facts
    copied: int
    linked: int
    removed: tuple[Path, ...]


def back_up(config: Config, folder: Path, keep: int | None, tell: Callable[[str], None]) -> Made:
    """Back an archive up into a new folder inside `folder`; loads and readers may go on.

    Parameters
    ----------
    keep
        Remove older backups afterwards, so that so many are left; None for all.
    tell
        Told what is being done.

    Raises
    ------
    AlertdbError
        If there is no whole backup; those that were there are as they were.
    """
    data = data_folder(config)
    with alone_in(config.home / WORK), alone_in(folder), written_to(folder):
        whole = list_backups(folder)
        backup = _Unfinished(config, folder / UNFINISHED, whole[-1] if whole else None, tell)
        _check_room(folder, size_of(data) + backup.bytes_to_copy())
        try:
            made_at, trial = backup.fill(data)
        except BaseException:
            backup.forget_tables()
            raise
        facts = backup.describe(trial, made_at)
        path = folder / time_name(made_at)
        tell("writing everything to the disk")
        os.sync()
        (folder / UNFINISHED).rename(path)
        os.sync()
        removed = _remove_old(folder, keep)
        _note(config, path, facts)
    return Made(path, facts, backup.copied, backup.linked, removed)


def embedded_folder(config: Config) -> Path | None:
    """Return the folder of the embedded thumbnails, or None where a cluster keeps them."""
    url = urlsplit(config.thumbnails)
    return Path(unquote(url.path)) if url.scheme == "file" else None


class _Unfinished:
    """A backup on its way. What a run that broke off has copied of thumbnails is used again.

    Parameters
    ----------
    previous
        The backup before, whose files are linked where they are the archive's still.
    """

    def __init__(self, config: Config, path: Path, previous: Path | None, tell: Callable[[str], None]) -> None:
        self._config = config
        self._path = path
        self._previous = previous
        self._tell = tell
        self._known = {} if previous is None else read_sums(previous)
        self._sums: dict[str, str] = {}
        self.copied = self.linked = 0
        path.mkdir(mode=0o700, exist_ok=True)
        self.forget_tables()

    def bytes_to_copy(self) -> int:
        """Return the size of the sealed files that neither this backup nor the one before has."""
        places = [place for place in (self._path, self._previous) if place is not None]
        return sum(
            source.stat().st_size
            for name, source in self._sealed()
            if not any(same_file(source, place / name) for place in places)
        )

    def fill(self, data: Path) -> tuple[datetime, Trial]:
        """Copy everything; return when the tables were copied, and what a server found in the copy.

        A tarball's thumbnails are sealed before its rows commit: those of every tarball in the copy are there when the
        tables have been copied. Those of tarballs that are removed meanwhile were copied before. What no tarball in
        the copy has goes at the end.
        """
        log = self._path.parent / LOG
        log.unlink(missing_ok=True)
        self._tell("copying thumbnails")
        self._copy_thumbnails()
        self._tell("copying the tables of the running server")
        copy_tables(self._config, data, self._path / DATA, log)
        made_at = datetime.now(tz=UTC)
        self._tell("copying the thumbnails that came meanwhile")
        self._copy_thumbnails(again=True)
        self._copy_settings()
        self._tell("trying the copy out")
        trial = try_tables(self._path, self._config.home / WORK / "trial", log)
        self._drop_strangers(trial)
        log.unlink()
        return made_at, trial

    def describe(self, trial: Trial, made_at: datetime) -> Facts:
        """Write what the backup is and the checksums of all its files."""
        self._tell("computing checksums")
        files = files_in(self._path)
        facts = Facts(
            made_at=made_at.isoformat(timespec="seconds"),
            version=installed_version(),
            server=trial.server,
            tarballs=len(trial.tarballs),
            alerts=sum(alerts for alerts, _ in trial.tarballs.values()),
            thumbnails=self._config.thumbnails,
            files=len(files),
            bytes=sum(path.stat().st_size for path in files),
        )
        names = [str(path.relative_to(self._path)) for path in files]
        sums = {name: self._sums.get(name) or hash_file(self._path / name) for name in names}
        (self._path / FACTS).write_text(facts.text(), encoding="utf-8")
        sums[FACTS] = hash_file(self._path / FACTS)
        lines = "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
        (self._path / SUMS).write_text(lines, encoding="utf-8")
        return facts

    def forget_tables(self) -> None:
        """Remove everything but thumbnails: tables are copied as they are at one moment, or not at all."""
        for path in self._path.iterdir():
            if path.is_dir() and path.name != THUMBNAILS:
                shutil.rmtree(path)
            elif not path.is_dir():
                path.unlink()

    def _sealed(self) -> list[tuple[str, Path]]:
        """Return the archive's sealed files: name in the backup, and where it lies."""
        folder = embedded_folder(self._config)
        if folder is None:
            return []
        paths = [path for rights in RIGHTS for path in sorted((folder / rights).glob(f"*{SUFFIX}"))]
        return [(f"{THUMBNAILS}/{path.parent.name}/{path.name}", path) for path in paths]

    def _copy_thumbnails(self, *, again: bool = False) -> None:
        for name, source in self._sealed():
            target = self._path / name
            try:
                if target.exists() and not same_file(source, target) and again:
                    raise BackupOvertaken(source.name)
                if not same_file(source, target):
                    self._take(name, source, target)
            except FileNotFoundError:  # removed since it was listed: a tarball that is no more
                continue

    def _take(self, name: str, source: Path, target: Path) -> None:
        target.unlink(missing_ok=True)
        if self._previous is not None and name in self._known and same_file(source, self._previous / name):
            link_or_copy(self._previous / name, target)
            self._sums[name] = self._known[name]
            self.linked += 1
        else:
            self._sums[name] = copy_file(source, target)
            self.copied += 1

    def _copy_settings(self) -> None:
        config = self._config
        (self._path / config.secrets.name).mkdir(mode=0o700)
        for path in sorted(config.secrets.iterdir()) if config.secrets.is_dir() else []:
            if path.is_file():
                copy_file(path, self._path / config.secrets.name / path.name, mode=0o600)
        if (config.home / FILE_NAME).is_file():
            copy_file(config.home / FILE_NAME, self._path / FILE_NAME)

    def _drop_strangers(self, trial: Trial) -> None:
        """Remove thumbnails of tarballs that the copied tables do not know: their load had not committed."""
        for path in files_in(self._path / THUMBNAILS):
            if path.suffix != SUFFIX or path.stem not in trial.tarballs:
                path.unlink()


def _check_room(folder: Path, need: int) -> None:
    free = shutil.disk_usage(folder).free
    if free < need:
        raise BackupRoom("A backup", folder, need, free)


def _remove_old(folder: Path, keep: int | None) -> tuple[Path, ...]:
    """Remove older backups, each under another name first: what is half removed must not be taken for whole."""
    old = list_backups(folder)[:-keep] if keep else []
    for path in old:
        path.rename(folder / f"{REMOVED}{path.name}")
    for path in folder.glob(f"{REMOVED}*"):
        shutil.rmtree(path)
    return tuple(old)


def _note(config: Config, path: Path, facts: Facts) -> None:
    """Leave word of the last backup in the home."""
    words = {"path": str(path.absolute()), "made_at": facts.made_at, "bytes": facts.bytes}
    unfinished = config.home / f".{LAST_BACKUP}"
    try:
        unfinished.write_text(json.dumps(words) + "\n", encoding="utf-8")
        unfinished.rename(config.home / LAST_BACKUP)
    except OSError as error:
        why = f"{error.strerror}, though {path} is whole"
        raise BackupNotWritten(config.home, why, is_full=error.errno in FULL) from error
