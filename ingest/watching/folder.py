"""One watched folder: which of its tarballs are to be loaded now, and what became of those that were tried."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from alertdb.database import Account, connect
from alertdb.errors import (
    AlertdbError,
    BadTarballName,
    DamagedTarball,
    NotATarball,
    ServerLost,
    ServerStopped,
    TarballChanged,
    TarballTooLarge,
)
from alertdb.watches import Failed, Watch, read_watch, write_watch
from ingest.ledger import find_entry
from ingest.load import database_errors
from ingest.tarballs import find_sources
from ingest.watching.settling import Settling, State

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from alertdb.config import Config
    from ingest.session import Failure
    from ingest.tarballs import Source

__all__ = ["WatchedFolder"]

TARBALLS = (".tar.gz", ".tgz", ".tar")
# What lies in the file itself: reading it once more would find the same.
LASTING = (BadTarballName, DamagedTarball, NotATarball, TarballChanged, TarballTooLarge)
AWAY = (ServerLost, ServerStopped)  # the server's fault, which is waited for elsewhere
FIRST_SECONDS, MOST_SECONDS = 60.0, 3600.0  # between two attempts at a tarball


class WatchedFolder:
    """The tarballs of a folder on their way into the archive.

    Parameters
    ----------
    settle
        Seconds for which a file must not have changed.
    """

    def __init__(self, config: Config, path: Path, settle: float) -> None:
        self.path = path
        self._config = config
        self._settling = Settling(settle)
        self._files: dict[str, tuple[Source, State]] = {}
        self._done: dict[str, State] = {}
        self._failed = {failed.name: failed for failed in read_watch(config, path).failed}
        self._retried: dict[str, tuple[str, float, float]] = {}  # why, seconds to the next attempt, when that is

    @property
    def has_failed(self) -> bool:
        """Whether there are tarballs that are left alone."""
        return bool(self._failed)

    def look(self, now: float) -> list[Source]:
        """Return the tarballs that can be loaded now, by name.

        Parameters
        ----------
        now
            Seconds of a clock that never goes back.
        """
        self._files = _look_at(self.path)
        settled = self._settling.look({name: state for name, (_, state) in self._files.items()}, now)
        self._forget_what_changed()
        waits = {name for name, (_, _, at) in self._retried.items() if at > now}
        return [self._files[name][0] for name in self._open() if name in settled and name not in waits]

    def leave_out_loaded(self, sources: Sequence[Source]) -> list[Source]:
        """Return those that the ledger does not have; size and time tell, as they do for `alertdb ingest`.

        Raises
        ------
        ServerStopped, ServerLost
            If it cannot be asked.
        """
        asked = [*sources, *(self._files[name][0] for name in self._failed)]
        with database_errors("the watched folder"), connect(self._config, Account.LOADER) as connection:
            for source in asked:
                entry = find_entry(connection, source.name)
                if entry is not None and (entry.bytes, entry.modified) == (source.bytes, _modified(source)):
                    self._finish(source.name)
        return [source for source in sources if source.name not in self._done]

    def settle_accounts(self, sources: Sequence[Source], failures: Sequence[Failure], now: float) -> list[str]:
        """Take in what became of tarballs that were tried; return those that will not be tried again as they are."""
        errors = {failure.name: failure.error for failure in failures}
        for source in sources:
            error = errors.get(source.name)
            if error is None:
                self._finish(source.name)
            elif isinstance(error, LASTING):
                state = self._files[source.name][1]
                failed = Failed(source.name, state.bytes, state.modified_ns, str(error), time.time())
                self._failed[source.name] = failed
                self._retried.pop(source.name, None)
            elif not isinstance(error, AWAY):
                _, seconds, _ = self._retried.get(source.name, ("", FIRST_SECONDS / 2, now))
                seconds = min(2 * seconds, MOST_SECONDS)
                self._retried[source.name] = (str(error), seconds, now + seconds)
        return [source.name for source in sources if source.name in self._failed]

    def record(self) -> None:
        """Write down for others what the folder has come to."""
        watch = Watch(
            folder=str(self.path),
            looked_at=time.time(),
            waiting=len(self._open()),
            retried=tuple((name, why) for name, (why, _, _) in sorted(self._retried.items())),
            failed=tuple(failed for _, failed in sorted(self._failed.items())),
        )
        write_watch(self._config, watch, self.path)

    def _open(self) -> list[str]:
        """Names of the tarballs that are neither in nor given up."""
        return [name for name in sorted(self._files) if name not in self._done and name not in self._failed]

    def _finish(self, name: str) -> None:
        self._done[name] = self._files[name][1]
        self._failed.pop(name, None)
        self._retried.pop(name, None)

    def _forget_what_changed(self) -> None:
        states = {name: state for name, (_, state) in self._files.items()}
        self._done = {name: state for name, state in self._done.items() if states.get(name) == state}
        self._retried = {name: what for name, what in self._retried.items() if name in states}
        self._failed = {
            name: failed
            for name, failed in self._failed.items()
            if name in states and (failed.bytes, failed.modified_ns) == (states[name].bytes, states[name].modified_ns)
        }


def _look_at(folder: Path) -> dict[str, tuple[Source, State]]:
    """Return the tarballs directly in a folder. Single packets are not taken: a folder of them is never complete."""
    found = {}
    for path in folder.iterdir():
        if path.name.endswith(TARBALLS) and not path.name.startswith("."):
            try:
                (source,) = find_sources([path])
                status = path.stat()
            except (OSError, AlertdbError):  # it has gone, or may not be read: the next look
                continue
            found[source.name] = (source, State(status.st_size, status.st_mtime_ns, status.st_ino))
    return found


def _modified(source: Source) -> datetime:
    """Return when the file was last modified, as the ledger has it."""
    return datetime.fromtimestamp(source.path.stat().st_mtime, tz=UTC).replace(tzinfo=None)
