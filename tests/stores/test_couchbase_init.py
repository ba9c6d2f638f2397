"""containers/couchbase/init.py against a stand-in for the server's administration, which cannot be had for tests.

The stand-in keeps what it is told, as the documented interface does: initialised once, from then on it wants the
administrator; a bucket is made once and then changed; an account is put. It shows the script's logic, not the server's.
"""

from __future__ import annotations

import base64
import json
import stat
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SCRIPT = Path(__file__).parents[2] / "containers" / "couchbase" / "init.py"


class _Administration(ThreadingHTTPServer):
    """What a server was told."""

    def __init__(self, *, enterprise: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.enterprise = enterprise
        self.administrator: str | None = None
        self.memory = 0
        self.buckets: dict[str, dict[str, str]] = {}
        self.users: dict[str, dict[str, str]] = {}
        self.changes: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Administration

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, status: int, content: Any = None) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def _fields(self) -> dict[str, str]:
        return dict(parse_qsl(self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()))

    def _let_in(self) -> bool:
        said = base64.b64decode(self.headers.get("Authorization", "Basic ").split(" ")[1]).decode()
        return said == self.server.administrator

    def do_GET(self) -> None:
        place, name = self.path.rsplit("/", 1)
        if self.path == "/pools":
            self._answer(200, {"isEnterprise": self.server.enterprise})
        elif self.server.administrator is None:
            self._answer(404, "unknown pool")
        elif not self._let_in():
            self._answer(401)
        elif self.path == "/pools/default":
            self._answer(200, {})
        elif place.endswith("/buckets"):
            self._answer(200 if name in self.server.buckets else 404, self.server.buckets.get(name))
        else:
            roles = self.server.users[name]["roles"].split(",")
            parts = [role.rstrip("]").partition("[") for role in roles]
            self._answer(200, {"roles": [{"role": role, "bucket_name": bucket} for role, _, bucket in parts]})

    def do_POST(self) -> None:
        fields = self._fields()
        self.server.changes.append(self.path)
        if self.path == "/clusterInit" and self.server.administrator is None:
            self.server.administrator = f"{fields['username']}:{fields['password']}"
            self._answer(200)
        elif not self._let_in():
            self._answer(401)
        elif self.path == "/pools/default":
            self.server.memory = int(fields["memoryQuota"])
            self._answer(200)
        elif self.path == "/pools/default/buckets" and fields["name"] not in self.server.buckets:
            self.server.buckets[fields["name"]] = fields
            self._answer(202)
        elif self.path.rsplit("/", 1)[1] in self.server.buckets:
            self.server.buckets[self.path.rsplit("/", 1)[1]] |= fields
            self._answer(200)
        else:
            self._answer(400, {"errors": {"name": "it is there"}})

    def do_PUT(self) -> None:
        self.server.users[self.path.rsplit("/", 1)[1]] = self._fields()
        self._answer(200)


@pytest.fixture(params=[False, True], ids=["community", "enterprise"])
def administration(request: pytest.FixtureRequest) -> Iterator[_Administration]:
    server = _Administration(enterprise=request.param)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _init(server: _Administration, secrets: Path, *options: str) -> tuple[int, str, str]:
    command = [sys.executable, str(SCRIPT), "--url", server.url, "--secrets", str(secrets), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout, done.stderr


def test_it_can_run_twice_and_says_no_password(administration: _Administration, tmp_path: Path) -> None:
    first = _init(administration, tmp_path / "secrets")
    files = {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()}
    assert first[0] == 0
    assert administration.administrator == files["couchbase-admin"].strip()
    assert sorted(administration.buckets) == ["ztf-partnership", "ztf-public"]
    assert {bucket["evictionPolicy"] for bucket in administration.buckets.values()} == {"fullEviction"}
    assert administration.memory == 2048
    before = administration.users

    second = _init(administration, tmp_path / "secrets", "--memory", "3000", "--copies", "1")
    assert second == first
    assert {path.name: path.read_text() for path in (tmp_path / "secrets").iterdir()} == files
    assert administration.users == before
    assert administration.memory == 6000
    assert {(b["ramQuota"], b["replicaNumber"]) for b in administration.buckets.values()} == {("3000", "1")}
    assert administration.changes.count("/clusterInit") == 1
    for path in (tmp_path / "secrets").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text().partition(":")[2].strip() not in first[1] + first[2]


def test_readers_get_a_role_that_only_reads_where_there_is_one(administration: _Administration, tmp_path: Path) -> None:
    assert _init(administration, tmp_path)[0] == 0
    if administration.enterprise:
        assert administration.users["alertdb-readers"]["roles"] == "data_reader[ztf-public]"
        return
    assert sorted(administration.users) == ["alertdb-loader"]
    roles = "bucket_full_access[ztf-public],bucket_full_access[ztf-partnership]"
    assert administration.users["alertdb-loader"]["roles"] == roles
    assert _init(administration, tmp_path, "--raw-readers")[0] == 0
    assert administration.users["alertdb-readers"]["roles"] == "bucket_full_access[ztf-public]"


def test_another_administrator_is_one_clear_error(administration: _Administration, tmp_path: Path) -> None:
    administration.administrator = "somebody:else"
    assert _init(administration, tmp_path) == (
        1,
        "",
        "init: the server is initialised and refused the administrator; check the file couchbase-admin\n",
    )
