"""Many documents at once against one at a time."""

from __future__ import annotations

import random

import numpy as np

from alertdb.thumbnails import KINDS
from alertdb.thumbnails.document import build_document
from alertdb.thumbnails.many_documents import many_documents


def test_they_are_those_of_one_alert_at_a_time() -> None:
    dice = random.Random(1)
    buffer = dice.randbytes(1 << 18)
    alerts = 200
    spans = {}
    for kind in KINDS:
        starts = np.array([dice.randrange(1 << 17) if dice.random() < 0.9 else -1 for _ in range(alerts)])
        sizes = np.array([dice.choice([0, 1, dice.randrange(1 << 17)]) for _ in range(alerts)])
        spans[kind] = starts, np.where(starts >= 0, starts + sizes, -1)
    spans["science"][0][:20] = spans["science"][1][:20] = -1
    for kind in KINDS:
        spans[kind][0][:2] = spans[kind][1][:2] = -1
    documents = [b"".join(pieces) for pieces in many_documents(memoryview(buffer), spans)]
    assert documents[:2] == [b"", b""]
    for row in range(2, alerts):
        stamps = {
            kind: buffer[starts[row] : ends[row]] if starts[row] >= 0 else None
            for kind, (starts, ends) in spans.items()
        }
        assert documents[row] == (build_document(stamps) if any(s is not None for s in stamps.values()) else b"")


def test_of_no_alert_there_is_none() -> None:
    nothing = np.empty(0, np.int64)
    assert list(many_documents(memoryview(b""), dict.fromkeys(KINDS, (nothing, nothing)))) == []
