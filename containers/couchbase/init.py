"""Make a Couchbase server ready for thumbnails: memory, buckets, accounts. It can be run as often as you like.

    python init.py --url http://127.0.0.1:8091 --secrets /data/archive/secrets --bucket ztf

It waits until the server answers, and then sees to it that
- the server is the first node of a cluster that runs the data service alone, with this memory;
- the buckets BUCKET-public and BUCKET-partnership exist, with this memory and number of copies;
- the account that loads may open both; its file `couchbase` in the folder of secrets is the one that alertdb reads.

Enterprise Edition has a role that reads and cannot write: there it also makes an account for notebooks, which opens the
public bucket (`couchbase-readers`). Community Edition has no such role. There `--raw-readers` makes an account that can
also write and delete; docs/couchbase.md says what that means.

Passwords that are not there are made, in files of mode 0600; those that are there are used. None is printed.
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

RIGHTS = ("public", "partnership")
WAIT_SECONDS = 180
ADMINISTRATOR, LOADER, READERS = "couchbase-admin", "couchbase", "couchbase-readers"


class Failed(Exception):
    """What the server did not do, in one line."""


@dataclass(frozen=True)
class Account:
    """A name and its password."""

    user: str
    password: str


class Server:
    """The server's administration over HTTP."""

    def __init__(self, url: str, administrator: Account) -> None:
        self._url = url.rstrip("/")
        who = f"{administrator.user}:{administrator.password}"
        self._headers = {"Authorization": f"Basic {base64.b64encode(who.encode()).decode()}"}

    def ask(self, path: str, *, method: str = "GET", anonymous: bool = False, **fields: object) -> tuple[int, Any]:
        """Return the status and the answer; what is sent goes into the body, where no log shows it."""
        body = urlencode(fields).encode() if fields else None
        headers = {} if anonymous else self._headers
        request = Request(self._url + path, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with urlopen(request, timeout=60) as answer:  # noqa: S310 - the operator's own URL
                status, content = answer.status, answer.read()
        except HTTPError as error:
            status, content = error.code, error.read()
        try:
            return status, json.loads(content or b"null")
        except ValueError:
            return status, content.decode(errors="replace")

    def demand(self, path: str, *, method: str = "POST", anonymous: bool = False, **fields: object) -> None:
        """Have something done."""
        status, answer = self.ask(path, method=method, anonymous=anonymous, **fields)
        if status >= 300:
            raise Failed(f"{method} {path} was refused with {status}: {json.dumps(answer)[:300]}")


def ensure_account(folder: Path, name: str) -> Account:
    """Return the account of a file, which is made with a random password if it is not there."""
    file = folder / name
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as stream:
            stream.write(
                f"alertdb-{name.removeprefix('couchbase').strip('-') or 'loader'}:{secrets.token_urlsafe(24)}\n"
            )
    user, colon, password = file.read_text().strip().partition(":")
    if not (user and colon and password):
        raise Failed(f"{file} holds no 'user:password'; write one such line, or remove the file")
    return Account(user, password)


def wait(server: Server) -> None:
    """Wait until the server answers."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            server.ask("/pools", anonymous=True)
        except (URLError, OSError) as error:
            if time.monotonic() > until:
                raise Failed(f"the server did not answer within {WAIT_SECONDS} s: {error}") from error
            time.sleep(1)
        else:
            return


def ensure_cluster(server: Server, administrator: Account, memory: int) -> None:
    """See to it that there is a cluster with this memory (MiB a node) for documents."""
    if server.ask("/pools/default", anonymous=True)[0] == 404:
        who = {"username": administrator.user, "password": administrator.password, "port": "SAME"}
        server.demand("/clusterInit", anonymous=True, services="kv", memoryQuota=memory, **who)
    if server.ask("/pools/default")[0] != 200:
        raise Failed("the server is initialised and refused the administrator; check the file couchbase-admin")
    server.demand("/pools/default", memoryQuota=memory)


def ensure_bucket(server: Server, name: str, memory: int, copies: int) -> None:
    """See to it that there is a bucket with this memory (MiB a node), and so many copies besides the first."""
    path = f"/pools/default/buckets/{quote(name)}"
    changing = {"ramQuota": memory, "replicaNumber": copies}
    if server.ask(path)[0] == 200:
        server.demand(path, **changing)
        return
    # Full eviction: of thumbnails that nobody looks at, not even the keys stay in memory.
    fixed = {"bucketType": "couchbase", "evictionPolicy": "fullEviction", "flushEnabled": 0}
    server.demand("/pools/default/buckets", name=name, **fixed, **changing)


def ensure_user(server: Server, account: Account, roles: list[tuple[str, str]]) -> None:
    """See to it that there is an account with these roles (role and bucket) and no others."""
    path = f"/settings/rbac/users/local/{quote(account.user)}"
    wanted = ",".join(f"{role}[{bucket}]" for role, bucket in roles)
    server.demand(path, method="PUT", password=account.password, roles=wanted)
    told = server.ask(path)[1]
    found = {(role["role"], role.get("bucket_name", "")) for role in told["roles"]}
    if found != set(roles):
        raise Failed(f"the account {account.user} has the roles {sorted(found)}, expected {sorted(roles)}")


def make_ready(arguments: argparse.Namespace) -> list[str]:
    """Do all of it, and return what to say."""
    administrator = ensure_account(arguments.secrets, ADMINISTRATOR)
    server = Server(arguments.url, administrator)
    wait(server)
    buckets = {rights: f"{arguments.bucket}-{rights}" for rights in RIGHTS}
    ensure_cluster(server, administrator, 2 * arguments.memory)
    enterprise = bool(server.ask("/pools")[1].get("isEnterprise"))
    for bucket in buckets.values():
        ensure_bucket(server, bucket, arguments.memory, arguments.copies)
    writing = ("data_reader", "data_writer") if enterprise else ("bucket_full_access",)
    loader = ensure_account(arguments.secrets, LOADER)
    ensure_user(server, loader, [(role, bucket) for role in writing for bucket in buckets.values()])
    said = [f"buckets: {', '.join(buckets.values())}", f"account that loads: {loader.user}"]
    if enterprise or arguments.raw_readers:
        readers = ensure_account(arguments.secrets, READERS)
        reading = "data_reader" if enterprise else "bucket_full_access"
        ensure_user(server, readers, [(reading, buckets["public"])])
        said.append(f"account of notebooks: {readers.user} ({reading})")
    return said


def main() -> int:
    """Read the command line; one line for an error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8091", help="the server's administration")
    parser.add_argument("--secrets", type=Path, required=True, help="folder with a file per account")
    parser.add_argument("--bucket", default="ztf", help="what the buckets' names begin with")
    parser.add_argument("--memory", type=int, default=1024, help="MiB a node for each bucket")
    parser.add_argument("--copies", type=int, default=0, help="copies besides the first; 1 needs two nodes or more")
    parser.add_argument("--raw-readers", action="store_true", help="also an account for notebooks that can write")
    try:
        lines = make_ready(parser.parse_args())
    except (Failed, OSError) as error:
        print(f"init: {error}", file=sys.stderr)  # noqa: T201
        return 1
    print("\n".join(lines))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
