"""A real hub with its real proxy, in a process of its own, and a person who uses it without a browser."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from collections.abc import Callable

    from github import GitHub

ROOT = Path(__file__).resolve().parents[2]
# The hub's configuration as it is; as root, a notebook server does not start unless told.
SITE_CONFIG = f"""
load_subconfig("{ROOT}/jupyterhub/jupyterhub_config.py")
get_config().SimpleLocalProcessSpawner.args += {["--allow-root"] if os.geteuid() == 0 else []}
"""
GROUP, TEAM = "survey-group", "other-group:ztf"
MEMBER, LEAVER, TEAMMATE, OUTSIDER, INVITED, ADMIN = 11, 12, 13, 14, 15, 16
SECONDS = 90.0  # far more than anything here takes; only a failure waits for it


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(found: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    """Ask until the answer is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (answer := found()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.1)
    return answer


@dataclass
class RunningHub:
    """A hub, its settings, and how to stop and start it."""

    state: Path
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.settings["ALERTDB_HUB_URL"]

    @property
    def log(self) -> str:
        return (self.state / "hub.log").read_text()

    def home(self, user: str) -> Path:
        """Home folder of a user."""
        home = self.state / "homes" / user
        home.mkdir(parents=True, exist_ok=True)
        return home

    def start(self) -> None:
        config = self.state / "site_config.py"
        config.write_text(SITE_CONFIG)
        command = [sys.executable, "-m", "jupyterhub", "-f", str(config)]
        with (self.state / "hub.log").open("a") as log:
            self.process = subprocess.Popen(command, env=self.settings, cwd=self.state, stdout=log, stderr=log)
        wait_for(self.answers, "the hub to answer")

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log[-3000:]
        try:
            with urllib.request.urlopen(f"{self.url}/hub/health", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False

    def stop(self) -> None:
        """Stop the hub with its proxy and services; users' servers go on."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(SECONDS)

    def processes(self, user: str = "") -> dict[int, list[bytes]]:
        """Environment of each process of users' servers, kernels among them, by process id."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                environment = (folder / "environ").read_bytes().split(b"\0")
            except OSError:
                continue  # it has just ended, or belongs to somebody else
            names = dict(entry.split(b"=", 1) for entry in environment if b"=" in entry)
            port = f":{self.settings['ALERTDB_HUB_PORT']}/".encode()
            name = names.get(b"JUPYTERHUB_USER", b"").decode()
            if port in names.get(b"JUPYTERHUB_API_URL", b"") and name and user in ("", name):
                found[int(folder.name)] = environment
        return found

    def lasting(self, user: str) -> set[int]:
        """Process ids of a user's server and kernels; a server asks short-lived children for versions and the like."""
        names = (b"jupyterhub.singleuser", b"jupyterhub-singleuser", b"ipykernel")
        found = set()
        for pid in self.processes(user):
            with suppress(OSError):
                line = Path(f"/proc/{pid}/cmdline").read_bytes()
                found |= {pid for name in names if name in line}
        return found

    def command_lines(self) -> list[Path]:
        """Where the arguments of the hub, its proxy, its services and the users' servers can be read."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [Path(f"/proc/{pid}/cmdline") for pid in (self.process.pid, *children, *self.processes())]

    def service_environment(self, module: str) -> dict[str, str]:
        """The environment in which the hub runs a service."""
        (found,) = [path.parent for path in self.command_lines() if module.encode() in path.read_bytes()]
        entries = (found / "environ").read_text().split("\0")
        return dict(entry.split("=", 1) for entry in entries if "=" in entry)

    def kill_servers(self) -> None:
        """End users' servers without asking, when all tests are done."""
        for pid in self.processes():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def hub_settings(state: Path, github: GitHub, **more: str) -> dict[str, str]:
    """Return the environment of a hub: nothing of ours but what programs need to run."""
    port = free_port()
    github.callback = f"http://127.0.0.1:{port}/hub/oauth_callback"
    secret = state / "client_secret"
    secret.touch(mode=0o600)
    secret.write_text(github.client_secret)
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    ours = {
        "URL": f"http://127.0.0.1:{port}",
        "LISTEN": f"http://127.0.0.1:{port}",
        "PORT": str(free_port()),
        "PROXY_API_PORT": str(free_port()),
        "STATE": str(state),
        "CLIENT_ID": github.client_id,
        "CLIENT_SECRET_FILE": str(secret),
        "GITHUB_URL": github.url,
        "SPAWNER": "simple",
    }
    return kept | {f"ALERTDB_HUB_{name}": value for name, value in (ours | more).items()}


@dataclass
class Visitor:
    """A person with cookies of their own, signed in at GitHub under a login."""

    hub: str
    login: str
    github: str
    cookies: CookieJar = field(default_factory=CookieJar)

    def __post_init__(self) -> None:
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.cookies))

    def get(self, path: str, token: str | None = None) -> tuple[int, str]:
        """Ask for a page, following redirects; return its status and its text."""
        return self._open(urllib.request.Request(self.hub + path), token)

    def post(self, path: str, token: str) -> tuple[int, str]:
        """Post an empty object; return the status and the text of the answer."""
        return self._open(urllib.request.Request(self.hub + path, b"{}"), token)

    def api(self, method: str, path: str, token: str | None = None, body: Any = None) -> tuple[int, Any]:
        """Ask the hub's API, with the cookies or a token; return the status and the answer."""
        data = json.dumps(body or {}).encode() if method in ("POST", "PUT", "PATCH") else None
        request = urllib.request.Request(f"{self.hub}/hub/api{path}", data, method=method)
        request.add_header("Content-Type", "application/json")
        for cookie in self.cookies:
            if cookie.name == "_xsrf" and cookie.path == "/hub/":
                request.add_header("X-XSRFToken", cookie.value or "")
        status, text = self._open(request, token)
        return status, json.loads(text) if text.startswith(("{", "[")) else text

    def log_in(self) -> tuple[int, str]:
        """Press the hub's button, sign in at GitHub if it asks, and come back."""
        status, page = self.get("/hub/oauth_login?next=/hub/home")
        if "Sign in to GitHub" not in page:
            return status, page
        form = urlencode({"login": self.login}).encode()
        return self._open(urllib.request.Request(self.last_url, form), None)

    def _open(self, request: urllib.request.Request, token: str | None) -> tuple[int, str]:
        if token:
            request.add_header("Authorization", f"token {token}")
        try:
            with self.opener.open(request, timeout=SECONDS) as response:
                self.last_url = response.url
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                self.last_url = error.url or ""
                return error.code, error.read().decode()

    def name(self) -> str:
        """This person's name in the hub, as the start page tells it."""
        _, page = self.get("/hub/home")
        found = re.search(r'user: "([^"]*)"', page)
        return found[1] if found else ""


def start_server(person: Visitor) -> str:
    """Start a person's notebook server, unless it runs, and return its path."""
    name = person.name()
    if "" not in person.api("GET", f"/users/{name}")[1]["servers"]:
        assert person.api("POST", f"/users/{name}/server")[0] in (201, 202)
    wait_for(lambda: person.api("GET", f"/users/{name}")[1]["servers"].get("", {}).get("ready"), "a server")
    return f"/user/{name}/"


def start_kernel(person: Visitor, server: str, token: str) -> None:
    """Start a kernel in a person's notebook server, as opening a notebook does."""
    assert person.post(f"{server}api/kernels", token)[0] == 201


def make_token(person: Visitor) -> str:
    status, answer = person.api("POST", f"/users/{person.name()}/tokens", body={"note": "a script"})
    assert status == 201
    return str(answer["token"])
