"""What GitHub says of a person, through that person's own token: who it is, and whether it is a member.

An answer decides, or there is none: GitHub down, busy or out of reach is `GitHubSilent`, never "no member".
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, cast

from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest

from alertdb.hub.errors import GitHubSilent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tornado.httpclient import HTTPResponse

__all__ = ["Answer", "GitHub", "Patience", "Person", "judge"]

SECONDS = 20.0


class Answer(Enum):
    """What a status of GitHub's API means."""

    YES = "yes"
    NO = "no"
    SILENT = "silent"


@dataclass(frozen=True)
class Person:
    """Someone whom GitHub knows: `number` stays, `login` may change hands."""

    number: int
    login: str
    facts: dict[str, Any] = field(default_factory=dict)


def judge(status: int, headers: Mapping[str, str]) -> Answer:
    """Tell an answer from a failure to answer.

    A token that was revoked (401) and an organisation that shuts the app out (403) are answers; a spent rate limit,
    which GitHub tells with 403 or 429, is none.
    """
    if status == 200:
        return Answer.YES
    limited = headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers
    if status in (401, 404) or (status == 403 and not limited):
        return Answer.NO
    return Answer.SILENT


class GitHub:
    """GitHub's API.

    Parameters
    ----------
    api
        Its address.
    organizations
        Whose members are meant: ``organization`` or ``organization:team``.
    """

    def __init__(self, api: str, organizations: Sequence[str]) -> None:
        self.api = api
        self.organizations = tuple(organizations)

    async def member(self, token: str) -> Person | None:
        """Return who holds this token, or None if it is no active member (or the token was revoked).

        Raises
        ------
        GitHubSilent
            If GitHub did not answer, and so nothing is known.
        """
        facts = await self._ask("/user", token)
        if facts is None:
            return None
        person = Person(int(facts["id"]), str(facts["login"]), facts)
        silence: GitHubSilent | None = None
        for organization in self.organizations:
            try:
                if await self._belongs(person, organization, token):
                    return person
            except GitHubSilent as error:
                silence = error  # another organisation may still say yes
        if silence is not None:
            raise silence
        return None

    async def knows(self, token: str) -> bool:
        """Return whether who holds this token is an active member; of no organization, nobody is.

        Raises
        ------
        GitHubSilent
            If GitHub did not answer, and so nothing is known.
        """
        return bool(self.organizations) and await self.member(token) is not None

    async def _belongs(self, person: Person, organization: str, token: str) -> bool:
        name, _, team = organization.partition(":")
        path = f"/orgs/{name}/teams/{team}/memberships/{person.login}" if team else f"/user/memberships/orgs/{name}"
        membership = await self._ask(path, token)
        return membership is not None and membership.get("state") == "active"  # else: invited only

    async def _ask(self, path: str, token: str) -> dict[str, Any] | None:
        """Return GitHub's answer, or None for no."""
        url = self.api + path
        response = await _fetch(url, token)
        answer = judge(response.code, response.headers)
        if answer is Answer.SILENT:
            raise GitHubSilent(url, f"status {response.code}")
        if answer is Answer.NO:
            return None
        try:
            return cast("dict[str, Any]", json.loads(response.body))
        except ValueError as error:
            raise GitHubSilent(url, "an answer that is no JSON") from error


async def _fetch(url: str, token: str) -> HTTPResponse:
    headers = {"Accept": "application/vnd.github+json", "Authorization": f"Bearer {token}", "User-Agent": "alertdb"}
    request = HTTPRequest(url, headers=headers, request_timeout=SECONDS, connect_timeout=SECONDS)
    try:
        return await AsyncHTTPClient().fetch(request, raise_error=False)
    except (HTTPClientError, OSError) as error:
        raise GitHubSilent(url, str(error)) from error


@dataclass
class Patience:
    """Remembers since when GitHub has been silent about whom, and says when that is too long.

    Nothing is written down: a hub that starts anew begins to wait anew, and so throws out too few rather than too many.
    """

    seconds: float
    since: dict[str, float] = field(default_factory=dict)

    def heard(self, name: str) -> None:
        """Take note that GitHub answered."""
        self.since.pop(name, None)

    def lasts(self, name: str) -> bool:
        """Take note of a silence; return whether to go on as if GitHub had said yes."""
        now = time.monotonic()
        return now - self.since.setdefault(name, now) < self.seconds
