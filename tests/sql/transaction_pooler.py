"""A tiny pooler in transaction mode: every transaction of a client may get another server session.

Only what the tests need: one server session per slot, handed out in turn, given back at ReadyForQuery 'I'.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SLOTS = 2
_READY, _IDLE = b"Z", b"I"


def _exactly(stream: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = stream.recv(size - len(data))
        if not part:
            raise ConnectionError
        data += part
    return data


def _message(stream: socket.socket) -> tuple[bytes, bytes]:
    kind = _exactly(stream, 1)
    size = _exactly(stream, 4)
    return kind, kind + size + _exactly(stream, struct.unpack("!I", size)[0] - 4)


class _Pool:
    def __init__(self, server: Path, startup: bytes) -> None:
        self.free: list[socket.socket] = []
        self.changed = threading.Condition()
        for _ in range(_SLOTS):
            link = socket.socket(socket.AF_UNIX)
            link.connect(str(server / ".s.PGSQL.5432"))
            link.sendall(startup)
            self.greeting = b""
            kind = b""
            while kind != _READY:
                kind, whole = _message(link)
                self.greeting += whole
            self.free.append(link)

    def take(self) -> socket.socket:
        with self.changed:
            while not self.free:
                self.changed.wait()
            return self.free.pop(0)

    def give(self, link: socket.socket) -> None:
        with self.changed:
            self.free.append(link)
            self.changed.notify()


def _serve(client: socket.socket, server: Path, pools: dict[bytes, _Pool]) -> None:
    with contextlib.suppress(ConnectionError, OSError), client:
        size = _exactly(client, 4)
        startup = size + _exactly(client, struct.unpack("!I", size)[0] - 4)
        if startup not in pools:
            pools[startup] = _Pool(server, startup)
        pool = pools[startup]
        client.sendall(pool.greeting)
        link: socket.socket | None = None
        while True:
            kind, whole = _message(client)
            if kind == b"X":
                return
            link = link or pool.take()
            link.sendall(whole)
            if kind in (b"Q", b"S"):
                back = b""
                while back != _READY:
                    back, answer = _message(link)
                    client.sendall(answer)
                if answer[-1:] == _IDLE:
                    pool.give(link)
                    link = None


@contextlib.contextmanager
def transaction_pooler(server: Path, folder: Path) -> Iterator[Path]:
    """Folder of a socket that passes on to the server's, a transaction at a time."""
    folder.mkdir()
    pools: dict[bytes, _Pool] = {}
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen()

        def accept() -> None:
            while True:
                try:
                    client, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=_serve, args=(client, server, pools), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield folder
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            for pool in pools.values():
                for link in pool.free:
                    link.close()
