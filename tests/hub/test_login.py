"""Who comes in, and who does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import GitHub
    from hub import Visitor


@pytest.mark.parametrize("login", ["ada", "tom", "adam"])
def test_members_of_the_organization_or_the_team_come_in(visitor: Callable[[str], Visitor], login: str) -> None:
    person = visitor(login)
    status, page = person.log_in()
    assert status == 200, page
    assert person.name() == {"ada": "gh11", "tom": "gh13", "adam": "gh16"}[login]
    assert f">{login}</span>" in page


@pytest.mark.parametrize("login", ["otto", "ines"])
def test_outsiders_and_those_only_invited_are_refused_and_told_why(
    visitor: Callable[[str], Visitor], login: str
) -> None:
    person = visitor(login)
    status, page = person.log_in()
    assert status == 403
    assert "GitHub does not list you as an active member of survey-group or other-group:ztf" in page
    assert person.get("/hub/home")[1].count("Sign in") > 0
    assert person.api("GET", "/user")[0] == 403


def test_only_named_admins_are_admins(visitor: Callable[[str], Visitor]) -> None:
    admin, member = visitor("adam"), visitor("ada")
    admin.log_in()
    member.log_in()
    assert admin.api("GET", "/users")[0] == 200
    assert member.api("GET", "/users")[0] == 403


def test_github_being_down_lets_nobody_new_in_and_says_so(visitor: Callable[[str], Visitor], github: GitHub) -> None:
    github.failing = 500
    try:
        status, page = visitor("ada").log_in()
    finally:
        github.failing = None
    assert status >= 500
    assert "GitHub" in page
