"""Back-pressure: how batches shrink and waits grow."""

from __future__ import annotations

import pytest

from alertdb.thumbnails.couchbase.pace import ATTEMPTS, Exhausted, Pace


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the list of seconds that would have been waited."""
    seconds: list[float] = []
    monkeypatch.setattr("time.sleep", seconds.append)
    return seconds


def test_batches_shrink_and_waits_grow_while_nothing_gets_through(waits: list[float]) -> None:
    one = Pace()
    sizes = []
    for _ in range(ATTEMPTS - 1):
        one.met_errors(got_through=False)
        sizes.append(one.keys)
    with pytest.raises(Exhausted):
        one.met_errors(got_through=False)
    assert sizes == [128, 64, 32, 16, 8, 4, 2, 1, 1, 1, 1]
    assert waits == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5, 5, 5]


def test_as_long_as_something_gets_through_it_goes_on(waits: list[float]) -> None:
    one = Pace()
    for _ in range(100):
        one.met_errors(got_through=True)
    assert (one.keys, set(waits)) == (1, {0.05})


def test_it_speeds_up_again(waits: list[float]) -> None:
    one = Pace()
    for _ in range(5):
        one.met_errors(got_through=False)
    sizes = []
    for _ in range(6):
        one.went_well()
        sizes.append(one.keys)
    assert sizes == [16, 32, 64, 128, 256, 256]
    one.met_errors(got_through=False)
    assert waits[-1] == 0.05
