"""A fixed load through the edge: bounded in count and time, to loopback only."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections import Counter
from http.client import HTTPException, HTTPSConnection
from itertools import cycle
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from pathlib import Path

EDGE = ("127.0.0.1", 8443)
PAGE = "the page"
PAGE_HOST = "staging.orka-ppm.example.com"
REQUESTS_A_SECOND = 20
# Longer than any command of a test may take.
LONGEST_S = 720.0
TIMEOUT_S = 10.0


class Load:
    """Asks one path of the API and the frontend's page by turns in the background, and counts the answers.

    `answers` counts `(status, release)`; the release is what the backend says of itself in its header, and
    `PAGE` of a page. A request without an answer counts as `(0, "<the error>")`. A load that stopped before
    its end was reached saw only a part, and fails the test.
    """

    def __init__(self, host: str, path: str, authority: Path, *, token: str = "") -> None:
        self.answers: Counter[tuple[int, str]] = Counter()
        self._host = host
        self._path = path
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._context = ssl.create_default_context(cafile=str(authority))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """End, after the request under way."""
        asking = self._thread.is_alive()
        self._stop.set()
        self._thread.join(timeout=TIMEOUT_S * 2)
        # What failed the test already says more.
        assert asking or kind, f"the load stopped before its end, after {self.answers.total()} requests"

    @property
    def failures(self) -> dict[tuple[int, str], int]:
        """The answers that were no success."""
        return {answer: count for answer, count in self.answers.items() if answer[0] != 200}

    @property
    def releases(self) -> set[str]:
        """The releases of the backend that answered."""
        return {release for status, release in self.answers if status == 200 and release != PAGE}

    def _run(self) -> None:
        ends = time.monotonic() + LONGEST_S
        turns = cycle((self._ask_api, self._ask_page))
        while not self._stop.is_set() and time.monotonic() < ends:
            started = time.monotonic()
            self.answers[next(turns)()] += 1
            self._stop.wait(max(0.0, 1 / REQUESTS_A_SECOND - (time.monotonic() - started)))

    def _ask_api(self) -> tuple[int, str]:
        return self._ask(self._host, self._path, self._headers)

    def _ask_page(self) -> tuple[int, str]:
        # Without the token: the page is everybody's.
        status, said = self._ask(PAGE_HOST, "/", {})
        return status, PAGE if status else said

    def _ask(self, host: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        connection = Edge(host, context=self._context, timeout=TIMEOUT_S)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answer.read()
            return answer.status, answer.getheader("x-orka-release", "")
        except (OSError, HTTPException) as error:
            return 0, type(error).__name__
        finally:
            connection.close()


class Edge(HTTPSConnection):
    """Asks for a host by name, certificate included, at the edge's loopback address."""

    def connect(self) -> None:
        raw = socket.create_connection(EDGE, timeout=self.timeout)
        self.sock = self._context.wrap_socket(raw, server_hostname=self.host)
