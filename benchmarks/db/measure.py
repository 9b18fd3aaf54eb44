"""The measurements, each on a fresh copy of the same database, ours beside the naive way."""

from __future__ import annotations

import re
import statistics
import time
from typing import TYPE_CHECKING, Any

from benchmarks.db.load import Load
from ops.migrate.manifest import MANIFEST
from ops.migrate.statements import split
from tests.sql.originals import FIXTURES
from tests.sql.support import TENANT_A, Database, ops, set_claims

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import psycopg

_QUERIES, _NEIGHBOURS, _REPEATS = 40, 10, 5
# Where the original policies look for the tenant.
_OLD_CLAIM = f"""
    SELECT set_config('request.jwt.claims', (current_setting('request.jwt.claims')::jsonb
        || '{{"tenant_id": "{TENANT_A}"}}')::text, true)
""".encode()
# Without the chain's trigger: in one transaction each event would look through all heads before it.
_EVENTS = f"""
    ALTER TABLE public.roche_audit_logs DISABLE TRIGGER roche_audit_logs_chain;
    INSERT INTO public.roche_audit_logs
        (event_type, entity_type, action_details, tenant_id, seq, previous_hash, hash)
    SELECT 'b', 'b', jsonb_build_object('n', n, 'text', repeat('x', 200)), '{TENANT_A}', n, repeat('0', 64),
        encode(sha256(n::text::bytea), 'hex')
    FROM generate_series(1, {{rows}}) AS n;
    ALTER TABLE public.roche_audit_logs ENABLE TRIGGER roche_audit_logs_chain
"""
_FORCING = ("enable_seqscan", "enable_bitmapscan", "enable_sort")
_PROBE = "(SELECT embedding FROM public.audit_embeddings WHERE audit_event_id = %(event)s)"


def under_load(database: Database, work: Callable[[], None]) -> dict[str, float]:
    """Seconds of `work`, and what a writer and a reader waited meanwhile."""
    with Load(database, reading=False) as writer, Load(database, reading=True) as reader:
        time.sleep(1)
        writer.latencies.clear()
        reader.latencies.clear()
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "writer calls": writer.calls,
        "writer p99 ms": writer.percentile(0.99),
        "writer max ms": writer.percentile(1),
        "reader p99 ms": reader.percentile(0.99),
        "reader max ms": reader.percentile(1),
    }


def original_by_hand(database: Database) -> None:
    """The original 023, a transaction per statement, as `psql < file` runs it."""
    with database.connect() as connection:
        for statement in split((FIXTURES / "original_023.sql").read_text(encoding="utf-8")):
            connection.execute(statement.text.encode())


def adopt(database: Database) -> None:
    """`ops migrate apply --adopt`; raise where it failed."""
    _done(database, "apply", "--adopt", "--lock-budget", "120")


def timed(work: Callable[[], Any]) -> float:
    """Seconds."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def second_apply(database: Database) -> dict[str, float]:
    """Seconds, and transactions that wrote anything."""
    current = "SELECT pg_current_xact_id()::text::bigint"
    before = database.value(current)
    seconds = timed(lambda: ops(database, "apply"))
    return {"seconds": seconds, "writing transactions": database.value(current) - before - 1}


def rollback(database: Database, rows: int, folder: Path) -> dict[str, float]:
    """Seconds of a backup of so many events, restored and compared, and of taking their tables back."""
    with database.connect() as connection:
        connection.execute(_EVENTS.format(rows=rows).encode())
        connection.execute(b"VACUUM ANALYZE public.roche_audit_logs")
    backup = timed(lambda: _done(database, "backup", "--dir", str(folder)))
    (manifest,) = folder.rglob(MANIFEST)
    command = ("rollback", "--to", "022", "--backup", str(manifest))
    (word,) = re.findall(r"--confirm (\S+)", ops(database, *command).err)
    seconds = timed(lambda: _done(database, *command, "--confirm", word))
    return {"backup seconds": backup, "seconds": seconds}


def _done(database: Database, *arguments: str) -> None:
    run = ops(database, *arguments)
    if run.code:
        raise RuntimeError(run.err)


def tenant_count_ms(database: Database, *, role: str | None) -> float:
    """Median milliseconds of counting a tenant's events: as a role by row security, or by its literal id."""
    times = []
    with database.connect() as connection:
        for _ in range(_REPEATS):
            with connection.transaction(force_rollback=True):
                where = f" WHERE tenant_id = '{TENANT_A}'"
                if role:
                    set_claims(connection, TENANT_A)
                    connection.execute(_OLD_CLAIM)
                    connection.execute(f"SET LOCAL ROLE {role}".encode())
                    where = ""
                times.append(timed(lambda w=where: _count(connection, w)))  # type: ignore[misc]
    return statistics.median(times) * 1000


def _count(connection: psycopg.Connection[Any], where: str) -> None:
    connection.execute(f"SELECT count(*) FROM public.roche_audit_logs{where}".encode())


def recall(database: Database, tenant: str, *, iterative: bool, forced: bool) -> float:
    """Share of the true ten nearest events that are found: as planned, or by the index when `forced`."""
    shares = []
    with database.connect() as connection, connection.transaction(force_rollback=True):
        events = connection.execute(
            "SELECT audit_event_id FROM public.audit_embeddings WHERE tenant_id = %s ORDER BY id LIMIT %s",
            (tenant, _QUERIES),
        ).fetchall()
        query = (
            "SELECT audit_event_id FROM public.audit_embeddings WHERE tenant_id = %(tenant)s"
            f" ORDER BY embedding <=> {_PROBE} LIMIT {_NEIGHBOURS}"
        )
        for (event,) in events:
            arguments = {"tenant": tenant, "event": event}
            connection.execute(b"SET LOCAL enable_indexscan = off")
            true = {row[0] for row in connection.execute(query.encode(), arguments)}
            connection.execute(b"SET LOCAL enable_indexscan = on")
            for setting in _FORCING:
                connection.execute(f"SET LOCAL {setting} = {'off' if forced else 'on'}".encode())
            if iterative:
                connection.execute(b"SET LOCAL hnsw.iterative_scan = 'relaxed_order'")
            found = {row[0] for row in connection.execute(query.encode(), arguments)}
            for setting in _FORCING:
                connection.execute(f"SET LOCAL {setting} = on".encode())
            shares.append(len(true & found) / len(true))
    return statistics.mean(shares)
