from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from ingest.threads import prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator


def running() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "prefetch"]


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    yield
    assert running() == []


def test_all_items_come_in_order() -> None:
    with prefetch(iter(range(1000)), depth=3) as items:
        assert list(items) == list(range(1000))
        assert next(items, "ended") == "ended"


def test_an_error_comes_after_the_items_before_it() -> None:
    def failing() -> Iterator[int]:
        yield 1
        yield 2
        raise OSError("disk gone")

    with prefetch(failing(), depth=5) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(OSError, match="disk gone"):
            next(items)


def test_the_producer_is_at_most_depth_items_ahead() -> None:
    made = 0
    waits = threading.Event()

    def counting() -> Iterator[int]:
        nonlocal made
        while True:
            made += 1
            if made == 4:
                waits.set()
            yield made

    with prefetch(counting(), depth=3) as items:
        assert waits.wait(10)  # three wait and the fourth is in the making
        assert made == 4
        assert next(items) == 1


def test_with_a_depth_of_0_the_next_item_is_made_when_one_is_taken() -> None:
    made: list[int] = []
    begun = [threading.Event() for _ in range(3)]

    def counting() -> Iterator[int]:
        for number, event in enumerate(begun):
            made.append(number)
            event.set()
            yield number

    with prefetch(counting(), depth=0) as items:
        for number in range(len(begun)):
            assert begun[number].wait(10)
            assert made == list(range(number + 1))
            assert next(items) == number
        assert next(items, "ended") == "ended"


def test_a_consumer_that_stops_early_stops_the_producer_and_its_clean_up_runs_in_its_thread() -> None:
    cleaned: list[str] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            cleaned.append(threading.current_thread().name)

    with prefetch(endless(), depth=2) as items:
        next(items)
    assert cleaned == ["prefetch"]


def test_an_interrupt_in_the_consumer_stops_the_producer() -> None:
    def interrupted() -> None:
        with prefetch(iter(range(1000)), depth=1) as items:
            next(items)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_an_item_is_not_held_while_the_next_is_made() -> None:
    class Thing:
        alive = 0

        def __init__(self) -> None:
            Thing.alive += 1

        def __del__(self) -> None:
            Thing.alive -= 1

    making, go_on = threading.Event(), threading.Event()

    def things() -> Iterator[Thing]:
        yield Thing()
        making.set()
        assert go_on.wait(10)
        yield Thing()

    with prefetch(things(), depth=1) as items:
        first = next(items)
        assert making.wait(10)
        assert Thing.alive == 1
        del first
        assert Thing.alive == 0
        go_on.set()
        assert isinstance(next(items), Thing)
