"""One short name for the catalog of a whole database, the ledger's schema left out. Reads only.

Everything that a migration can change in a database is in it: schemas, relations, columns, defaults,
constraints, indexes, policies, triggers, rules, functions, types, rights, default rights, comments,
extensions. Roles are not: they belong to the server, and other databases may use them.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import psycopg

_OURS = "n.nspname NOT IN ('information_schema', 'orka_migrations') AND n.nspname !~ '^pg_'"
# Names are made of what stays when a thing is dropped and made again; no identifier of the server's.
_RIGHTS = (
    "(SELECT string_agg(format('%s=%s%s', coalesce(r.rolname::text, 'public'), a.privilege_type,"
    " CASE WHEN a.is_grantable THEN '*' ELSE '' END), ', ' ORDER BY r.rolname, a.privilege_type)"
    " FROM aclexplode({}) AS a LEFT JOIN pg_roles AS r ON r.oid = a.grantee)"
)
_QUERIES: dict[str, str] = {
    "schema": f"""
        SELECT n.nspname, concat_ws(' ', pg_get_userbyid(n.nspowner),
               {_RIGHTS.format("coalesce(n.nspacl, acldefault('n', n.nspowner))")})
        FROM pg_namespace AS n WHERE {_OURS}
    """,
    "relation": f"""
        SELECT format('%s.%s', n.nspname, c.relname),
               concat_ws(' ', c.relkind, pg_get_userbyid(c.relowner), c.relpersistence, c.reloptions::text,
                         c.relrowsecurity, c.relforcerowsecurity, c.relreplident,
                         {_RIGHTS.format("coalesce(c.relacl, acldefault('r', c.relowner))")},
                         CASE WHEN c.relkind = 'v' THEN pg_get_viewdef(c.oid) END)
        FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {_OURS} AND c.relkind <> 'i'
    """,
    "column": f"""
        SELECT format('%s.%s.%s', n.nspname, c.relname, a.attname),
               concat_ws(' ', format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
                         a.attgenerated, pg_get_expr(d.adbin, d.adrelid), {_RIGHTS.format("a.attacl")})
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace
        LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE {_OURS} AND c.relkind <> 'i' AND a.attnum > 0 AND NOT a.attisdropped
    """,
    "constraint": f"""
        SELECT format('%s.%s.%s', n.nspname, coalesce(c.relname, t.typname), k.conname),
               concat_ws(' ', pg_get_constraintdef(k.oid), k.convalidated)
        FROM pg_constraint AS k JOIN pg_namespace AS n ON n.oid = k.connamespace
        LEFT JOIN pg_class AS c ON c.oid = k.conrelid LEFT JOIN pg_type AS t ON t.oid = k.contypid
        WHERE {_OURS}
    """,
    "index": f"""
        SELECT format('%s.%s', n.nspname, c.relname),
               concat_ws(' ', pg_get_indexdef(i.indexrelid), i.indisvalid, i.indisready, i.indisclustered)
        FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {_OURS}
    """,
    "policy": f"""
        SELECT format('%s.%s.%s', n.nspname, c.relname, p.polname),
               concat_ws(' ', p.polcmd, p.polpermissive, pg_get_expr(p.polqual, p.polrelid), '/',
                         pg_get_expr(p.polwithcheck, p.polrelid),
                         (SELECT string_agg(coalesce(r.rolname::text, 'public'), ', ' ORDER BY r.rolname)
                          FROM unnest(p.polroles) AS one LEFT JOIN pg_roles AS r ON r.oid = one))
        FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {_OURS}
    """,
    "trigger": f"""
        SELECT format('%s.%s.%s', n.nspname, c.relname, g.tgname),
               concat_ws(' ', pg_get_triggerdef(g.oid), g.tgenabled)
        FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {_OURS} AND NOT g.tgisinternal
    """,
    "rule": f"""
        SELECT format('%s.%s.%s', n.nspname, c.relname, w.rulename),
               concat_ws(' ', pg_get_ruledef(w.oid), w.ev_enabled)
        FROM pg_rewrite AS w JOIN pg_class AS c ON c.oid = w.ev_class
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE {_OURS} AND w.rulename <> '_RETURN'
    """,
    "function": f"""
        SELECT format('%s.%s(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
               concat_ws(' ', p.prokind, l.lanname, p.provolatile, p.prosecdef, p.proparallel, p.proleakproof,
                         pg_get_function_result(p.oid), p.proconfig::text, pg_get_userbyid(p.proowner),
                         coalesce(pg_get_function_sqlbody(p.oid), p.prosrc),
                         {_RIGHTS.format("coalesce(p.proacl, acldefault('f', p.proowner))")})
        FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
        JOIN pg_language AS l ON l.oid = p.prolang
        WHERE {_OURS} AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
            AND d.deptype = 'e')
    """,
    "type": f"""
        SELECT format('%s.%s', n.nspname, t.typname), concat_ws(' ', t.typtype, pg_get_userbyid(t.typowner))
        FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE {_OURS}
    """,
    "extension": """
        SELECT e.extname, concat_ws(' ', e.extversion, n.nspname)
        FROM pg_extension AS e JOIN pg_namespace AS n ON n.oid = e.extnamespace
    """,
    "default right": f"""
        SELECT concat_ws(' ', pg_get_userbyid(d.defaclrole), n.nspname, d.defaclobjtype::text),
               {_RIGHTS.format("d.defaclacl")}
        FROM pg_default_acl AS d LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
    """,
    "comment": f"""
        SELECT (pg_identify_object(d.classoid, d.objoid, d.objsubid)).identity, d.description
        FROM pg_description AS d
        WHERE (pg_identify_object(d.classoid, d.objoid, d.objsubid)).schema IN (
            SELECT n.nspname FROM pg_namespace AS n WHERE {_OURS})
    """,
}


def describe(connection: psycopg.Connection) -> dict[str, str]:
    """Every object of the database by kind and name. Must run in a transaction."""
    connection.execute("SELECT set_config('search_path', 'pg_catalog', true)")
    found = {}
    for kind, query in _QUERIES.items():
        for name, text in connection.execute(query.encode()):
            found[f"{kind} {name}"] = str(text)
    return dict(sorted(found.items()))


def fingerprint(connection: psycopg.Connection) -> str:
    """SHA-256 in hex of `describe`. Must run in a transaction."""
    text = json.dumps(describe(connection), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
