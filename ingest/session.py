"""Many tarballs in one go, side by side in processes of their own; one that fails does not stop the others."""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from alertdb.errors import AlertdbError
from ingest.pipeline import Outcome, load_tarball
from ingest.surveys.ztf import Ztf

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from alertdb.config import Config
    from ingest.tarballs import Source

__all__ = ["Failure", "choose_workers", "load_all"]

BYTES_PER_WORKER = 100 * 10**6  # a process takes a second to start: less is not worth one


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
    allow_damaged: bool,
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
            yield _load(source, config, allow_damaged, progress)
        return
    context = multiprocessing.get_context("spawn")  # threads and connections of this process must not be inherited
    news = context.Queue()
    listener = _Listener(news, progress)
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(news,)) as pool, listener:
        futures = [pool.submit(_load_and_tell, source, config, allow_damaged) for source in sources]
        try:
            for future in as_completed(futures):
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _load(
    source: Source, config: Config, allow_damaged: bool, progress: Callable[[str, int, int], None]
) -> Outcome | Failure:
    try:
        return load_tarball(
            source,
            config,
            Ztf(),
            allow_damaged=allow_damaged,
            progress=lambda read, alerts: progress(source.name, read, alerts),
        )
    except AlertdbError as error:
        return Failure(source.name, error)


_news: Any = None  # of a worker process: where it tells how far it is


def _begin(news: Any) -> None:
    global _news
    _news = news


def _load_and_tell(source: Source, config: Config, allow_damaged: bool) -> Outcome | Failure:
    return _load(source, config, allow_damaged, lambda *step: _news.put(step))


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
