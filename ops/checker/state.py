"""What is known of each service: asked once at a time, remembered for a while, never waited for long."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class State:
    """What the health address says; `reason` is for the log alone."""

    status: str
    latency_ms: int
    reason: str | None = None


class Remembered:
    """A probe behind a memory of `keep_s` seconds; who asks waits `deadline_s` at most.

    A probe that hangs is not asked again before it ends: a service that is away costs one thread, not one for
    each question.
    """

    def __init__(self, name: str, probe: Callable[[], None], *, deadline_s: float, keep_s: float) -> None:
        self._name = name
        self._probe = probe
        self._deadline_s = deadline_s
        self._keep_s = keep_s
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"probe-{name}")
        self._pending: Future[tuple[State, float]] | None = None
        self._known: State | None = None
        self._until = 0.0

    def ask(self, now: Callable[[], float] = time.monotonic) -> State:
        """Return the state, remembered or new."""
        with self._lock:
            if self._known is not None and now() < self._until:
                return self._known
            if self._pending is None or self._is_old(self._pending, now()):
                self._pending = self._worker.submit(self._measure, now)
            pending = self._pending
        try:
            state, ended = pending.result(timeout=self._deadline_s)
        except TimeoutError:
            return State("degraded", round(self._deadline_s * 1000), "no answer in time")
        with self._lock:
            if self._pending is pending:
                self._pending, self._known, self._until = None, state, ended + self._keep_s
                if state.reason:
                    log.warning("%s is not healthy: %s", self._name, state.reason)
        return state

    def _is_old(self, pending: Future[tuple[State, float]], now: float) -> bool:
        """Whether a probe ended so long ago, with nobody waiting any more, that it says nothing of today."""
        return pending.done() and pending.result()[1] + self._keep_s <= now

    def _measure(self, now: Callable[[], float]) -> tuple[State, float]:
        begun = time.monotonic()
        reason = None
        try:
            self._probe()
        except Exception as error:  # noqa: BLE001 - whatever a client raises means: it does not work
            # The class alone: the text may hold an address with its password.
            reason = type(error).__name__
        took = round((time.monotonic() - begun) * 1000)
        return State("degraded" if reason else "healthy", took, reason), now()
