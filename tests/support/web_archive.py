"""A web archive on the loopback that misbehaves as told."""

from __future__ import annotations

import hashlib
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CONTENT = "application/octet-stream"


@dataclass
class WebArchive:
    """What the archive holds, and what goes wrong.

    Attributes
    ----------
    files
        Content by name.
    busy
        Status of the next answers, each used once.
    retry_after
        Header of such an answer.
    cuts
        After how many bytes each of the next answers with a tarball breaks off.
    ranges, tags, dates
        Whether the server knows Range, ETag, Last-Modified.
    sums
        Whether there is an MD5SUMS; `wrong` are names whose sum is wrong there.
    moved
        Whether tarballs are redirected to another path.
    stalls, go_on
        Whether an answer that breaks off keeps the connection open until `go_on` is set.
    requests
        What was asked: method, path, headers.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    busy: list[int] = field(default_factory=list)
    retry_after: str | None = None
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    tags: bool = True
    dates: bool = True
    sums: bool = True
    wrong: set[str] = field(default_factory=set)
    moved: bool = False
    stalls: bool = False
    go_on: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    url: str = ""

    def asked(self, name: str) -> list[str | None]:
        """The Range of each GET of a file."""
        return [
            headers.get("Range") for method, path, headers in self.requests if method == "GET" and path.endswith(name)
        ]

    def page(self) -> bytes:
        """The folder's page, as Apache writes it."""
        rows = "".join(
            f'<tr><td><a href="{name}">{name}</a></td><td align="right">2024-01-06 03:04  </td><td>1.2G</td></tr>\n'
            for name in sorted([*self.files, "MD5SUMS", "../", "?C=N;O=D", "ztf_public_20240101.tar.gz.old"])
        )
        return f"<html><head><title>Index of /alerts</title></head><body><table>{rows}</table></body></html>".encode()

    def md5sums(self) -> bytes:
        """The MD5SUMS of the folder."""
        sums = {name: hashlib.md5(data, usedforsecurity=False).hexdigest() for name, data in self.files.items()}
        return "".join(f"{'0' * 32 if n in self.wrong else md5}  {n}\n" for n, md5 in sums.items()).encode()


def tag_of(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()[:12]}"'


class Handler(BaseHTTPRequestHandler):
    """Answers for an archive, one request a connection."""

    archive: WebArchive
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.close_connection = True
        self.archive.requests.append((self.command, self.path, dict(self.headers)))
        name = self.path.rpartition("/")[2]
        if self.archive.busy and name:
            self.answer(
                self.archive.busy.pop(0),
                b"",
                {"Retry-After": self.archive.retry_after} if self.archive.retry_after else {},
            )
        elif not name:
            self.answer(200, self.archive.page(), {"Content-Type": "text/html"})
        elif name == "MD5SUMS" and self.archive.sums:
            self.answer(200, self.archive.md5sums(), {})
        elif name not in self.archive.files:
            self.answer(404, b"", {})
        elif self.archive.moved and "/mirror/" not in self.path:
            self.answer(302, b"", {"Location": f"/mirror/{name}"})
        else:
            self.send_tarball(self.archive.files[name])

    def send_tarball(self, data: bytes) -> None:
        headers = {"Content-Type": CONTENT}
        headers |= {"ETag": tag_of(data)} if self.archive.tags else {}
        headers |= {"Last-Modified": f"Sat, 06 Jan 2024 03:04:{len(data) % 60:02} GMT"} if self.archive.dates else {}
        start = self.headers.get("Range", "").removeprefix("bytes=").removesuffix("-")
        known = self.headers.get("If-Range") in (headers.get("ETag"), headers.get("Last-Modified"))
        cut = self.archive.cuts.pop(0) if self.archive.cuts and self.command == "GET" else None
        if self.archive.ranges and start and known:
            begin = int(start)
            if begin >= len(data):
                self.answer(416, b"", headers | {"Content-Range": f"bytes */{len(data)}"})
                return
            headers |= {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"}
            self.answer(206, data[begin:], headers, cut)
        else:
            self.answer(200, data, headers, cut)

    def answer(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        self.send_response(status)
        for header, value in headers.items():
            self.send_header(header, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[:cut])
            self.wfile.flush()
            if cut is not None and self.archive.stalls:
                self.archive.go_on.wait(60)


@contextmanager
def web_archive() -> Iterator[WebArchive]:
    """Serve an archive until the test is done with it."""
    archive = WebArchive()

    handler = type("ArchiveHandler", (Handler,), {"archive": archive})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    archive.url = f"http://127.0.0.1:{server.server_port}/alerts/"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield archive
    finally:
        archive.go_on.set()
        server.shutdown()
        thread.join()
        server.server_close()
