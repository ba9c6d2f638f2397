"""The door to Docker's engine: of all that can be asked of it, what a hub needs to run users' containers, and no more.

Whoever can ask the engine for anything is root on the machine. The hub talks to the outside world, so it talks to the
engine through this: ``python -m alertdb.hub.engine``, in a container of its own that has the engine's socket.
A request is read as a whole, judged, and written anew, so that nothing goes through that was not read.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import sys
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Rules", "objection", "objection_to_container"]

log = logging.getLogger("engine")

NAME = r"jupyter-gh\d+"  # as the hub names users' containers
ID = r"[0-9a-f]{12,64}"
ALLOWED = {
    "GET": r"/version|/images/[\w./:@-]+/json|/containers/(?P<container>[\w-]+)/json",
    "POST": r"/containers/create|/containers/(?P<container>[\w-]+)/(start|stop|kill)",
    "DELETE": r"/containers/(?P<container>[\w-]+)",
}
VERSION = re.compile(r"/v1\.\d+(?=/)")
LARGEST = 1 << 20  # bytes of a request
# Of a new container. What stands in neither list must not be there, or be empty.
FREE = {"Cmd", "Env", "Labels", "ExposedPorts", "Volumes", "WorkingDir", "Hostname", "Tty", "OpenStdin", "StdinOnce"}
FREE |= {"AttachStdin", "AttachStdout", "AttachStderr", "NetworkDisabled"}
HELD = {"Image", "HostConfig", "NetworkingConfig"}
HOST_FREE = {"Memory", "MemorySwap", "CpuPeriod", "CpuQuota", "PidsLimit", "OomScoreAdj", "Tmpfs", "AutoRemove"}
HOST_HELD = {"Binds", "NetworkMode", "CapDrop", "SecurityOpt", "ReadonlyRootfs"}


@dataclass(frozen=True)
class Rules:
    """What users' containers are.

    Attributes
    ----------
    image, network
        The one that they have.
    folders
        Folders of the machine that they may see, or what is in them, for reading.
    """

    image: str
    network: str
    folders: tuple[str, ...]


def objection(rules: Rules, method: str, path: str, query: Mapping[str, str], body: Any) -> str | None:
    """Return what speaks against a request, or None.

    Parameters
    ----------
    path
        Without the version of the interface.
    """
    match = re.fullmatch(ALLOWED.get(method, "-"), path)
    if match is None:
        return f"{method} {path} is not among what a hub needs"
    if path == "/containers/create":
        name = query.get("name", "")
        if not re.fullmatch(NAME, name):
            return f"a container named {name!r} is no user's"
        return objection_to_container(rules, body)
    container = match.groupdict().get("container")
    if container and not re.fullmatch(f"{NAME}|{ID}", container):
        return f"the container {container!r} is no user's"
    return None


def objection_to_container(rules: Rules, body: Any) -> str | None:
    """Return what speaks against a new container, or None."""
    host = body.get("HostConfig") if isinstance(body, dict) else None
    if not isinstance(host, dict):
        return "a container needs a HostConfig"
    unknown = [name for name, value in body.items() if value and name not in FREE | HELD]
    unknown += [f"HostConfig.{name}" for name, value in host.items() if value and name not in HOST_FREE | HOST_HELD]
    if unknown:
        return f"a user's container has no {', '.join(unknown)}"
    wanted: dict[str, tuple[Any, Any]] = {
        "Image": (body.get("Image"), rules.image),
        "NetworkMode": (host.get("NetworkMode"), rules.network),
        "networks": (set((body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}) - {rules.network}, set()),
        "CapDrop": (host.get("CapDrop"), ["ALL"]),
        "SecurityOpt": (host.get("SecurityOpt"), ["no-new-privileges:true"]),
        "ReadonlyRootfs": (host.get("ReadonlyRootfs"), True),
    }
    for name, (found, expected) in wanted.items():
        if found != expected:
            return f"{name} of a user's container is {found!r}, expected {expected!r}"
    strange = [bind for bind in host.get("Binds") or [] if not _may_be_mounted(rules, bind)]
    return f"a user's container does not see {', '.join(strange)}" if strange else None


def _may_be_mounted(rules: Rules, bind: str) -> bool:
    if re.fullmatch(r"alertdb-home-gh\d+:/home/jovyan(:rw)?", bind):
        return True
    source, _, rest = bind.partition(":")
    inside = any(source == folder or source.startswith(f"{folder}/") for folder in rules.folders)
    return inside and ".." not in source.split("/") and bool(re.fullmatch(r"/[\w./-]+:ro", rest))


class _Engine(HTTPConnection):
    """A connection to the engine's socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=300)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _Handler(BaseHTTPRequestHandler):
    """Judges a request and passes it on, or refuses it."""

    rules: Rules
    engine: Callable[[], _Engine]

    def do_GET(self) -> None:
        self._judge()

    def do_POST(self) -> None:
        self._judge()

    def do_DELETE(self) -> None:
        self._judge()

    def log_message(self, *_: object) -> None:
        """Say nothing of what is allowed."""

    def address_string(self) -> str:
        """Who asks through a socket of the file system has no address."""
        return "hub"

    def _judge(self) -> None:
        parts = urlsplit(self.path)
        prefix = VERSION.match(parts.path)
        path = parts.path[prefix.end() :] if prefix else parts.path
        query = dict(parse_qsl(parts.query))
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size)) if 0 < size <= LARGEST else None
        wrong = "it is too large" if size > LARGEST else objection(self.rules, self.command, path, query, body)
        wrong = wrong or self._objection_to_id(path)
        if wrong:
            log.warning("refused: %s", wrong)
            self._answer(403, json.dumps({"message": f"The hub may not ask this of Docker: {wrong}"}).encode())
            return
        address = (prefix[0] if prefix else "") + path + (f"?{urlencode(query)}" if query else "")
        self._answer(*self._ask(self.command, address, body))

    def _objection_to_id(self, path: str) -> str | None:
        """Find the name of a container that is given by its number, and judge that."""
        found = re.match(rf"/containers/({ID})(?=/|$)", path)
        if found is None:
            return None
        status, answer = self._ask("GET", f"/containers/{found[1]}/json", None)
        name = json.loads(answer).get("Name", "") if status == 200 else ""
        return None if status == 404 or re.fullmatch(f"/{NAME}", name) else f"the container {name!r} is no user's"

    def _ask(self, method: str, address: str, body: Any) -> tuple[int, bytes]:
        connection = self.engine()
        try:
            content = None if body is None else json.dumps(body).encode()
            connection.request(method, address, content, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def _answer(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if status not in (204, 304):
            self.wfile.write(content)


class _Door(ThreadingHTTPServer):
    """Listens at a socket of the file system."""

    address_family = socket.AF_UNIX

    def server_bind(self) -> None:
        path = Path(str(self.server_address))
        path.unlink(missing_ok=True)
        self.socket.bind(str(path))
        path.chmod(0o666)  # who reaches its folder: the hub
        self.server_name, self.server_port = "engine", 0


def main() -> None:
    """Serve until told to end; everything is said in the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", stream=sys.stderr)
    told = os.environ
    rules = Rules(told["ENGINE_IMAGE"], told["ENGINE_NETWORK"], tuple(told["ENGINE_FOLDERS"].split(":")))
    handler = type("Handler", (_Handler,), {"rules": rules, "engine": lambda _: _Engine(told["ENGINE_SOCKET"])})
    log.info("users' containers have the image %s and the network %s", rules.image, rules.network)
    _Door(told["ENGINE_DOOR"], handler).serve_forever()  # type: ignore[arg-type]


if __name__ == "__main__":
    main()
