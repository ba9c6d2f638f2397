"""The rows told before, against a dictionary."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ingest.repeats import FIRST_SLOTS, LONGEST, Repeats

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 500  # at once


@pytest.mark.parametrize("objects", [1, 100, 4 * FIRST_SLOTS])
def test_rows_are_known_again_however_many_they_are(objects: int, tmp_path: Path) -> None:
    dice = random.Random(1)
    repeats = Repeats(tmp_path / "rows")
    largest: dict[tuple[int, int], int] = {}
    for _ in range(40):
        rows = [(dice.randrange(objects), dice.randrange(20_000 // objects + 1)) for _ in range(ROWS)]
        packets = [dice.randrange(1, 10**18) for _ in rows]
        fresh = repeats.note(
            np.array([number << 40 for number, _ in rows], np.uint64),
            np.array([number << 40 | word for number, word in rows], np.uint64),
            np.array(packets),
        )
        for row, packet, new in zip(rows, packets, fresh.tolist(), strict=True):
            assert new == (row not in largest)
            largest[row] = max(packet, largest.get(row, 0))
    count = len(largest)
    assert repeats.count == count
    assert repeats.words(0, count).tolist() == [number << 40 | word for number, word in largest]
    assert repeats.packets(0, count).tolist() == list(largest.values())
    assert repeats.words(7, 9).tolist() == repeats.words(0, count).tolist()[7:9]
    assert repeats.packets(7, 9).tolist() == list(largest.values())[7:9]


def test_rows_of_one_object_beyond_those_looked_through_are_known_too(tmp_path: Path) -> None:
    repeats = Repeats(tmp_path / "rows")
    words = np.arange(3 * LONGEST, dtype=np.uint64)
    for fresh in (True, False):
        assert (repeats.note(np.zeros_like(words), words, np.ones(len(words), np.int64)) == fresh).all()


def test_nothing_was_told(tmp_path: Path) -> None:
    repeats = Repeats(tmp_path / "rows")
    nothing = np.empty(0, np.uint64)
    assert repeats.note(nothing, nothing, np.empty(0, np.int64)).tolist() == []
    assert (repeats.count, repeats.words(0, 0).tolist(), repeats.packets(0, 0).tolist()) == (0, [], [])
