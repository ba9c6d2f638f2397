"""Who comes in, and who may stay: leavers are out, while GitHub being down throws nobody out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hub import GROUP, LEAVER, MEMBER, Visitor, make_token, start_server, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from github import GitHub
    from hub import RunningHub


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
    assert (status, "GitHub did not answer" in page, "Try again" in page) == (503, True, True)


@pytest.fixture
def admin(visitor: Callable[[str], Visitor]) -> Visitor:
    admin = visitor("adam")
    admin.log_in()
    return admin


@pytest.fixture
def lee(visitor: Callable[[str], Visitor], github: GitHub) -> Iterator[Visitor]:
    """Somebody who is a member until the test says otherwise."""
    lee = visitor("lee")
    lee.log_in()
    yield lee
    github.organizations[GROUP][LEAVER] = "active"


def test_github_failing_throws_nobody_out(lee: Visitor, admin: Visitor, github: GitHub, hub: RunningHub) -> None:
    server, token = start_server(lee), make_token(lee)
    github.requests.clear()
    github.failing = 500
    try:
        # the service has asked after everybody twice, in vain
        wait_for(lambda: hub.log.count("gh12 is not asked after") >= 4, "two rounds")
        assert lee.get("/hub/home")[0] == 200
        assert lee.api("GET", "/user", token)[0] == 200
        assert "started" in lee.get(f"{server}api/status", token)[1]
        assert admin.api("GET", "/users/gh12")[1]["servers"][""]["ready"]
    finally:
        github.failing = None
    assert lee.get("/hub/home")[0] == 200


def test_a_leaver_is_out_with_server_and_tokens(lee: Visitor, admin: Visitor, github: GitHub, hub: RunningHub) -> None:
    server, token = start_server(lee), make_token(lee)
    assert lee.api("GET", "/user", token)[1]["name"] == "gh12"
    assert "started" in lee.get(f"{server}api/status", token)[1]
    assert hub.processes("gh12")

    del github.organizations[GROUP][LEAVER]

    wait_for(lambda: admin.api("GET", "/users/gh12")[0] == 404, "the leaver to be gone")
    stranger = Visitor(lee.hub, "", lee.github)
    assert stranger.api("GET", "/user", token)[0] == 403
    assert "started" not in stranger.get(f"{server}api/status", token)[1]
    assert hub.processes("gh12") == {}
    assert lee.api("GET", "/user")[0] == 403
    status, page = lee.log_in()
    assert (status, "GitHub does not list you" in page) == (403, True)


def test_a_revoked_grant_ends_the_stay(lee: Visitor, admin: Visitor, github: GitHub) -> None:
    for token in [token for token, (number, _) in github.tokens.items() if number == LEAVER]:
        del github.tokens[token]
    wait_for(lambda: admin.api("GET", "/users/gh12")[0] == 404, "the session to be gone")
    assert lee.log_in()[0] == 200  # still a member: a new grant lets in again


def test_a_login_that_changes_hands_does_not_take_the_home_along(
    visitor: Callable[[str], Visitor], github: GitHub
) -> None:
    ada = visitor("ada")
    ada.log_in()
    assert ada.name() == "gh11"
    stranger = 99
    github.people |= {MEMBER: "ada-lovelace", stranger: "ada"}
    try:
        assert visitor("ada").log_in()[0] == 403  # the stranger is no member
        github.organizations[GROUP][stranger] = "active"
        newcomer, renamed = visitor("ada"), visitor("ada-lovelace")
        assert newcomer.log_in()[0] == renamed.log_in()[0] == 200
        assert (newcomer.name(), renamed.name(), ada.name()) == ("gh99", "gh11", "gh11")
    finally:
        del github.people[stranger], github.organizations[GROUP][stranger]
        github.people[MEMBER] = "ada"
