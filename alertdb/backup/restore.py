"""The way back: from a backup to an archive where none is."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING

from alertdb.backup.errors import ArchiveNotEmpty, BackupDamaged, BackupRoom, DataFolderUnnamed, RestoreNotWritten
from alertdb.backup.files import copy_file, hash_file
from alertdb.backup.layout import DATA, THUMBNAILS, read_facts, read_sums
from alertdb.backup.make import embedded_folder
from alertdb.config import FILE_NAME, load_config
from alertdb.server import PrivateServer
from alertdb.thumbnails import RIGHTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from alertdb.backup.layout import Facts
    from alertdb.config import Config

__all__ = ["check_backup", "restore"]

MARK = "restore.unfinished"  # in the home while restored folders get their names
MODES = {"secrets": 0o700, DATA: 0o700, f"{THUMBNAILS}/partnership": 0o750}
RESTORED = ".restored"  # follows a folder's name until everything is there


def check_backup(backup: Path, tell: Callable[[str], None]) -> Facts:
    """Read every file of a backup and hold it against its checksum.

    Raises
    ------
    BackupDamaged
        If one is not as it was written.
    """
    sums = read_sums(backup)
    tell(f"reading {len(sums):,} files")
    wrong = [name for name, digest in sums.items() if _found(backup / name) != digest]
    if wrong:
        raise BackupDamaged(backup, [_what_is_wrong(backup, name) for name in wrong])
    return read_facts(backup)


def restore(home: Path, backup: Path, data: Path | None, tell: Callable[[str], None]) -> tuple[Config, Facts]:
    """Bring an archive back into an empty home; return its settings and what the backup said of itself.

    Every file is held against its checksum while it is copied, and nothing gets its name before all are there.

    Parameters
    ----------
    data
        Data folder of a server that is no private one; that server must be stopped.

    Raises
    ------
    ArchiveNotEmpty
        If an archive, or a part of one, is there already.
    BackupDamaged
        If a file of the backup is not as it was written.
    RestoreNotWritten
        If there is no room, or no right to write.
    """
    facts, sums = read_facts(backup), read_sums(backup)
    with _written_to(home):
        home.mkdir(parents=True, exist_ok=True)
        if FILE_NAME in sums and not (home / FILE_NAME).exists():
            copy_file(backup / FILE_NAME, home / FILE_NAME)
        config = load_config(home)
        work = _Restore(config, backup, _target_data(config, data))
        work.clear_unfinished()
        work.check_empty()
        work.check_room(facts)
        tell(f"copying {len(sums):,} files, {facts.bytes / 1e9:,.1f} GB")
        try:
            work.copy(sums)
        except BaseException:
            work.clear_unfinished()
            raise
        tell("putting everything in its place")
        work.finish()
    return config, facts


class _Restore:
    """Folders of the backup on their way to their places in the archive."""

    def __init__(self, config: Config, backup: Path, data: Path) -> None:
        self._config = config
        self._backup = backup
        self._data = data
        thumbnails = embedded_folder(config)
        self._places: dict[str, Path] = {"secrets": config.secrets}
        if thumbnails is not None:
            self._places |= {f"{THUMBNAILS}/{rights}": thumbnails / rights for rights in RIGHTS}
        self._places[DATA] = data  # last: with it there is an archive

    def clear_unfinished(self) -> None:
        """Remove what a restore that broke off has left; a folder that is in use it never touches."""
        for place in self._places.values():
            shutil.rmtree(_restored(place), ignore_errors=True)
        mark = self._config.home / MARK
        if mark.exists() and not self._data.exists():
            for path in [path for place in self._places.values() if place.exists() for path in place.iterdir()]:
                path.unlink()
        mark.unlink(missing_ok=True)

    def check_empty(self) -> None:
        """Refuse to go on where there is anything that a restore would bring."""
        for place in self._places.values():
            if place.exists() and any(place.iterdir()):
                raise ArchiveNotEmpty(place)

    def check_room(self, facts: Facts) -> None:
        """Refuse to go on where everything goes to one disk that has no room for it."""
        disks = {there.stat().st_dev: there for there in map(_what_exists, self._places.values())}
        there = _what_exists(self._data)
        free = shutil.disk_usage(there).free
        if len(disks) == 1 and free < facts.bytes:
            raise BackupRoom("The restored archive", there, facts.bytes, free)

    def copy(self, sums: dict[str, str]) -> None:
        """Copy the folders under other names beside their places."""
        for name, place in self._places.items():
            _restored(place).mkdir(parents=True, mode=MODES.get(name, 0o755))
        for name, digest in sums.items():
            target = self._target(name)
            if target is not None and _copied(self._backup / name, target) != digest:
                raise BackupDamaged(self._backup, [_what_is_wrong(self._backup, name)])
        for folder in (path for path in (self._backup / DATA).iterdir() if path.is_dir()):
            (_restored(self._data) / folder.name).mkdir(mode=0o700, exist_ok=True)  # a database without tables
        os.sync()

    def finish(self) -> None:
        """Give every folder its name; the tables come last."""
        (self._config.home / MARK).write_text(f"{self._backup}\n", encoding="utf-8")
        for name, place in self._places.items():
            if name == DATA and self._config.database_url is None:
                PrivateServer(self._config.home).adopt(_restored(place))
            elif name != DATA and place.exists():  # made by the site, with the rights that it wants
                for path in _restored(place).iterdir():
                    path.rename(place / path.name)
                _restored(place).rmdir()
            else:
                _restored(place).rename(place)
        os.sync()
        (self._config.home / MARK).unlink()

    def _target(self, name: str) -> Path | None:
        """Return where a file of the backup goes; None if it goes nowhere."""
        for prefix, place in self._places.items():
            if name.startswith(f"{prefix}/"):
                return _restored(place) / name.removeprefix(f"{prefix}/")
        return None


def _target_data(config: Config, data: Path | None) -> Path:
    if config.database_url is None:
        return PrivateServer(config.home).data
    if data is None:
        raise DataFolderUnnamed
    return data.absolute()


def _what_exists(path: Path) -> Path:
    return next(each for each in (path, *path.parents) if each.exists())


def _restored(place: Path) -> Path:
    return place.with_name(place.name + RESTORED)


def _copied(source: Path, target: Path) -> str | None:
    try:
        return copy_file(source, target)
    except FileNotFoundError:
        return None


def _found(path: Path) -> str | None:
    try:
        return hash_file(path)
    except OSError:
        return None


def _what_is_wrong(backup: Path, name: str) -> str:
    path = backup / name
    return f"{name} is {'not as it was written' if path.exists() else 'missing'}"


@contextmanager
def _written_to(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RestoreNotWritten(error.filename or home, error.strerror or str(error)) from error
