"""What lies around the contract's tables and undoes their protection: views, rules, an old extension.

Reads only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ops.migrate.contract import Finding
from ops.migrate.preflight import NEEDED_VECTOR, vector_is_old

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

# A view reads with its owner's rights, and a view of the reader's own rights that it reads does so too: hence
# those that read through others as well.
_READERS = """
    WITH RECURSIVE ours AS (
        SELECT c.oid, n.nspname || '.' || c.relname AS name
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.relkind = 'r' AND n.nspname || '.' || c.relname = ANY(%s)
    ), reader AS (
        SELECT w.ev_class AS oid, o.oid AS source, o.name
        FROM ours AS o JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = o.oid
        JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
        WHERE w.ev_class <> o.oid
        UNION
        SELECT w.ev_class, r.source, r.name
        FROM reader AS r JOIN pg_depend AS d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid
        JOIN pg_rewrite AS w ON d.classid = 'pg_rewrite'::regclass AND w.oid = d.objid
        WHERE w.ev_class <> r.oid
    )
    SELECT CASE c.relkind WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' ELSE 'rule of table' END,
           n.nspname || '.' || c.relname, string_agg(DISTINCT r.name, ', ' ORDER BY r.name)
    FROM reader AS r JOIN pg_class AS c ON c.oid = r.oid JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.oid NOT IN (SELECT o.oid FROM ours AS o) AND NOT (c.relkind = 'v' AND EXISTS (
        SELECT FROM pg_options_to_table(c.reloptions)
        WHERE option_name = 'security_invoker' AND option_value::boolean))
    GROUP BY 1, 2 ORDER BY 2
"""
_RULES = """
    SELECT n.nspname || '.' || c.relname || '.' || w.rulename, pg_get_ruledef(w.oid)
    FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class
    JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind = 'r' AND n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1
"""
_REMEDIES = {
    "view": "reads {} with its owner's rights: make it WITH (security_invoker = true), or drop it",
    "materialized view": "keeps rows of {} where no row security is: drop it",
    "rule of table": "works on {} with that table's owner's rights: drop it",
}
_VECTOR = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"


def faults(connection: psycopg.Connection, tables: Sequence[str]) -> list[Finding]:
    """What is there around `tables` (with schema) and must not be."""
    names = list(tables)
    return [
        *(
            Finding(fault="unexpected", object=f"{kind} {name}", detail=_REMEDIES[kind].format(read))
            for kind, name, read in connection.execute(_READERS, (names,))
        ),
        *(
            Finding(fault="unexpected", object=f"rule {name}", detail=definition)
            for name, definition in connection.execute(_RULES, (names,))
        ),
        *_vector_faults(connection),
    ]


def _vector_faults(connection: psycopg.Connection) -> list[Finding]:
    row = connection.execute(_VECTOR).fetchone()
    if row is None:
        return [Finding(fault="missing", object="extension vector")]
    if vector_is_old(row[0]):
        detail = f"expected {NEEDED_VECTOR} or newer; found {row[0]}"
        return [Finding(fault="different", object="extension vector", detail=detail)]
    return []
