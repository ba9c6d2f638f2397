"""What counts as an answer of GitHub, and whom it makes a member; the server is the stand-in on the loopback."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from github import GitHub, serve_github

from alertdb.hub.errors import GitHubSilent
from alertdb.hub.github import Answer, Patience, Person, judge
from alertdb.hub.github import GitHub as Asked

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMBER, INVITED, TEAMMATE, NOBODY = 1, 2, 3, 4
SCOPES = {"read:org"}


@pytest.fixture
def github() -> Iterator[GitHub]:
    people = {MEMBER: "m", INVITED: "i", TEAMMATE: "t", NOBODY: "n"}
    organizations = {
        "group": {MEMBER: "active", INVITED: "pending"},
        "other": {TEAMMATE: "active", NOBODY: "active"},
        "other:team": {TEAMMATE: "active"},
    }
    tokens = {str(number): (number, SCOPES) for number in people}
    with serve_github(GitHub(people, organizations, tokens=tokens)) as github:
        yield github


def member(github: GitHub, token: object, *organizations: str) -> Person | None:
    asked = Asked(f"{github.url}/api/v3", organizations or ("group", "other:team"))
    return asyncio.run(asked.member(str(token)))


@pytest.mark.parametrize(
    ("status", "headers", "answer"),
    [
        (200, {}, Answer.YES),
        (404, {}, Answer.NO),
        (401, {}, Answer.NO),
        (403, {}, Answer.NO),
        (403, {"x-ratelimit-remaining": "0"}, Answer.SILENT),
        (403, {"retry-after": "60"}, Answer.SILENT),
        (429, {}, Answer.SILENT),
        (500, {}, Answer.SILENT),
        (502, {}, Answer.SILENT),
        (301, {}, Answer.SILENT),
    ],
)
def test_only_what_decides_is_an_answer(status: int, headers: dict[str, str], answer: Answer) -> None:
    assert judge(status, headers) is answer


def test_active_members_of_the_organization_or_the_team_are_members(github: GitHub) -> None:
    found = member(github, MEMBER)
    assert found is not None
    assert (found.number, found.login) == (MEMBER, "m")
    assert member(github, TEAMMATE) is not None
    assert [member(github, token) for token in (INVITED, NOBODY, "revoked")] == [None] * 3


def test_a_token_without_the_scope_shows_no_membership(github: GitHub) -> None:
    github.tokens["weak"] = MEMBER, set()
    assert member(github, "weak") is None


def test_silence_is_no_answer(github: GitHub) -> None:
    for github.failing in (500, 502, 429):
        with pytest.raises(GitHubSilent, match=f"/api/v3/user: status {github.failing}"):
            member(github, MEMBER)


def test_a_server_out_of_reach_is_silent(github: GitHub) -> None:
    github.url = "http://127.0.0.1:9"
    with pytest.raises(GitHubSilent):
        member(github, MEMBER)


def test_silence_about_one_group_is_outweighed_by_a_yes_of_another_only(github: GitHub) -> None:
    github.broken.add("other")
    assert member(github, MEMBER, "other:team", "group") is not None
    with pytest.raises(GitHubSilent):
        member(github, INVITED, "other:team", "group")


def test_patience_ends_and_begins_anew_once_github_was_heard() -> None:
    endless, none = Patience(3600), Patience(0)
    assert endless.lasts("gh1")
    assert not none.lasts("gh1")
    assert endless.since.keys() == {"gh1"}
    endless.heard("gh1")
    assert endless.since == {}
