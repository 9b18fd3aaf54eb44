"""A server on loopback that answers as no server should: one behaviour for each path."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HUNDRED_MB = 100_000_000
CHUNK = b"x" * 65_536
DRIPS = 10_000
"""Of one byte, a tenth of a second each: longer than any test waits."""


def _head(
    length: int | None, kind: str = "application/json", status: str = "200 OK", more: str = ""
) -> bytes:
    size = "" if length is None else f"content-length: {length}\r\n"
    return f"HTTP/1.1 {status}\r\ncontent-type: {kind}\r\n{size}{more}connection: close\r\n\r\n".encode()


def _whole(body: bytes, kind: str = "application/json") -> list[bytes]:
    return [_head(len(body), kind), body]


def _endless() -> Iterator[bytes]:
    yield _head(None)
    while True:
        yield CHUNK


def _announced_100_mb() -> Iterator[bytes]:
    yield _head(HUNDRED_MB)
    yield from _json_of_100_mb()


def _unannounced_100_mb() -> Iterator[bytes]:
    yield _head(None)
    yield from _json_of_100_mb()


def _json_of_100_mb() -> Iterator[bytes]:
    yield b'{"status": "healthy", "padding": "'
    for _ in range(HUNDRED_MB // len(CHUNK)):
        yield CHUNK
    yield b'"}'


def _drip(first: bytes, then: bytes) -> Iterator[bytes]:
    yield first
    for _ in range(DRIPS):
        time.sleep(0.1)
        yield then


def _endless_headers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\n"
    while True:
        yield b"x-more: " + b"y" * 1000 + b"\r\n"


def _bomb() -> list[bytes]:
    body = gzip.compress(b" " * 10_000_000)
    return [_head(len(body), more="content-encoding: gzip\r\n"), body]


ANSWERS: dict[str, Callable[[], Iterator[bytes] | list[bytes]]] = {
    "/healthy": lambda: _whole(b'{"status": "healthy"}'),
    "/endless": _endless,
    "/announced-100-mb": _announced_100_mb,
    "/unannounced-100-mb": _unannounced_100_mb,
    "/redirect-loop": lambda: [_head(0, status="302 Found", more="location: /redirect-loop\r\n")],
    "/slow-loris-head": lambda: _drip(b"HTTP/1.1 200 OK\r\n", b"x"),
    "/slow-loris-body": lambda: _drip(_head(1000), b" "),
    "/silent": lambda: _drip(b"", b""),
    "/endless-headers": _endless_headers,
    "/invalid-utf-8": lambda: _whole(b'{"status": "\xff\xfe"}'),
    "/html": lambda: _whole(b"<!DOCTYPE html><html><body>healthy</body></html>", "text/html"),
    "/not-a-number": lambda: _whole(b'{"status": NaN}'),
    "/nested": lambda: _whole(b"[" * 1_000_000),
    "/huge-number": lambda: _whole(b'{"status": ' + b"9" * 100_000 + b"}"),
    "/bomb": _bomb,
    "/cut-off": lambda: [_head(1000), b'{"status": "healthy"}'],
    "/not-http": lambda: [b"SSH-2.0-OpenSSH_9.2\r\n"],
    "/escapes": lambda: _whole(json.dumps({"status": "\x1b[2J\u202egreen\nPASSED"}).encode()),
}


class Hostile:
    """The server; `url` is its base. Use it as a context."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.requests: list[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._socket.close()

    def _accept(self) -> None:
        while not self._over.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(5)
            try:
                path = connection.recv(65_536).split(b" ", 2)[1].decode()
                self.requests.append(path)
                for piece in ANSWERS[path]():
                    if self._over.is_set():
                        return
                    connection.sendall(piece)
            except OSError:
                return  # the client has had enough
