"""A relay before the test server: one port for all buckets, as a cluster has, and a plug that can be pulled.

CouchbaseMock gives each bucket a port of its own, and tells clients these ports. The relay sends a connection to the
port of the bucket that it selects, and puts its own port into what clients are told. It can also speak TLS, which
the mock cannot.
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

HEADER = struct.Struct(">BBHBBHI4s8s")
REQUEST = 0x80
HELLO, SASL_AUTH, SELECT_BUCKET = 0x1F, 0x21, 0x89
CHANGES = {0x01, 0x02, 0x03, 0x04}  # set, add, replace, delete


class Frame(NamedTuple):
    """One request or response of the memcached protocol."""

    opcode: int
    key: bytes
    value: bytes
    raw: bytes


def read_frame(connection: socket.socket) -> Frame | None:
    """Return the next frame, or None if the other side has gone."""
    head = _read(connection, HEADER.size)
    if head is None:
        return None
    magic, opcode, lengths, extras, _, _, size, _, _ = HEADER.unpack(head)
    framing, key = (lengths >> 8, lengths & 0xFF) if magic in {0x08, 0x18} else (0, lengths)
    body = _read(connection, size)
    if body is None:
        return None
    start = framing + extras
    return Frame(opcode, body[start : start + key], body[start + key :], head + body)


def _never(_: Frame) -> bool:
    return False


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _read(connection: socket.socket, size: int) -> bytes | None:
    parts = bytearray()
    while len(parts) < size:
        try:
            part = connection.recv(size - len(parts))
        except OSError:
            return None
        if not part:
            return None
        parts += part
    return bytes(parts)


class Front:
    """Listens on a port of its own, which stays the same however often the server behind it is started."""

    def __init__(self, accounts: Mapping[str, str], tls: ssl.SSLContext | None = None) -> None:
        self.accounts = accounts  # bucket -> password
        self.ports: dict[str, int] = {}  # bucket -> the server's port
        self.watch: Callable[[Frame], bool] = _never  # sees each request; the connection is cut if it says so
        self._tls = tls
        self._relays: set[_Relay] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()

    def cut(self) -> None:
        """Drop all connections."""
        with self._lock:
            for relay in self._relays:
                relay.break_off()

    def forget(self) -> None:
        """Watch no more."""
        self.watch = _never

    def close(self) -> None:
        _shut(self._listener)
        self._accepting.join()
        self._listener.close()
        self.cut()

    def rewritten(self, frame: Frame) -> bytes:
        """Return a response with our port in place of the server's."""
        if b'"nodesExt"' not in frame.value:
            return frame.raw
        told: dict[str, Any] = json.loads(frame.value)
        address = f"127.0.0.1:{self.port}"
        for node in told["nodesExt"]:
            node["services"].update({"kv": self.port} if self._tls is None else {"kvSSL": self.port})
        for node in told["nodes"]:
            node["ports"]["direct"] = self.port
        told["vBucketServerMap"]["serverList"] = [address]
        value = json.dumps(told).encode()
        start = len(frame.raw) - len(frame.value)
        head = bytearray(frame.raw[:start])
        struct.pack_into(">I", head, 8, start - HEADER.size + len(value))
        return bytes(head) + value

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            if self._tls is not None:
                client = self._tls.wrap_socket(client, server_side=True)
            relay = _Relay(self, client)
        except OSError:  # the server is down, or the client does not trust us
            client.close()
            return
        with self._lock:
            self._relays.add(relay)
        with contextlib.suppress(OSError):  # the server of the bucket that was selected is down
            relay.run()
        with self._lock:
            self._relays.discard(relay)
        relay.close()


class _Relay:
    """One connection of a client, to one bucket after the other.

    A socket is closed only when no thread can be about to use it: the next connection gets the freed number, and a
    thread that was just entering the kernel with it would take bytes of that connection. Others shut it down.
    """

    def __init__(self, front: Front, client: socket.socket) -> None:
        self._front = front
        self._client = client
        self._client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._bucket = next(iter(front.ports))
        self._hello = b""
        self._answering: dict[socket.socket, threading.Thread] = {}
        self._connect(self._bucket)

    def run(self) -> None:
        """Pass on what the client sends, until one side has gone."""
        while (frame := read_frame(self._client)) is not None:
            if self._front.watch(frame):
                return
            if frame.opcode == HELLO:
                self._hello = frame.raw
            elif frame.opcode == SELECT_BUCKET:
                self._select(frame.key.decode())
            with contextlib.suppress(OSError):
                self._server.sendall(frame.raw)

    def break_off(self) -> None:
        """Let all threads of this connection come to their end."""
        _shut(self._client)
        _shut(self._server)

    def close(self) -> None:
        """Break off and close; by the thread that ran it, when nobody else knows of it."""
        self.break_off()
        for server, thread in self._answering.items():
            thread.join()
            server.close()
        self._client.close()

    def _connect(self, bucket: str) -> None:
        server = socket.create_connection(("127.0.0.1", self._front.ports[bucket]))
        server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._hello:
            server.sendall(self._hello + self._sign_in(bucket))
            read_frame(server)
            read_frame(server)
        self._server = server
        self._answering[server] = threading.Thread(target=self._answer, args=(server,), daemon=True)
        self._answering[server].start()

    def _select(self, bucket: str) -> None:
        """Go on with the port of another bucket; whoever is let in at one may open the other."""
        if bucket != self._bucket and bucket in self._front.ports:
            left, self._bucket = self._server, bucket
            self._connect(bucket)
            _shut(left)

    def _sign_in(self, bucket: str) -> bytes:
        value = b"\0" + bucket.encode() + b"\0" + self._front.accounts[bucket].encode()
        return HEADER.pack(REQUEST, SASL_AUTH, 5, 0, 0, 0, 5 + len(value), bytes(4), bytes(8)) + b"PLAIN" + value

    def _answer(self, server: socket.socket) -> None:
        while (frame := read_frame(server)) is not None:
            with contextlib.suppress(OSError):
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # else the mock often waits 40 ms
                self._client.sendall(self._front.rewritten(frame))
        if server is self._server:
            _shut(self._client)
