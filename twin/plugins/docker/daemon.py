"""The twin's Docker daemon: found by its mark, asked by one client a call, and hung up on when cancelled.

What the `docker` package says of a failed request is never shown: it quotes the address, and that holds the
build arguments.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.plugins.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

DEFAULT_HOST = "unix:///var/run/docker.sock"
CONNECT_TIMEOUT_S = 10
SILENCE_TIMEOUT_S = 600
POLL_S = 0.1
Line = dict[str, Any]


@dataclass(frozen=True)
class Deadline:
    """When a call has to end: by the clock, or because the engine cancels."""

    cancelled: threading.Event
    seconds: float
    ends: float

    @classmethod
    def after(cls, seconds: float, cancelled: threading.Event) -> Deadline:
        """The deadline of a call that begins now."""
        return cls(cancelled, seconds, time.monotonic() + seconds)

    def require_time(self) -> None:
        """Go on only while there is time.

        Raises:
            ProviderError: there is none.
        """
        if self.cancelled.is_set():
            raise ProviderError("cancelled")
        if time.monotonic() > self.ends:
            raise ProviderError(
                f"not done within {self.seconds:g} s: give the image longer `custom_timeouts`"
            )


@contextlib.contextmanager
def connected(host: str) -> Iterator[Any]:
    """A client of the daemon at `host`.

    Each call has its own, since a client is not made for several threads.

    Raises:
        ProviderError: it does not answer, or is not the twin's.
    """
    import docker  # noqa: PLC0415 - the plugin starts with every command, and most build nothing

    from twin.docker import LABEL  # noqa: PLC0415

    client = None
    try:
        client = docker.APIClient(base_url=host, timeout=CONNECT_TIMEOUT_S)
        labels = client.info().get("Labels") or []
    except Exception as error:  # noqa: BLE001 - the package lets errors of four libraries through
        if client is not None:
            client.close()
        raise ProviderError(
            f"Docker does not answer at {host}: {cause(error)}: start the twin (`twin up`), "
            "or set DOCKER_HOST as `twin env` does"
        ) from None
    with contextlib.closing(client):
        if LABEL not in labels:
            raise ProviderError(
                f"refused to build with the Docker daemon at {host}: it is not the twin's (it lacks the "
                f"label {LABEL}). This docker plugin is a stand-in that only works on the twin; install the "
                "official plugin to use any other daemon"
            )
        client.timeout = SILENCE_TIMEOUT_S
        yield client


def said(client: Any, start: Callable[[], Iterable[Line]], deadline: Deadline) -> Iterator[Line]:
    """What the daemon says while it works; a thread listens, so that silence cannot delay a cancellation.

    Leaving the iteration early hangs up, which ends the work of the daemon too.

    Raises:
        ProviderError: it refused, the connection broke, or the deadline has come.
    """
    heard: queue.SimpleQueue[Line | Exception | None] = queue.SimpleQueue()
    call = _Call()
    client.hooks["response"].append(call.take)

    def listen() -> None:
        try:
            for item in start():
                heard.put(item)
        except Exception as error:  # noqa: BLE001 - it is raised where the lines are awaited
            heard.put(error)
        else:
            heard.put(None)

    deadline.require_time()
    threading.Thread(target=listen, daemon=True).start()
    ended = False
    try:
        while not ended:
            deadline.require_time()
            with contextlib.suppress(queue.Empty):
                item = heard.get(timeout=POLL_S)
                ended = not isinstance(item, dict)
                if isinstance(item, Exception):
                    raise ProviderError(cause(item)) from None
                if isinstance(item, dict):
                    yield _without_error(item)
    finally:
        client.hooks["response"].remove(call.take)
        if not ended:
            call.hang_up()


class _Call:
    """The answers of one call; those that only begin when it has been hung up are ended at once, too."""

    def __init__(self) -> None:
        self._responses: list[Any] = []
        self._over = threading.Event()

    def take(self, response: Any, **_: Any) -> None:
        self._responses.append(response)
        if self._over.is_set():
            _hang_up(response)

    def hang_up(self) -> None:
        self._over.set()
        for response in self._responses:
            _hang_up(response)


def cause(error: BaseException) -> str:
    """What happened, in words of the daemon or of the system; never an exception's own text."""
    from docker.errors import APIError  # noqa: PLC0415

    inner: BaseException | None = error
    while inner is not None:
        if isinstance(inner, APIError) and inner.explanation:
            return str(inner.explanation)
        if isinstance(inner, OSError) and inner.strerror:
            return str(inner.strerror)
        inner = inner.__cause__ or inner.__context__
    return f"the connection failed ({type(error).__name__})"


def _without_error(line: Line) -> Line:
    if "error" in line:
        raise ProviderError(str((line.get("errorDetail") or {}).get("message") or line["error"]))
    return line


def _hang_up(response: Any) -> None:
    from docker.types import CancellableStream  # noqa: PLC0415

    with contextlib.suppress(Exception):  # it may have ended meanwhile
        CancellableStream(iter(()), response).close()
