"""When a file counts as complete; the clock is the test's."""

from __future__ import annotations

import pytest

from ingest.watching.settling import Settling, State

SMALL, LARGE = State(10, 1, 7), State(20, 2, 7)


def test_a_file_is_complete_when_it_has_not_changed_for_long_enough() -> None:
    settling = Settling(60)
    assert settling.look({"a": SMALL}, 100) == set()
    assert settling.look({"a": SMALL}, 159) == set()
    assert settling.look({"a": SMALL}, 160) == {"a"}
    assert settling.look({"a": SMALL}, 200) == {"a"}


@pytest.mark.parametrize("after", [State(20, 1, 7), State(10, 2, 7), State(10, 1, 8)])
def test_any_change_begins_the_wait_anew(after: State) -> None:
    settling = Settling(60)
    settling.look({"a": SMALL}, 0)
    assert settling.look({"a": after}, 60) == set()
    assert settling.look({"a": after}, 119) == set()
    assert settling.look({"a": after}, 120) == {"a"}


def test_a_file_that_went_and_came_back_is_a_new_one() -> None:
    settling = Settling(60)
    settling.look({"a": SMALL}, 0)
    settling.look({}, 50)
    assert settling.look({"a": SMALL}, 70) == set()
    assert settling.look({"a": SMALL}, 130) == {"a"}


def test_files_are_judged_one_by_one() -> None:
    settling = Settling(60)
    settling.look({"a": SMALL, "b": SMALL}, 0)
    assert settling.look({"a": SMALL, "b": LARGE}, 60) == {"a"}
