"""A service of the hub: asks GitHub again and again after everybody who is in, and puts out who left.

Whoever is no member any more is deleted from the hub: the server is stopped, and every session and token with it is
gone. Files in the home stay. JupyterHub itself asks only when somebody makes a request to it, which a notebook that
runs for a day need not do.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from tornado.httpclient import AsyncHTTPClient, HTTPClientError

from alertdb.hub.errors import GitHubSilent
from alertdb.hub.github import GitHub, Patience
from alertdb.hub.settings import user_name

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Hub", "Leavers", "main", "service"]

NAME = "leavers"
SCOPES = ["list:users", "read:users", "admin:auth_state", "read:servers", "delete:servers", "delete:users"]
PAGE = 100
AT_ONCE = 5
SECONDS = 60.0  # stopping a server takes its time
log = logging.getLogger(NAME)

User = dict[str, Any]


class Hub:
    """The hub's API, as far as it is needed here.

    Parameters
    ----------
    url, token
        Its address, and what lets this service in.
    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.headers = {"Authorization": f"token {token}"}

    async def users(self) -> list[str]:
        """Return the names of all users."""
        names: list[str] = []
        while page := await self._call("GET", f"/users?offset={len(names)}&limit={PAGE}"):
            names += [user["name"] for user in page]
        return names

    async def user(self, name: str) -> User:
        """Return what the hub knows of a user, the token for GitHub among it."""
        user: User = await self._call("GET", f"/users/{quote(name)}")
        return user

    async def delete(self, name: str) -> None:
        """Delete a user with server, sessions and tokens."""
        await self._call("DELETE", f"/users/{quote(name)}")

    async def _call(self, method: str, path: str) -> Any:
        response = await AsyncHTTPClient().fetch(
            self.url + path, method=method, headers=self.headers, request_timeout=SECONDS
        )
        return json.loads(response.body or b"null")


class Leavers:
    """Finds those who are in and are no members any more.

    Parameters
    ----------
    hub, github
        Whom to ask.
    patience
        For how long GitHub may be silent.
    """

    def __init__(self, hub: Hub, github: GitHub, patience: Patience) -> None:
        self.hub = hub
        self.github = github
        self.patience = patience

    async def check(self) -> None:
        """Ask after everybody once; a user with whom that fails is asked after the next time."""
        places = asyncio.Semaphore(AT_ONCE)  # one whose server takes long to stop must not keep all others waiting

        async def check(name: str) -> None:
            async with places:
                try:
                    await self._check(name)
                except (HTTPClientError, OSError) as error:
                    log.warning("%s could not be checked: %s", name, error)

        await asyncio.gather(*map(check, await self.hub.users()))

    async def _check(self, name: str) -> None:
        user = await self.hub.user(name)
        if await self._may_stay(user):
            return
        await self.hub.delete(name)
        log.warning("%s is no member any more: server stopped, sessions and tokens deleted", name)

    async def _may_stay(self, user: User) -> bool:
        name, auth_state = user["name"], user.get("auth_state")
        if not auth_state:  # never logged in, or the hub lost its key: nothing shows that it is a member
            return not user.get("servers")
        try:
            person = await self.github.member(auth_state["access_token"])
        except GitHubSilent as error:
            log.warning("%s is not asked after: %s", name, error)
            return self.patience.lasts(name)
        self.patience.heard(name)
        return person is not None and user_name(person.number) == name


def service(command: list[str], api: str, organizations: tuple[str, ...], every: int, patience: int) -> dict[str, Any]:
    """Return the hub's entry for this service."""
    environment = {
        "ALERTDB_LEAVERS_API": api,
        "ALERTDB_LEAVERS_ORGANIZATIONS": " ".join(organizations),
        "ALERTDB_LEAVERS_EVERY": str(every),
        "ALERTDB_LEAVERS_PATIENCE": str(patience),
    }
    return {"name": NAME, "command": command, "environment": environment}


async def watch(environment: Mapping[str, str]) -> None:
    """Check for ever; a hub that is just starting is asked again."""
    hub = Hub(environment["JUPYTERHUB_API_URL"], environment["JUPYTERHUB_API_TOKEN"])
    github = GitHub(environment["ALERTDB_LEAVERS_API"], environment["ALERTDB_LEAVERS_ORGANIZATIONS"].split())
    leavers = Leavers(hub, github, Patience(float(environment["ALERTDB_LEAVERS_PATIENCE"])))
    while True:
        try:
            await leavers.check()
        except (HTTPClientError, OSError) as error:
            log.warning("the hub does not answer: %s", error)
        await asyncio.sleep(float(environment["ALERTDB_LEAVERS_EVERY"]))


def main() -> None:
    """Run the service."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    with suppress(KeyboardInterrupt):  # how the hub, or Ctrl-C, ends it
        asyncio.run(watch(os.environ))


if __name__ == "__main__":
    main()
