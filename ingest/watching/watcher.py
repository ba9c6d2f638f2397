"""The watcher: looks at its folders again and again, and loads what has become complete, until it is told to end."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from alertdb.cli.output import console, counted
from alertdb.database import Account, connect
from alertdb.errors import LoaderDied, ServerLost, ServerStopped
from alertdb.watches import watch_path
from ingest.report import report_load
from ingest.session import Failure, Options, choose_workers
from ingest.watching.ending import ended_by_signals
from ingest.watching.errors import NotAFolder, WatchedAlready
from ingest.watching.folder import WatchedFolder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from alertdb.config import Config
    from ingest.tarballs import Source

__all__ = ["Pace", "watch"]

log = logging.getLogger("watch")

BATCH = 8  # tarballs at a time: what comes meanwhile, and a server that goes away, is seen between two batches


@dataclass(frozen=True)
class Pace:
    """How often things are done.

    Attributes
    ----------
    every
        Seconds between two looks at the folders.
    settle
        Seconds for which a tarball must not have changed.
    most_wait
        Seconds between two attempts to reach a server that does not answer, at most; the first comes after one.
    """

    every: float = 10.0
    settle: float = 60.0
    most_wait: float = 60.0


def watch(config: Config, paths: Sequence[Path], pace: Pace, options: Options, workers: int | None) -> None:
    """Load what appears in the folders until SIGTERM or SIGINT comes.

    A load that is under way then is given up; nothing of it is in, and the next start begins it anew.

    Raises
    ------
    NotAFolder, WatchedAlready
        If a folder cannot be watched.
    ServerRefused, ArchiveMissing
        If there is a server and no archive for us, which waiting would not mend.
    """
    with suppress(ServerStopped):  # that one is waited for; where there is no archive, none comes
        connect(config, Account.LOADER).close()
    with ExitStack() as stack:
        for path in paths:
            stack.enter_context(_alone(config, path))
        folders = [WatchedFolder(config, path, pace.settle) for path in paths]
        for path in paths:
            log.info("watching %s every %g s; a tarball is loaded when it is unchanged for %g s", path, *_times(pace))
        with suppress(KeyboardInterrupt), ended_by_signals() as told:
            while not told.is_set():
                for folder in folders:
                    _go_through(config, folder, pace, options, workers)
                time.sleep(pace.every)
        log.info("told to end")


def _go_through(config: Config, folder: WatchedFolder, pace: Pace, options: Options, workers: int | None) -> None:
    """Look at a folder once, and load what is complete."""
    try:
        ready = folder.look(time.monotonic())
    except OSError as error:
        log.warning("%s cannot be looked at: %s", folder.path, error.strerror)
        return
    try:
        if ready or folder.has_failed:
            _await_server(config, pace.most_wait)
            ready = folder.leave_out_loaded(ready)
        _record(folder)
        for start in range(0, len(ready), BATCH):
            _load(config, folder, ready[start : start + BATCH], options, workers)
            _record(folder)
            _await_server(config, pace.most_wait)
    except (OSError, ServerLost, ServerStopped) as error:  # a file that has just gone, or the server: the next look
        log.warning("%s: %s", folder.path, error)


def _record(folder: WatchedFolder) -> None:
    """Write down what the folder has come to; on a disk that is full, later."""
    try:
        folder.record()
    except OSError as error:
        log.warning("what %s has come to cannot be written down: %s", folder.path, error)


def _load(
    config: Config, folder: WatchedFolder, batch: Sequence[Source], options: Options, workers: int | None
) -> None:
    log.info("%s: loading %s, first %s", folder.path, counted(len(batch), "tarball"), batch[0].name)
    try:
        chosen = min(workers or choose_workers(batch), len(batch))
        failures = report_load(console(), batch, config, chosen, options, max_bad=None)
    except KeyboardInterrupt:
        log.info("a load was broken off; what is not in yet will be loaded at the next start")
        raise
    except LoaderDied as error:
        log.warning("%s", error)
        failures = [Failure(source.name, error) for source in batch]
    for name in folder.settle_accounts(batch, failures, time.monotonic()):
        log.warning("%s is left alone until it changes; 'alertdb status' lists what is", name)


def _await_server(config: Config, most: float) -> None:
    """Return when the server answers."""
    seconds = 1.0
    while True:
        try:
            connect(config, Account.LOADER).close()
        except ServerStopped as error:
            log.warning("%s Trying again in %g s.", error, min(seconds, most))
            time.sleep(min(seconds, most))
            seconds *= 2
        else:
            return


@contextmanager
def _alone(config: Config, folder: Path) -> Iterator[None]:
    """Keep a second watcher of the same folder away."""
    if not folder.is_dir() or not os.access(folder, os.R_OK | os.X_OK):
        raise NotAFolder(folder, "cannot be read" if folder.is_dir() else "is no folder")
    path = watch_path(config, folder, ".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WatchedAlready(folder) from None
        yield


def _times(pace: Pace) -> tuple[float, float]:
    return pace.every, pace.settle
