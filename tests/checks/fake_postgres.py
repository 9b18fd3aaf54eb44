"""A database on loopback that signs everybody in and then answers, or does not; and a pooler's refusal."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Self

_SSL, _GSS, _CANCEL = 80877103, 80877104, 80877102
_ABOUT_ITSELF = {"server_version": "16.0", "client_encoding": "UTF8", "integer_datetimes": "on"}


class FakePostgres:
    """The server; `url` is its address. Use it as a context.

    `silent` holds for connections that are made from now on: they are signed in and then told nothing.
    `refused` names a startup parameter that is refused, as PgBouncer does. `sessions` counts who was signed
    in; `statements` are all that came, `open` counts the connections that nobody has ended.
    """

    def __init__(self, *, silent: bool = False, refused: str | None = None) -> None:
        self.silent, self.refused = silent, refused
        self.sessions = self.open = 0
        self.statements: list[str] = []
        self._taken: list[socket.socket] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        port = self._socket.getsockname()[1]
        self.url = f"postgresql://somebody@127.0.0.1:{port}/any?sslmode=disable"

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        # Who still waits for a word is let go, or the tests would never end.
        for connection in self._taken:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._taken.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        self.open += 1
        with connection, contextlib.suppress(OSError, struct.error):
            if self._signed_in(connection):
                self.sessions += 1
                self._talk(connection, silent=self.silent)
        self.open -= 1

    def _signed_in(self, connection: socket.socket) -> bool:
        code = 0
        content = b""
        while code in (0, _SSL, _GSS):
            if code:
                connection.sendall(b"N")
            (length,) = struct.unpack("!i", _exactly(connection, 4))
            content = _exactly(connection, length - 4)
            (code,) = struct.unpack("!i", content[:4])
        if code == _CANCEL:
            return False
        if self.refused and self.refused.encode() in content.split(b"\0"):
            words = f"unsupported startup parameter: {self.refused}".encode()
            connection.sendall(_message(b"E", b"SFATAL\0VFATAL\0C08P01\0M" + words + b"\0\0"))
            return False
        said = b"".join(
            _message(b"S", f"{name}\0{value}\0".encode()) for name, value in _ABOUT_ITSELF.items()
        )
        connection.sendall(_message(b"R", bytes(4)) + said + _message(b"K", bytes(8)) + _message(b"Z", b"I"))
        return True

    def _talk(self, connection: socket.socket, *, silent: bool) -> None:
        state = b"I"
        while True:
            kind = _exactly(connection, 1)
            (length,) = struct.unpack("!i", _exactly(connection, 4))
            content = _exactly(connection, length - 4)
            if kind == b"X":
                return
            statement = content.rstrip(b"\0").decode()
            self.statements.append(statement)
            if not silent:
                word = statement.split(" ", maxsplit=1)[0].rstrip(";")
                state = {"BEGIN": b"T", "COMMIT": b"I", "ROLLBACK": b"I"}.get(word, state)
                connection.sendall(_message(b"C", f"{word}\0".encode()) + _message(b"Z", state))


def _message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!i", len(content) + 4) + content


def _exactly(connection: socket.socket, length: int) -> bytes:
    found = b""
    while len(found) < length:
        piece = connection.recv(length - len(found))
        if not piece:
            raise OSError("the client has gone")
        found += piece
    return found
