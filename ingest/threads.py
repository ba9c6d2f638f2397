"""Producing ahead: an iterator that runs in a thread of its own, a bounded way ahead of its consumer."""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

__all__ = ["Prefetch", "prefetch"]

Item = TypeVar("Item")


class Prefetch(Generic[Item]):
    """Items of an iterator, produced in a thread; at most `depth` of them wait.

    With a depth of 0 an item is handed over when it is asked for, and the making of the next begins then.

    Whatever the producer raises is raised to the consumer, after the items that came before it. Use it as a
    context manager, or call `close`: the thread has ended when that returns, however early the consumer stops.
    """

    def __init__(self, items: Iterator[Item], depth: int) -> None:
        self._items = items
        self._depth = depth
        self._waiting: deque[Item] = deque()
        self._changed = threading.Condition()
        self._asked = False  # whether the consumer waits for an item
        self._closed = False
        self._ended = False
        self._error: BaseException | None = None
        # A daemon, so that a second interrupt while we wait for it still ends the program.
        self._thread = threading.Thread(target=self._produce, name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Prefetch[Item]:
        return self

    def __next__(self) -> Item:
        with self._changed:
            self._asked = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._ended or self._closed)
            self._asked = False
            if self._waiting:
                item = self._waiting.popleft()
                self._changed.notify_all()
                return item
        self._thread.join()
        error, self._error = self._error, None
        raise error if error is not None else StopIteration

    def __enter__(self) -> Prefetch[Item]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the producer at its next item, drop what waits, and wait for the thread to end."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        self._thread.join()
        self._error = None

    def _produce(self) -> None:
        try:
            self._hand_over_all()
        except BaseException as error:  # raised again in the consumer's thread
            self._error = error
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _hand_over_all(self) -> None:
        try:
            for item in self._items:
                if not self._hand_over(item):
                    return
                del item  # or it would be held while the next one is made
        finally:
            # A generator's own clean-up belongs into the thread that ran it.
            close = getattr(self._items, "close", None)
            if close is not None:
                close()

    def _hand_over(self, item: Item) -> bool:
        """Queue one item as soon as there is room; False when nobody wants it any more."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._waiting) < max(self._depth, self._asked) or self._closed)
            if not self._closed:
                self._waiting.append(item)
                self._changed.notify_all()
            return not self._closed


def prefetch(items: Iterator[Item], depth: int) -> Prefetch[Item]:
    """Run `items` in a thread, at most `depth` finished items ahead of the consumer (and one in the making)."""
    return Prefetch(items, depth)
