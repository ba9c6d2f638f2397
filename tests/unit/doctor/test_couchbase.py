from __future__ import annotations

import pytest

from alertdb.doctor.couchbase import judge_transport, judge_unfinished
from alertdb.doctor.findings import Grade


@pytest.mark.parametrize(
    ("scheme", "hosts", "grade"),
    [
        ("couchbase", "127.0.0.1:11210,localhost,[::1]:11210", Grade.OK),
        ("couchbase", "localhost,db1.example.org", Grade.WARNING),
        ("couchbases", "db1.example.org,db2.example.org", Grade.OK),
    ],
)
def test_whether_others_can_listen(scheme: str, hosts: str, grade: Grade) -> None:
    assert judge_transport(scheme, hosts).grade is grade


def test_what_is_left_over_is_named() -> None:
    assert judge_unfinished([]).grade is Grade.OK
    left = judge_unfinished([(f"night-{number}", "public", "2026-01-01 00:00:00") for number in range(5)])
    assert left.grade is Grade.WARNING
    assert left.found == (
        "5 left over: night-0 (public, 2026-01-01 00:00:00), night-1 (public, 2026-01-01 00:00:00), "
        "night-2 (public, 2026-01-01 00:00:00) and 2 more"
    )
