"""A stand-in for GitHub on the loopback: OAuth with PKCE, and the API's answers about people, organisations and teams.

It keeps to what GitHub documents: codes are good once, tokens carry scopes, private memberships need ``read:org``, an
invitation is a membership in state ``pending``, and whoever is none gets 404.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGN_IN = """<html><head><title>Sign in to GitHub</title></head><body><h1>Sign in to GitHub</h1>
<p>A stand-in on the loopback, for tests.</p>
<form method="post"><label>Login <input name="login"></label> <button>Sign in</button></form></body></html>"""


@dataclass
class GitHub:
    """What this GitHub knows, and how it fails.

    Attributes
    ----------
    people
        Login by numeric id; a login may change hands.
    organizations
        State of membership (``active``, ``pending``) by ``organization`` or ``organization:team``, then by id.
    failing
        Status of all answers of the API while it is set.
    broken
        Organisations whose memberships cannot be told.
    tokens
        Id and scopes by token.
    requests
        Paths that were asked for.
    """

    people: dict[int, str] = field(default_factory=dict)
    organizations: dict[str, dict[int, str]] = field(default_factory=dict)
    failing: int | None = None
    broken: set[str] = field(default_factory=set)
    client_id: str = "Iv1.0123456789abcdef"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(20))
    callback: str = ""
    tokens: dict[str, tuple[int, set[str]]] = field(default_factory=dict)
    codes: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    url: str = ""

    def number(self, login: str) -> int | None:
        """The id of whoever has this login now."""
        return next((number for number, name in self.people.items() if name == login), None)


class Handler(BaseHTTPRequestHandler):
    """Answers for a GitHub, one request a connection."""

    github: GitHub

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        self.github.requests.append(parts.path)
        if parts.path == "/login/oauth/authorize":
            self.authorize()
        elif self.github.failing and parts.path.startswith("/api/"):
            self.answer(self.github.failing, b"<html>Unicorn!</html>", "text/html")
        elif parts.path.startswith("/api/v3/"):
            self.api(parts.path.removeprefix("/api/v3"))
        else:
            self.answer(404, b"")

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        form = {name: values[0] for name, values in parse_qs(self.body()).items()}
        if parts.path == "/login/oauth/access_token":
            self.exchange(form)
        elif parts.path == "/login/oauth/authorize" and self.github.number(form.get("login", "")):
            self.send_response(302)
            self.send_header("Set-Cookie", f"github_login={form['login']}; Path=/login; HttpOnly")
            self.send_header("Location", self.path)
            self.end_headers()
        else:
            self.answer(404, b"no such login")

    def body(self) -> str:
        return self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()

    def authorize(self) -> None:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if asked.get("client_id") != self.github.client_id or asked.get("redirect_uri") != self.github.callback:
            self.answer(404, b"no such app, or not its callback")
            return
        cookie = SimpleCookie(self.headers.get("Cookie", "")).get("github_login")
        number = self.github.number(cookie.value) if cookie else None
        if number is None:
            self.answer(200, SIGN_IN.encode(), "text/html")
            return
        code = secrets.token_hex(10)
        self.github.codes[code] = {"number": number, **asked}
        self.redirect(asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]}))

    def exchange(self, form: dict[str, str]) -> None:
        code = self.github.codes.pop(form.get("code", ""), None)
        secret = form.get("client_secret", "")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if form.get("client_id") != self.github.client_id or secret != self.github.client_secret:
            self.json({"error": "incorrect_client_credentials", "error_description": "The client_id … is incorrect."})
        elif code is None or code.get("code_challenge") != challenge:
            self.json({"error": "bad_verification_code", "error_description": "The code passed is incorrect."})
        else:
            token = "gho_" + secrets.token_hex(18)
            self.github.tokens[token] = code["number"], set(code["scope"].split())
            self.json({"access_token": token, "scope": code["scope"].replace(" ", ","), "token_type": "bearer"})

    def api(self, path: str) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        number, scopes = self.github.tokens.get(token, (0, set()))
        if number not in self.github.people:  # no such token, or its account is gone
            self.json({"message": "Bad credentials"}, 401)
            return
        if path == "/user":
            login = self.github.people[number]
            self.json({"id": number, "login": login, "name": login.title(), "email": None})
        elif "read:org" not in scopes:
            self.json({"message": "You need at least read:org scope"}, 403)
        else:
            self.membership(path, number)

    def membership(self, path: str, asking: int) -> None:
        if self.github.broken & set(path.split("/")):
            self.answer(502, b"<html>Unicorn!</html>", "text/html")
            return
        organization = re.fullmatch(r"/user/memberships/orgs/([^/]+)", path)
        team = re.fullmatch(r"/orgs/([^/]+)/teams/([^/]+)/memberships/([^/]+)", path)
        if organization:
            state = self.github.organizations.get(organization[1], {}).get(asking)
        elif team and asking in self.github.organizations.get(team[1], {}):
            number = self.github.number(team[3])
            state = self.github.organizations.get(f"{team[1]}:{team[2]}", {}).get(number or 0)
        else:
            state = None
        if state:
            self.json({"state": state, "role": "member"})
        else:
            self.json({"message": "Not Found"}, 404)

    def json(self, value: dict[str, Any], status: int = 200) -> None:
        self.answer(status, json.dumps(value).encode(), "application/json; charset=utf-8")

    def redirect(self, url: str) -> None:
        self.send_response(302)
        self.send_header("Location", url)
        self.end_headers()

    def answer(self, status: int, body: bytes, kind: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def serve_github(github: GitHub) -> Iterator[GitHub]:
    """Serve it until the tests are done with it."""
    handler = type("GitHubHandler", (Handler,), {"github": github})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
