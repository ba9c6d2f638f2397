"""Many tarballs in one go, side by side in processes of their own; one that fails does not stop the others."""

from __future__ import annotations

import multiprocessing
import os
import queue
import signal
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alertdb.errors import AlertdbError, LoaderDied
from ingest.pipeline import Outcome, load_tarball
from ingest.surveys.ztf import Ztf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from alertdb.config import Config
    from ingest.tarballs import Source

__all__ = ["Failure", "Options", "choose_workers", "load_all", "step_back"]

STEP, LAST = 10, 19  # of niceness
BYTES_PER_WORKER = 100 * 10**6  # a process takes a second to start: less is not worth one


@dataclass(frozen=True)
class Options:
    """How to load: see `ingest.pipeline.load_tarball`."""

    allow_damaged: bool = False
    replace: bool = False
    neighbours: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A tarball that was not loaded, and why."""

    name: str
    error: AlertdbError


def choose_workers(sources: Sequence[Source]) -> int:
    """Return how many tarballs to load at once: one per core, but no more than there is work for."""
    work = sum(source.bytes for source in sources)
    return max(1, min(os.cpu_count() or 1, len(sources), work // BYTES_PER_WORKER))


def load_all(
    sources: Sequence[Source],
    config: Config,
    *,
    workers: int,
    options: Options,
    progress: Callable[[str, int, int], None],
) -> Iterator[Outcome | Failure]:
    """Load all sources; yield what became of each as it ends.

    Parameters
    ----------
    progress
        Told a source's name, the bytes of it read so far, and the alerts in them. Called from another thread.
    """
    if workers == 1:
        for source in sources:
            yield _load(source, config, options, progress)
        return
    yield from _load_side_by_side(sources, config, workers, options, progress)


def _load_side_by_side(
    sources: Sequence[Source],
    config: Config,
    workers: int,
    options: Options,
    progress: Callable[[str, int, int], None],
) -> Iterator[Outcome | Failure]:
    context = multiprocessing.get_context("spawn")  # threads and connections of this process must not be inherited
    news = context.Queue()
    started = context.Value("i", 0)
    with _Listener(news, progress), ProcessPoolExecutor(workers, context, _begin, (news, started)) as pool:
        try:
            with _interrupts_held():  # a process that is only starting would answer Ctrl-C with a traceback
                futures = [pool.submit(_load_and_tell, source, config, options) for source in sources]
            for future in as_completed(futures):
                yield future.result()
        except BrokenProcessPool as error:
            raise LoaderDied from error
        except BaseException:
            # The server rolls back what they had begun.
            pool.shutdown(wait=False, cancel_futures=True)
            for process in multiprocessing.active_children():
                process.terminate()
            raise


def step_back(place: int) -> None:
    """Have this process give way to those at the places before it, where the cores are not enough for all.

    Loads that go on equally fast come to their merging at the same time, and merge one after the other on one core.
    """
    os.nice(min(STEP * place, LAST))


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Hold Ctrl-C back; processes started meanwhile inherit that until they unblock it."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _load(
    source: Source, config: Config, options: Options, progress: Callable[[str, int, int], None]
) -> Outcome | Failure:
    try:
        return load_tarball(
            source,
            config,
            Ztf(),
            allow_damaged=options.allow_damaged,
            replace=options.replace,
            neighbours=options.neighbours,
            progress=lambda read, alerts: progress(source.name, read, alerts),
        )
    except AlertdbError as error:
        return Failure(source.name, error)


_news: Any = None  # of a worker process: where it tells how far it is


def _begin(news: Any, started: Any) -> None:
    global _news
    _news = news
    with started.get_lock():
        step_back(started.value)
        started.value += 1
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started us answers it, and ends us
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def _load_and_tell(source: Source, config: Config, options: Options) -> Outcome | Failure:
    return _load(source, config, options, lambda *step: _news.put(step))


class _Listener:
    """Passes on what the processes tell, in a thread."""

    def __init__(self, news: Any, progress: Callable[[str, int, int], None]) -> None:
        self._news = news
        self._progress = progress
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._listen, name="progress", daemon=True)

    def _listen(self) -> None:
        while not self._ended.is_set():
            try:
                self._progress(*self._news.get(timeout=0.2))
            except queue.Empty:
                continue

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
