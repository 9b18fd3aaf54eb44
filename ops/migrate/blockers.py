"""Who stands in the way of a session: seen from a second session while the first one waits."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCKERS = """
    SELECT a.pid,
           CASE WHEN a.query LIKE 'autovacuum: %% (to prevent wraparound)'
                THEN 'autovacuum worker that prevents a wraparound and does not yield'
                -- Who may not see what it does still sees that it is nobody's.
                WHEN a.usesysid IS NULL AND a.datid IS NOT NULL THEN 'autovacuum worker'
                ELSE coalesce(nullif(a.application_name, ''), a.backend_type, 'unnamed') END,
           a.query,
           to_char(coalesce(a.xact_start, a.backend_start) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'),
           CASE WHEN a.usesysid IS NULL AND a.datid IS NOT NULL THEN (
               SELECT l.relation::bigint FROM pg_locks AS l
               WHERE l.pid = %(pid)s AND NOT l.granted AND l.locktype = 'relation') END
    FROM pg_stat_activity AS a WHERE a.pid = ANY(pg_blocking_pids(%(pid)s)) ORDER BY a.xact_start
"""
# Up to the first thing that may be data: a quote, a digit, a parameter.
_FIRST_WORDS = re.compile(r"\s*((?:[A-Za-z_][\w.]*[\s,(*]*){1,5})")
_JOIN_SECONDS = 5.0


def first_words(query: str | None) -> str:
    """The beginning of a query without anything that may be data. Pure."""
    match = _FIRST_WORDS.match(query or "")
    return " ".join(match[1].split()).rstrip(" (,*") if match else "a query that cannot be seen"


@dataclass
class Watch:
    """The blockers that were seen last, one line each; the table (by oid) where autovacuum is among them."""

    seen: list[str] = field(default_factory=list)
    vacuumed: int | None = None


@contextlib.contextmanager
def watched(
    guard: psycopg.Connection, pid: int, every_seconds: float, tell: Callable[[list[str]], None]
) -> Iterator[Watch]:
    """Look through `guard` who blocks `pid` while the body runs; `tell` each new set of blockers.

    A guard that fails ends the looking, not the body: whether its lock still holds is asked before each step.
    """
    watch, stop = Watch(), threading.Event()

    def look() -> None:
        while not stop.wait(every_seconds):
            try:
                rows = guard.execute(_BLOCKERS, {"pid": pid}).fetchall()
            except psycopg.Error:
                return
            found = [
                f"pid {one}, {name}, {first_words(query)}, since {since}"
                for one, name, query, since, _ in rows
            ]
            watch.vacuumed = next((table for *_, table in rows if table), watch.vacuumed)
            if found and found != watch.seen:
                watch.seen = found
                tell(found)

    thread = threading.Thread(target=look, name="blockers", daemon=True)
    thread.start()
    try:
        yield watch
    finally:
        stop.set()
        thread.join(_JOIN_SECONDS)
