"""How large the tables are that a migration works on, said before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

    from model.plan import Step
    from ops.migrate.progress import Progress

_SIZES = """
    SELECT n.nspname || '.' || c.relname, greatest(c.reltuples, 0)::bigint, pg_table_size(c.oid),
           pg_indexes_size(c.oid)
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1
"""
_SLOW_ROWS = 100_000
# All indexes of the log together take about as much as 70 % of its rows.
_INDEX_SHARE = 0.7
_MEGABYTE = 1024 * 1024


def tell(
    connection: psycopg.Connection, steps: Sequence[Step], tables: Sequence[str], progress: Progress
) -> None:
    """Say rows (the server's estimate) and size of each table that is there, and which steps will be slow."""
    found = connection.execute(_SIZES, (list(tables),)).fetchall()
    by_rows = [step.name for step in steps if step.kind != "tx"]
    for table, rows, size, indexes in found:
        text = f"{table}: about {rows} rows, {size / _MEGABYTE:.0f} MB, indexes {indexes / _MEGABYTE:.0f} MB"
        if by_rows and rows >= _SLOW_ROWS:
            text += (
                f"; slow by its rows: {', '.join(by_rows)}; "
                f"new indexes take about {size * _INDEX_SHARE / _MEGABYTE:.0f} MB"
            )
        progress.tell("size", text, table=table, rows=rows, bytes=size, index_bytes=indexes)
