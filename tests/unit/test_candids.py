"""The set of candids, against Python's own."""

from __future__ import annotations

import random

import numpy as np

from ingest.candids import CandidSet


def test_candids_are_known_again_however_many_they_are() -> None:
    dice = random.Random(1)
    candids, known = CandidSet(), set[int]()
    for _ in range(60):
        batch = [dice.randrange(5000) << 40 for _ in range(dice.choice([0, 1, 10, 500]))]
        fresh = candids.add(np.array(batch, np.int64))
        for candid, new in zip(batch, fresh.tolist(), strict=True):
            assert new == (candid not in known)
            known.add(candid)
        assert len(candids) == len(known)
    asked = np.arange(6000, dtype=np.int64) << 40
    assert candids.find(asked).tolist() == [candid in known for candid in asked.tolist()]
    assert candids.sorted().tolist() == sorted(known)


def test_nothing_was_added() -> None:
    candids = CandidSet()
    assert (len(candids), candids.sorted().tolist(), candids.find(np.array([1])).tolist()) == (0, [], [False])
