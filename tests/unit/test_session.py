"""Processes that load side by side: each gives way to those before it."""

from __future__ import annotations

import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from ingest import session


def niceness_of_each(barrier: Any) -> int:
    """Return this process's niceness when all have come."""
    barrier.wait()
    return os.nice(0)


def test_processes_have_different_priorities() -> None:
    context = multiprocessing.get_context("spawn")
    begin = (context.Queue(), context.Value("i", 0))
    with context.Manager() as manager, ProcessPoolExecutor(3, context, session._begin, begin) as pool:
        barrier = manager.Barrier(3)
        found = [future.result() for future in [pool.submit(niceness_of_each, barrier) for _ in range(3)]]
    own = os.nice(0)
    assert sorted(found) == [min(own + step, 19) for step in (0, 10, 19)]
