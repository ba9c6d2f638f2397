"""The hash table of rows told before, against a dictionary."""

from __future__ import annotations

import random

import numpy as np

from ingest.repeats import FIRST_SLOTS, Repeats


def test_rows_are_known_again_however_many_they_are() -> None:
    dice = random.Random(1)
    repeats = Repeats()
    largest: dict[int, int] = {}
    for _ in range(40):
        words = [
            dice.randrange(3 * FIRST_SLOTS) * FIRST_SLOTS for _ in range(500)
        ]  # all begin their search at one slot
        packets = [dice.randrange(1, 10**18) for _ in words]
        fresh = repeats.note(np.array(words, np.uint64), np.array(packets))
        for word, packet, new in zip(words, packets, fresh.tolist(), strict=True):
            assert new == (word not in largest)
            largest[word] = max(packet, largest.get(word, 0))
    assert repeats.count == len(largest)
    assert repeats.words().tolist() == list(largest)
    assert repeats.packets().tolist() == list(largest.values())


def test_nothing_was_told() -> None:
    repeats = Repeats()
    assert repeats.note(np.empty(0, np.uint64), np.empty(0, np.int64)).tolist() == []
    assert (repeats.count, repeats.words().tolist(), repeats.packets().tolist()) == (0, [], [])
