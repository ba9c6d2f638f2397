"""A service of the hub: asks GitHub again and again after everybody who is in, and puts out who left.

Whoever is no member any more is deleted from the hub: the server is stopped, and every session and token with it is
gone. Files in the home stay. JupyterHub itself asks only when somebody makes a request to it, which a notebook that
runs for a day need not do. Whoever is one, but may read partnership alerts no more, has the server stopped: the next
one comes with the rights of then. Last, accounts of the database are locked that no server uses.
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

from alertdb.config import load_config
from alertdb.errors import AlertdbError
from alertdb.hub.errors import GitHubSilent
from alertdb.hub.github import GitHub, Patience
from alertdb.hub.settings import user_name
from alertdb.people.accounts import close_account, list_people, note_leaving

if TYPE_CHECKING:
    from collections.abc import Mapping

    from alertdb.config import Config

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

    async def stop_server(self, name: str) -> None:
        """Stop a user's server; what the user is in the hub stays."""
        await self._call("DELETE", f"/users/{quote(name)}/server")

    async def with_servers(self) -> dict[str, bool]:
        """Return the names of all users, and whether each has a server that runs, starts or stops."""
        found: dict[str, bool] = {}
        while page := await self._call("GET", f"/users?offset={len(found)}&limit={PAGE}"):
            found |= {user["name"]: bool(user["servers"]) for user in page}
        return found

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
    partners
        Who tells whether a member reads partnership alerts.
    patience
        For how long GitHub may be silent.
    """

    def __init__(self, hub: Hub, github: GitHub, partners: GitHub, patience: Patience) -> None:
        self.hub = hub
        self.github = github
        self.partners = partners
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
        if not await self._may_stay(user):
            await self.hub.delete(name)
            log.warning("%s is no member any more: server stopped, sessions and tokens deleted", name)
        elif await self._reads_too_much(user):
            await self.hub.stop_server(name)
            log.warning("%s may not read partnership alerts any more: server stopped", name)

    async def _reads_too_much(self, user: User) -> bool:
        """Tell whether a server runs that was started with rights which its user has no more."""
        auth_state = user.get("auth_state") or {}
        if not (auth_state.get("partnership") and user.get("servers")):
            return False
        try:
            return not await self.partners.knows(auth_state["access_token"])
        except GitHubSilent:
            return False  # for how long that may go on, the question for membership has settled

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


async def close_unused(hub: Hub, config: Config) -> None:
    """Lock the accounts of people whose server is gone, however it went, and note who left the hub.

    Accounts are listed before servers: one that is opened in between has its server in the second list.
    """
    people = await asyncio.to_thread(list_people, config)
    servers = await hub.with_servers()
    for person in people:
        if person.account not in servers and person.left_at is None:
            await asyncio.to_thread(note_leaving, config, person.id)
            log.warning("%s (%s) is not in the hub any more: account locked", person.account, person.login)
        elif person.is_open and not servers.get(person.account):
            await asyncio.to_thread(close_account, config, person.id)
            log.warning("%s has no server any more: account locked", person.account)


def service(
    command: list[str],
    api: str,
    organizations: tuple[str, ...],
    partnership: tuple[str, ...],
    every: int,
    patience: int,
) -> dict[str, Any]:
    """Return the hub's entry for this service; it finds the archive where the hub does."""
    archive = {name: os.environ[name] for name in ("ALERTDB_HOME", "ALERTDB_DATABASE_URL") if name in os.environ}
    environment = {
        **archive,
        "ALERTDB_LEAVERS_PARTNERSHIP": " ".join(partnership),
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
    partners = GitHub(github.api, environment["ALERTDB_LEAVERS_PARTNERSHIP"].split())
    leavers = Leavers(hub, github, partners, Patience(float(environment["ALERTDB_LEAVERS_PATIENCE"])))
    while True:
        try:
            await leavers.check()
            await close_unused(hub, load_config())
        except (HTTPClientError, OSError) as error:
            log.warning("the hub does not answer: %s", error)
        except AlertdbError as error:
            log.warning("accounts are not looked after: %s", error)
        await asyncio.sleep(float(environment["ALERTDB_LEAVERS_EVERY"]))


def main() -> None:
    """Run the service."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
    with suppress(KeyboardInterrupt):  # how the hub, or Ctrl-C, ends it
        asyncio.run(watch(os.environ))


if __name__ == "__main__":
    main()
