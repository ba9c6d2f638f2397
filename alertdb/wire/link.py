"""Statements over the socket of a connection that the driver has opened, their rows batch by batch."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import mariadb
import numpy as np

from alertdb.wire import packets
from alertdb.wire.codes import ENDED, HUGE, MORE, SLACK
from alertdb.wire.packets import HEADER, LARGEST, framed
from alertdb.wire.rows import Layout, ProtocolBroken

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt

    Rows = tuple[bytes, npt.NDArray[np.uint8]]  # types of the places, and values as `ingest.binding` has them

__all__ = ["Batch", "Link", "can_link", "open_line"]

BUFFER_BYTES = 1 << 19  # larger ones keep the server waiting while they are read (benchmarks/query.py)
ROWS = 1 << 16
STATEMENTS_KEPT = 32
SERVER_GONE, SERVER_LOST = 2006, 2013  # the driver's numbers for a connection that broke
UNREADABLE = 0x20 | 0x800 | 0x1000000  # capabilities: compressed, encrypted, results that end otherwise

Batch = list[Any]  # one array per column


def can_link(connection: Any) -> bool:
    """Tell whether the socket of a connection carries plain packets: neither encrypted nor compressed."""
    return connection.tls_cipher is None and not connection.client_capabilities & UNREADABLE


def open_line(connection: Any) -> socket.socket:
    """Return a socket of our own on the line of a connection of the driver.

    The driver's socket object would close the line a second time when it is forgotten: its number may be another
    file's by then.
    """
    theirs = connection.socket
    line = socket.socket(fileno=os.dup(theirs.fileno()))
    theirs.detach()
    line.setblocking(True)
    return line


class _Prepared(NamedTuple):
    """A statement that the server has prepared: its number, its places, and the definitions of its columns."""

    number: int
    places: int
    definitions: tuple[bytes, ...]


class Link:
    """Statements over a line on which nothing else is under way.

    Parameters
    ----------
    line
        The socket of a connection (`open_line`) that `can_link`; it stays the caller's.
    """

    def __init__(self, line: socket.socket) -> None:
        self._socket = line
        self._data = np.empty(BUFFER_BYTES + SLACK, np.uint8)
        self._view: memoryview[int] = memoryview(self._data)  # type: ignore[arg-type]
        self._starts = np.empty(ROWS + 1, np.int64)
        self._at = self._end = 0
        self._prepared: dict[str, _Prepared] = {}

    def run(self, statement: str) -> tuple[Layout, Iterator[Batch]]:
        """Run a statement once; return its columns and its rows, which must be taken before the next is run.

        Raises
        ------
        mariadb.Error
            If the server refuses it or is lost, also between two batches.
        """
        self._send(packets.prepare_command(statement), packets.execute_command())
        try:
            prepared = self._read_prepared()
        except mariadb.Error:
            self._packet()  # what EXECUTE says of it
            raise
        if prepared.places:
            self._packet()  # as above
            raise mariadb.ProgrammingError("Data argument: the statement has places without values")
        layout = self._read_layout(prepared)
        return layout, self._batches(layout, prepared.number)

    def run_prepared(self, statement: str, texts: tuple[str, ...]) -> tuple[Layout, Iterator[Batch]]:
        """Run a statement with places (`?`) for texts as `run` does, and keep it prepared for the next time."""
        prepared = self._prepare(statement)
        self._send(packets.execute_command(prepared.number, texts))
        layout = self._read_layout(prepared)
        return layout, self._batches(layout)

    def run_for_each(self, statement: str, pieces: Iterable[Rows]) -> packets.Done:
        """Run a statement with places that changes something once for each row of values, as one statement a piece.

        While the server works at a piece, the next is taken from the iterator.

        Raises
        ------
        mariadb.Error
            If the server refuses a row or is lost; which pieces it took by then is not told: roll back.
        """
        prepared = self._prepare(statement)
        rows = warnings = 0
        under_way = False

        def wait() -> None:
            nonlocal under_way, rows, warnings
            under_way = False
            with self._undivided():
                done = packets.parse_done(self._answer())
            rows, warnings = rows + done.rows, warnings + done.warnings

        try:
            for kinds, values in pieces:
                if under_way:
                    wait()
                with self._undivided():
                    self._send_rows(packets.bulk_command(prepared.number, kinds), values)
                under_way = True
        finally:  # whatever happened: nobody else must take the answer for theirs
            if under_way:
                wait()
        return packets.Done(rows, warnings)

    @contextmanager
    def _undivided(self) -> Iterator[None]:
        """End the line if we are interrupted within a packet: whoever used it next would wait for ever."""
        try:
            yield
        except mariadb.Error:  # the server refused it, in a whole packet, or is lost
            raise
        except BaseException:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            raise

    def _prepare(self, statement: str) -> _Prepared:
        """Return a statement that is kept prepared."""
        prepared = self._prepared.get(statement)
        if prepared is None:
            self._send(packets.prepare_command(statement))
            prepared = self._prepared[statement] = self._read_prepared()
            self._forget_oldest()
        return prepared

    def _send_rows(self, command: bytes, values: npt.NDArray[np.uint8]) -> None:
        """Send a command that goes on with values, in one packet, without copying these."""
        size = len(command) + len(values)
        if size >= LARGEST:
            raise ProtocolBroken("rows of more than 16 MB in one piece")
        try:
            self._socket.sendall(size.to_bytes(3, "little") + b"\x00" + command)
            self._socket.sendall(values.data)
        except OSError as error:
            raise _lost(SERVER_GONE, error) from error

    def _forget_oldest(self) -> None:
        if len(self._prepared) > STATEMENTS_KEPT:
            oldest = next(iter(self._prepared))
            self._send(packets.close_command(self._prepared.pop(oldest).number))

    def _read_prepared(self) -> _Prepared:
        number, columns, places = packets.parse_prepared(self._answer())
        self._read_definitions(places)
        return _Prepared(number, places, self._read_definitions(columns))

    def _read_definitions(self, count: int) -> tuple[bytes, ...]:
        definitions = tuple(self._packet() for _ in range(count))
        if count:
            self._packet()  # the mark after them
        return definitions

    def _read_layout(self, prepared: _Prepared) -> Layout:
        count, are_new = packets.parse_count(self._answer())
        definitions = prepared.definitions
        if are_new:
            definitions = self._read_definitions(count)
        elif count:
            self._packet()
        return _layout(definitions if count else ())

    def _batches(self, layout: Layout, prepared: int | None = None) -> Iterator[Batch]:
        """Yield rows until they end; then forget the statement, if it is said which."""
        if layout.columns:
            yield from self._rows(layout)
        if prepared is not None:
            self._send(packets.close_command(prepared))

    def _rows(self, layout: Layout) -> Iterator[Batch]:
        from alertdb.wire.kernel import find_rows  # here: compiled code takes a while to come, and loading needs none

        count = 0
        at = self._at
        while True:
            count, at, why = find_rows(self._data, at, self._end, self._starts, count)
            if count and (why != MORE or self._is_full()):
                yield layout.read(self._data, self._starts, count)
                count, self._at = 0, at
            elif why == ENDED:
                self._answer()  # the mark after the rows, or an error between them
                return
            elif why == HUGE:
                raise ProtocolBroken("a row has more than 16 MB")
            else:
                self._receive()
                at = at if count else self._at

    def _is_full(self) -> bool:
        return self._end == len(self._data) - SLACK

    def _answer(self) -> bytes:
        """Return the next packet, or raise the error that it tells of."""
        payload = self._packet()
        if payload[0] == 0xFF:
            raise packets.server_error(payload)
        return payload

    def _packet(self) -> bytes:
        while self._end - self._at < HEADER:
            self._receive()
        size = int.from_bytes(self._view[self._at : self._at + 3], "little")
        if size == LARGEST:
            raise ProtocolBroken("a packet has more than 16 MB")
        while self._end - self._at < HEADER + size:
            self._receive()
        first = self._at + HEADER
        self._at = first + size
        return bytes(self._view[first : self._at])

    def _send(self, *commands: bytes) -> None:
        try:
            self._socket.sendall(framed(*commands))
        except OSError as error:
            raise _lost(SERVER_GONE, error) from error

    def _receive(self) -> None:
        """Take what has come, at least a byte; make room for it first."""
        self._make_room()
        try:
            size = self._socket.recv_into(self._view[self._end : len(self._data) - SLACK])
        except OSError as error:
            raise _lost(SERVER_LOST, error) from error
        if not size:
            raise _lost(SERVER_LOST, "the server closed the connection")
        self._end += size

    def _make_room(self) -> None:
        if self._at == self._end:
            self._at = self._end = 0
        elif self._is_full():
            rest = self._data[self._at : self._end].copy()
            if len(rest) > len(self._data) // 2:
                self._data = np.empty(2 * len(self._data), np.uint8)
                self._view = memoryview(self._data)  # type: ignore[arg-type]
            self._data[: len(rest)] = rest
            self._at, self._end = 0, len(rest)


@lru_cache(256)
def _layout(definitions: tuple[bytes, ...]) -> Layout:
    return Layout([packets.parse_definition(definition) for definition in definitions])


def _lost(number: int, reason: object) -> mariadb.Error:
    error = mariadb.OperationalError(str(reason))
    error.errno = number
    return error
