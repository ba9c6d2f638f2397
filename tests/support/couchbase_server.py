"""Couchbase's test server (CouchbaseMock) as a process of the tests, behind a relay that stays when it goes."""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import Request, urlopen

from couchbase.auth import PasswordAuthenticator
from couchbase.cluster import Cluster
from couchbase.options import ClusterOptions
from couchbase_front import Front

if TYPE_CHECKING:
    import ssl

BUCKET = "thumbnails"
PASSWORD = "test-password"  # noqa: S105 - of a server that lives as long as the tests
ACCOUNTS = {f"{BUCKET}-{rights}": PASSWORD for rights in ("public", "partnership")}
ACCOUNT = f"{BUCKET}-public:{PASSWORD}"  # the mock's accounts are called as its buckets
TEMPORARY_FAILURE, NO_MEMORY = 0x86, 0x82  # answers that `fail` can order
START_SECONDS = 60
JAR = (
    Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "alertdb" / "CouchbaseMock-1.5.27.jar"
)  # as in tests/support/couchbase_mock.sh


def why_missing() -> str | None:
    """Return why the server cannot be started, or None."""
    if not JAR.is_file():
        return f"{JAR} is not there; tests/support/couchbase_mock.sh fetches it"
    return None if shutil.which("java") else "there is no 'java'; tests/support/couchbase_mock.sh installs it"


class CouchbaseServer:
    """The server with an empty bucket for each rights class."""

    def __init__(self, log: Path, tls: ssl.SSLContext | None = None) -> None:
        self._log = log
        self.front = Front(ACCOUNTS, tls)
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """URL of its thumbnails; the mock cannot make anything durable."""
        return f"couchbase://127.0.0.1:{self.front.port}/{BUCKET}?durability=none"

    def start(self) -> None:
        """Start it, empty."""
        with socket.create_server(("127.0.0.1", 0)) as listener, self._log.open("ab") as log:
            listener.settimeout(START_SECONDS)
            monitor = f"127.0.0.1:{listener.getsockname()[1]}"
            buckets = ",".join(f"{bucket}:{password}:" for bucket, password in ACCOUNTS.items())
            java = ["java", "-Xmx1g", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-jar", str(JAR)]
            size = ["--cccp", "--nodes", "1", "--replicas", "0", "--vbuckets", "64"]
            where = ["--port", "0", "--buckets", buckets, "--harakiri-monitor", monitor]
            self._process = subprocess.Popen([*java, *size, *where], stdout=log, stderr=log)
            self._control, _ = listener.accept()
        self._answers = self._control.makefile("rb")
        self._administration = int(b"".join(iter(lambda: self._answers.read(1), b"\0")))  # a port
        self.front.ports = {bucket: self.order("get_mcports", bucket=bucket)["payload"][0] for bucket in ACCOUNTS}

    def stop(self) -> None:
        """Kill it, and all that it held."""
        if self._process is not None:
            self._answers.close()
            self._control.close()
            self._process.kill()
            self._process.wait()
            self._process = None
            self.front.cut()

    def restart(self) -> None:
        """Kill it and start an empty one in its place."""
        self.stop()
        self.start()

    def empty(self) -> None:
        """Take all documents away, and all that was ordered."""
        self.front.forget()
        self.fail(0, 0)
        for bucket, password in ACCOUNTS.items():
            url = f"http://127.0.0.1:{self._administration}/pools/default/buckets/{bucket}/controller/doFlush"
            account = base64.b64encode(f"{bucket}:{password}".encode()).decode()
            order = Request(url, method="POST", headers={"Authorization": f"Basic {account}"})
            with urlopen(order):
                pass

    def documents(self, rights: str) -> Any:
        """Return the collection of a bucket, by the SDK alone."""
        account = PasswordAuthenticator(f"{BUCKET}-public", PASSWORD)
        cluster = Cluster(f"couchbase://127.0.0.1:{self.front.port}", ClusterOptions(account))
        return cluster.bucket(f"{BUCKET}-{rights}").default_collection()

    def fail(self, code: int, count: int) -> None:
        """Have the next answers be this error, `count` of them (-1: all, 0: none)."""
        self.order("opfail", code=code, count=count)

    def order(self, command: str, **payload: Any) -> dict[str, Any]:
        """Send the server one of its commands for tests."""
        self._control.sendall(json.dumps({"command": command, "payload": payload}).encode() + b"\n")
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer

    def close(self) -> None:
        self.stop()
        self.front.close()
