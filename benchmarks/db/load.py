"""A writer and a reader that go on while a migration runs, and how long they had to wait."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from psycopg import errors

from tests.sql.support import TENANT_A

if TYPE_CHECKING:
    import psycopg

    from tests.sql.support import Database

_OLD = (
    b"INSERT INTO public.roche_audit_logs (event_type, entity_type, action_details) VALUES ('b', 'b', '{}')"
)
_NEW = (
    "INSERT INTO public.roche_audit_logs (event_type, entity_type, action_details, tenant_id)"
    f" VALUES ('b', 'b', '{{}}', '{TENANT_A}')"
).encode()
_READ = b'SELECT id, action_details FROM public.roche_audit_logs ORDER BY "timestamp" DESC LIMIT 50'
_PAUSE_SECONDS = 0.002


class Load:
    """Records the latency of every call in milliseconds; `reading` or writing."""

    def __init__(self, database: Database, *, reading: bool) -> None:
        self._database, self._reading = database, reading
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.latencies: list[float] = []

    def _run(self) -> None:
        with self._database.connect() as connection:
            while not self._stop.wait(_PAUSE_SECONDS):
                started = time.perf_counter()
                self._once(connection)
                self.latencies.append((time.perf_counter() - started) * 1000)

    def _once(self, connection: psycopg.Connection[Any]) -> None:
        if self._reading:
            connection.execute(_READ)
            return
        try:
            connection.execute(_OLD)
        except errors.NotNullViolation:
            # The new log wants a tenant; the new application has one.
            connection.execute(_NEW)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def calls(self) -> int:
        """How many were served."""
        return len(self.latencies)

    def percentile(self, share: float) -> float:
        """Milliseconds that this share of the calls stayed below."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
