"""A thread that does one thing after another, a bounded way behind whoever gives it work."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

__all__ = ["Worker"]


class Worker:
    """Runs calls in order in a thread of its own; at most `depth` of them wait, so memory stays flat.

    What a call raises is raised at the next `submit`, or by `finish`.
    """

    def __init__(self, name: str, depth: int = 2) -> None:
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: deque[Future[Any]] = deque()
        self._depth = depth

    def submit(self, call: Callable[..., object], *arguments: object) -> None:
        """Have `call` run after all before it; wait while too many are ahead of it."""
        while len(self._waiting) >= self._depth:
            self._waiting.popleft().result()
        self._waiting.append(self._pool.submit(call, *arguments))

    def finish(self) -> None:
        """Wait until everything is done."""
        while self._waiting:
            self._waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # What waits is dropped after an error; what runs must end before the connection it uses is closed.
        self._pool.shutdown(wait=True, cancel_futures=kind is not None)
