"""Asks each service once, with the application's own variables: bounded, and a failure is an exception."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx
import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

DEADLINE_S: Mapping[str, float] = {"db": 3.0, "redis": 2.0, "openai": 5.0}
"""How long each probe may take, by the last part of its health path."""

REQUIRED = ("DATABASE_URL", "REDIS_URL", "OPENAI_API_KEY")
DEFAULT_OPENAI = "https://api.openai.com/v1"
_REDIS_PORT = 6379
_LONGEST_LINE = 512


class ProbeError(Exception):
    """The service answered, and not well; the message holds nothing secret."""


def probes(environment: Mapping[str, str]) -> dict[str, Callable[[], None]]:
    """Return the three probes for these variables, by the last part of their health path."""
    return {
        "db": lambda: database(environment["DATABASE_URL"]),
        "redis": lambda: redis(environment["REDIS_URL"], environment.get("REDIS_PASSWORD") or None),
        "openai": lambda: openai(
            environment.get("OPENAI_BASE_URL") or DEFAULT_OPENAI,
            environment["OPENAI_API_KEY"],
            environment.get("OPENAI_ORG_ID") or None,
        ),
    }


def database(url: str) -> None:
    """Connect and ask for one value.

    Raises:
        psycopg.Error: there is no answer.
    """
    seconds = int(DEADLINE_S["db"])
    with (
        psycopg.connect(url, connect_timeout=seconds, application_name="orka-checker") as connection,
        _cut_off(connection, seconds),
        connection.transaction(),
    ):
        # PgBouncer refuses it as a startup parameter, and would hand the session to others with it.
        connection.execute(f"SET LOCAL statement_timeout = {seconds * 1000}")
        connection.execute("SELECT 1")


def redis(url: str, password: str | None) -> None:
    """Sign in and ping. The protocol's two commands are all it takes; the URL's password wins.

    Raises:
        OSError: there is no connection, or no answer in time.
        ProbeError: Redis refused.
    """
    ends = time.monotonic() + DEADLINE_S["redis"]
    parts = urlsplit(url)
    host, port = parts.hostname or "localhost", parts.port or _REDIS_PORT
    secret = unquote(parts.password) if parts.password else password
    with socket.create_connection((host, port), timeout=DEADLINE_S["redis"]) as plain:
        if parts.scheme == "rediss":
            with ssl.create_default_context().wrap_socket(plain, server_hostname=host) as sealed:
                _ping(sealed, secret, ends)
        else:
            _ping(plain, secret, ends)


def openai(base_url: str, key: str, organization: str | None) -> None:
    """List the models: it needs a valid key and costs nothing.

    Raises:
        httpx.HTTPError: there is no answer.
        TimeoutError: there is none in time.
        ProbeError: OpenAI refused.
    """
    headers = {"authorization": f"Bearer {key}"}
    if organization:
        headers["openai-organization"] = organization
    asyncio.run(_list(f"{base_url.rstrip('/')}/models", headers))


@contextlib.contextmanager
def _cut_off(connection: psycopg.Connection, seconds: float) -> Iterator[None]:
    """End the connection after so many seconds: by itself it waits for an answer without end."""

    def end() -> None:
        with contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        timer = threading.Timer(seconds, end)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


async def _list(address: str, headers: Mapping[str, str]) -> None:
    # As a whole: the client's own timeout begins anew with each piece of an answer.
    async with (
        asyncio.timeout(DEADLINE_S["openai"]),
        httpx.AsyncClient(timeout=None) as client,  # noqa: S113 - it is bounded from outside
        client.stream("GET", address, headers=headers) as answer,
    ):
        # The code tells; the list itself may be long and is left unread.
        if not answer.is_success:
            raise ProbeError(f"answered {answer.status_code}")


def _ping(connection: socket.socket, password: str | None, ends: float) -> None:
    if password:
        _expect(connection, _command("AUTH", password), b"+OK", ends)
    _expect(connection, _command("PING"), b"+PONG", ends)


def _command(*words: str) -> bytes:
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _expect(connection: socket.socket, command: bytes, answer: bytes, ends: float) -> None:
    connection.sendall(command)
    line = b""
    while not line.endswith(b"\r\n") and len(line) < _LONGEST_LINE:
        # Each byte has what is left of the whole time, not a time of its own.
        connection.settimeout(max(0.001, ends - time.monotonic()))
        piece = connection.recv(1)
        if not piece:
            break
        line += piece
    if line.strip() != answer:
        # Only the kind of the error: Redis may repeat what it was sent.
        raise ProbeError(f"refused: {line[1:].split(b' ')[0].decode(errors='replace').strip()}")
