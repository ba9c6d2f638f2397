"""Logging in with GitHub: members come in, and are asked after for as long as they stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oauthenticator.github import GitHubOAuthenticator
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError
from traitlets import Float, List, Unicode

from alertdb.hub.errors import GitHubSilent
from alertdb.hub.github import GitHub, Patience
from alertdb.hub.settings import user_name

if TYPE_CHECKING:
    from alertdb.hub.github import Person

__all__ = ["MemberAuthenticator"]

AuthModel = dict[str, Any]


class MemberAuthenticator(GitHubOAuthenticator):  # type: ignore[misc]
    """GitHubOAuthenticator, with four differences.

    - A user's name in the hub is made of GitHub's numeric id: who takes over a login is somebody else.
    - Membership is the only way in, for admins too, and is asked for again with every refresh.
    - GitHub being down is not taken for "no member".
    - What a member may read is asked with it: ``auth_state["partnership"]`` says whether partnership alerts are.
    """

    patience_seconds = Float(86400, config=True, help="For how long GitHub may be silent about a user who is in.")
    partnership = List(Unicode(), config=True, help="Organizations and teams that read partnership alerts.")

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.github = GitHub(self.github_api, sorted(self.allowed_organizations))
        self.partners = GitHub(self.github_api, self.partnership)
        self.patience = Patience(self.patience_seconds)

    async def httpfetch(self, url: str, *arguments: Any, **options: Any) -> Any:
        """Ask GitHub on the way in; if it fails to answer, the page says so."""
        try:
            return await super().httpfetch(url, *arguments, **options)
        except (HTTPClientError, OSError) as error:
            if isinstance(error, HTTPClientError) and error.code < 500:
                raise
            raise _unavailable(GitHubSilent(url, str(error))) from error

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Return the hub's name of a person."""
        return user_name(user_info["id"])

    async def update_auth_model(self, auth_model: AuthModel) -> AuthModel:
        """Add what the pages show of a person, what it may read, and whether it is an admin, as of now."""
        auth_state = auth_model["auth_state"]
        try:
            partnership = await self.partners.knows(auth_state["access_token"])
        except GitHubSilent as error:
            raise _unavailable(error) from error
        return {
            **auth_model,
            "admin": auth_model["name"] in self.admin_users,
            "user_info": _shown(auth_state[self.user_auth_state_key]),
            "auth_state": {**auth_state, "partnership": partnership},
        }

    async def check_allowed(self, username: str, auth_model: AuthModel | None) -> bool:
        """Return whether a person who logs in is a member."""
        if auth_model is None:
            return False
        try:
            person = await self.github.member(auth_model["auth_state"]["access_token"])
        except GitHubSilent as error:
            raise _unavailable(error) from error
        return person is not None and user_name(person.number) == username

    async def refresh_user(self, user: Any, handler: Any = None, **_: Any) -> bool | AuthModel:  # noqa: ARG002
        """Ask GitHub again; return False for one who is no member any more and must log in to find out."""
        auth_state = await user.get_auth_state()
        if not auth_state:
            return False
        try:
            person = await self.github.member(auth_state["access_token"])
            partnership = await self.partners.knows(auth_state["access_token"])
        except GitHubSilent as error:
            self.log.warning("%s is not asked after: %s", user.name, error)
            return self.patience.lasts(user.name)
        self.patience.heard(user.name)
        if person is None or user_name(person.number) != user.name:
            return False
        return self._refreshed(user.name, person, {**auth_state, "partnership": partnership})

    def _refreshed(self, name: str, person: Person, auth_state: dict[str, Any]) -> AuthModel:
        return {
            "name": name,
            "admin": name in self.admin_users,
            "user_info": _shown(person.facts),
            "auth_state": {**auth_state, self.user_auth_state_key: person.facts},
        }


def _unavailable(error: GitHubSilent) -> HTTPError:
    return HTTPError(503, str(error), reason="GitHub does not answer")


def _shown(facts: dict[str, Any]) -> dict[str, str]:
    """Return what the hub's pages and JupyterLab show of a person."""
    return {"name": str(facts["login"]), "display_name": str(facts.get("name") or facts["login"])}
