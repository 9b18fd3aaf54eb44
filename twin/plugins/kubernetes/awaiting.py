"""Waiting until an object does what it is for.

Each awaited kind has a function that looks once and says what it sees. Here that is repeated until the object
is ready, has failed for good, time is up, or the engine cancels. The time runs from the start.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from twin.plugins.kubernetes import objects
from twin.plugins.kubernetes.errors import ApiError, AwaitError, CancelledError, UnreachableError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from twin.plugins.kubernetes.client import Client
    from twin.plugins.kubernetes.kinds import Kind

DEFAULT_SECONDS = 600.0
POLL_SECONDS = 0.3


@dataclass
class Sight:
    """What one look at an object showed.

    Attributes:
        ready: it does what it is for.
        failed: it never will.
        progress: one line for the display.
        reasons: what stands in the way now.
        lasting: reasons that stay true when they are no longer to be seen (a pod that was removed).

    """

    ready: bool = False
    failed: bool = False
    progress: str = ""
    reasons: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)


Look = "Callable[[Client, Kind, objects.Object], Sight]"


def seconds(inputs: objects.Object, requested: float) -> float:
    """How long to wait: the resource's custom timeout, else its annotation, else ten minutes."""
    if requested > 0:
        return requested
    try:
        return float(objects.annotation(inputs, objects.TIMEOUT_SECONDS) or DEFAULT_SECONDS)
    except ValueError:
        return DEFAULT_SECONDS


def until_ready(
    client: Client,
    kind: Kind,
    live: objects.Object,
    look: Callable[[Client, Kind, objects.Object], Sight],
    *,
    timeout: float,
    cancelled: threading.Event,
    progress: Callable[[str], None],
) -> None:
    """Look until the object is ready.

    Raises:
        AwaitError: it failed, or `timeout` seconds are over.
        CancelledError: the engine cancelled.

    """
    deadline = time.monotonic() + timeout
    meta = live["metadata"]
    remembered: dict[str, None] = {}
    sight = Sight()
    while True:
        try:
            sight = look(client, kind, client.get(kind, meta.get("namespace", ""), meta["name"]))
        except UnreachableError as error:
            # A restart of the API server is no verdict on the object.
            progress(str(error))
        remembered.update(dict.fromkeys(sight.lasting))
        if sight.ready:
            return
        reasons = [*sight.reasons, *(text for text in remembered if text not in sight.reasons)]
        if sight.failed:
            raise AwaitError(f"Resource '{meta['name']}' was created but failed to initialize", reasons)
        progress(sight.progress)
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise AwaitError(f"'{meta['name']}' timed out waiting to be Ready", reasons)
        if cancelled.wait(min(POLL_SECONDS, remaining)):
            raise CancelledError(f'Resource operation was cancelled for "{meta["name"]}"', reasons)


def once(
    client: Client,
    kind: Kind,
    live: objects.Object,
    look: Callable[[Client, Kind, objects.Object], Sight],
) -> None:
    """Look once, as a refresh does.

    Raises:
        AwaitError: the object is not ready.

    """
    sight = look(client, kind, live)
    if not sight.ready:
        name = live["metadata"]["name"]
        reasons = list(dict.fromkeys([*sight.reasons, *sight.lasting]))
        raise AwaitError(f"Resource '{name}' was created but failed to initialize", reasons)


def until_gone(
    client: Client,
    kind: Kind,
    live: objects.Object,
    *,
    timeout: float,
    cancelled: threading.Event,
    progress: Callable[[str], None],
) -> None:
    """Wait until the object is no longer there (a new one of the same name counts as gone).

    Raises:
        AwaitError: it still is after `timeout` seconds.
        CancelledError: the engine cancelled.

    """
    deadline = time.monotonic() + timeout
    meta = live["metadata"]
    while True:
        try:
            now = client.get(kind, meta.get("namespace", ""), meta["name"])
        except ApiError as error:
            if error.not_found:
                return
            raise
        except UnreachableError as error:
            progress(str(error))
            now = live
        if now["metadata"].get("uid") != meta.get("uid"):
            return
        finalizers = ", ".join(now["metadata"].get("finalizers") or [])
        progress("waiting for deletion" + (f" (finalizers: {finalizers})" if finalizers else ""))
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise AwaitError(
                f"'{meta['name']}' timed out waiting to be deleted", [finalizers] if finalizers else []
            )
        if cancelled.wait(min(POLL_SECONDS, remaining)):
            raise CancelledError(f'Resource operation was cancelled for "{meta["name"]}"', [])
