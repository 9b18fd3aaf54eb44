"""Read the part of a database's catalog that the contract speaks of. Reads only."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ops.migrate.contract import Catalog, Function, Policy, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

HELPER_SCHEMA = "orka_audit"
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
_TRIGGER_STATES = {"O": "enabled", "A": "always", "R": "replica only", "D": "disabled"}
# Each query gives (oid of the table, name, ...); %s is the list of those oids.
_COLUMNS = """
    SELECT a.attrelid, a.attname,
           format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '')
    FROM pg_attribute AS a LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = ANY(%s) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
"""
# NOT NULL stands with the columns: version 18 lists it as a constraint too, older ones do not.
_CONSTRAINTS = """
    SELECT conrelid, conname, pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = ANY(%s) AND contype <> 'n' AND conparentid = 0 ORDER BY conname
"""
_INDEXES = """
    SELECT i.indrelid, c.relname, pg_get_indexdef(i.indexrelid)
           || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ' INVALID' END
    FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid = ANY(%s) ORDER BY c.relname
"""
_POLICIES = """
    SELECT p.polrelid, p.polname, p.polcmd::text, p.polpermissive,
           (SELECT array_agg(coalesce(r.rolname::text, 'public') ORDER BY r.rolname)
            FROM unnest(p.polroles) AS member LEFT JOIN pg_roles AS r ON r.oid = member),
           pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)
    FROM pg_policy AS p WHERE p.polrelid = ANY(%s) ORDER BY p.polname
"""
_TRIGGERS = """
    SELECT tgrelid, tgname, pg_get_triggerdef(oid), tgenabled::text FROM pg_trigger
    WHERE tgrelid = ANY(%s) AND NOT tgisinternal ORDER BY tgname
"""
_GRANTS = """
    SELECT g.relid, coalesce(r.rolname::text, 'public'), g.privilege
    FROM (
        SELECT c.oid AS relid, c.relowner, a.grantee, a.privilege_type AS privilege
        FROM pg_class AS c CROSS JOIN LATERAL aclexplode(c.relacl) AS a WHERE c.oid = ANY(%s)
        UNION ALL
        SELECT c.oid, c.relowner, x.grantee, format('%%s (%%s)', x.privilege_type, t.attname)
        FROM pg_class AS c JOIN pg_attribute AS t ON t.attrelid = c.oid
        CROSS JOIN LATERAL aclexplode(t.attacl) AS x WHERE c.oid = ANY(%s)
    ) AS g LEFT JOIN pg_roles AS r ON r.oid = g.grantee
    WHERE g.grantee <> g.relowner ORDER BY 2, 3
"""
_FUNCTIONS = """
    SELECT format('%%s.%%s(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
           format('%%s %%s security %%s returns %%s%%s', l.lanname,
                  CASE p.provolatile WHEN 'i' THEN 'immutable' WHEN 's' THEN 'stable' ELSE 'volatile' END,
                  CASE WHEN p.prosecdef THEN 'definer' ELSE 'invoker' END, pg_get_function_result(p.oid),
                  coalesce(' set ' || array_to_string(p.proconfig, ', '), '')),
           pg_get_userbyid(p.proowner),
           -- Which path it is, is the installation's matter; that it is one, and not its users' own, is ours.
           CASE WHEN p.proname = 'tenant_claim'
                     AND pg_get_function_sqlbody(p.oid) ~ '^RETURN ARRAY[[](''([^'']|'''')+''::text(, )?)+]$'
                     AND pg_get_function_sqlbody(p.oid) !~ '''(raw_)?user_meta_?data'''
                THEN 'a path in the claims'
                ELSE left(encode(sha256(convert_to(
                    coalesce(pg_get_function_sqlbody(p.oid), p.prosrc), 'UTF8')), 'hex'), 16) END,
           (SELECT array_agg(coalesce(r.rolname::text, 'public') ORDER BY r.rolname)
            FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
            LEFT JOIN pg_roles AS r ON r.oid = a.grantee WHERE a.grantee <> p.proowner)
    FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
    JOIN pg_language AS l ON l.oid = p.prolang
    WHERE n.nspname = %s ORDER BY 1
"""
_SCHEMAS = """
    SELECT n.nspname, array_agg(coalesce(r.rolname::text, 'public') ORDER BY r.rolname)
    FROM pg_namespace AS n CROSS JOIN LATERAL aclexplode(n.nspacl) AS a
    LEFT JOIN pg_roles AS r ON r.oid = a.grantee
    WHERE n.nspname = %s AND a.grantee <> n.nspowner GROUP BY n.nspname
"""
_ROLES = """
    SELECT r.rolname,
           concat_ws(' ', CASE WHEN r.rolcanlogin THEN 'login' ELSE 'nologin' END,
                     CASE WHEN r.rolsuper THEN 'superuser' END,
                     CASE WHEN r.rolbypassrls THEN 'bypassrls' END,
                     CASE WHEN r.rolcreaterole THEN 'createrole' END,
                     CASE WHEN r.rolcreatedb THEN 'createdb' END,
                     CASE WHEN r.rolreplication THEN 'replication' END,
                     (SELECT 'member of ' || string_agg(g.rolname, ', ' ORDER BY g.rolname)
                      FROM pg_auth_members AS m JOIN pg_roles AS g ON g.oid = m.roleid
                      WHERE m.member = r.oid))
    FROM pg_roles AS r WHERE r.rolname = ANY(%s) ORDER BY r.rolname
"""


def observe(
    connection: psycopg.Connection, tables: Sequence[str], roles: Sequence[str], platform_roles: Sequence[str]
) -> Catalog:
    """The catalog of `tables` (with schema), the helper schema and `roles`.

    Of `platform_roles` only the existence is looked at: what they may do elsewhere is the platform's matter.
    Must run in a transaction: it empties the search path there, so that every printed name is qualified.
    """
    connection.execute("SELECT set_config('search_path', 'pg_catalog', true)")
    vector_home = vector_schema(connection)
    found = connection.execute(
        # Not by to_regclass: the admin need not have the right to look into the schema.
        "SELECT n.nspname || '.' || c.relname, c.oid, pg_get_userbyid(c.relowner),"
        " c.relrowsecurity, c.relforcerowsecurity"
        " FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND n.nspname || '.' || c.relname = ANY(%s) ORDER BY 1",
        (list(tables),),
    ).fetchall()
    oids = [row[1] for row in found]
    columns, constraints, indexes = (
        _definitions(connection, query, oids, vector_home) for query in (_COLUMNS, _CONSTRAINTS, _INDEXES)
    )
    policies: dict[int, dict[str, Policy]] = defaultdict(dict)
    for oid, name, command, permissive, members, using, check in connection.execute(_POLICIES, (oids,)):
        verb = _COMMANDS[command] + ("" if permissive else " restrictive")
        policies[oid][name] = Policy(command=verb, roles=members, using=using, check=check)
    triggers: dict[int, dict[str, str]] = defaultdict(dict)
    for oid, name, definition, state in connection.execute(_TRIGGERS, (oids,)):
        triggers[oid][name] = f"{definition} [{_TRIGGER_STATES[state]}]"
    grants: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for oid, grantee, privilege in connection.execute(_GRANTS, (oids, oids)):
        grants[oid][grantee].append(privilege)
    return Catalog(
        tables={
            name: Table(
                owner=owner,
                row_security=_row_security(enabled=enabled, forced=forced),
                columns=columns[oid],
                constraints=constraints[oid],
                indexes=indexes[oid],
                policies=policies[oid],
                triggers=triggers[oid],
                grants={grantee: list(rights) for grantee, rights in grants[oid].items()},
            )
            for name, oid, owner, enabled, forced in found
        },
        functions={
            name: Function(definition=definition, owner=owner, source=source, execute=execute or [])
            for name, definition, owner, source, execute in connection.execute(_FUNCTIONS, (HELPER_SCHEMA,))
        },
        schemas=dict(connection.execute(_SCHEMAS, (HELPER_SCHEMA,)).fetchall()),
        roles=_roles(connection, roles, platform_roles),
    )


def existing_functions(connection: psycopg.Connection, names: Sequence[str]) -> list[str]:
    """Which of `names` (with schema) exist as functions, whatever their arguments."""
    rows = connection.execute(
        "SELECT DISTINCT n.nspname || '.' || p.proname FROM pg_proc AS p JOIN pg_namespace AS n"
        " ON n.oid = p.pronamespace WHERE n.nspname || '.' || p.proname = ANY(%s) ORDER BY 1",
        (list(names),),
    ).fetchall()
    return [str(row[0]) for row in rows]


def _definitions(
    connection: psycopg.Connection, query: str, oids: list[int], vector_home: str
) -> dict[int, dict[str, str]]:
    result: dict[int, dict[str, str]] = defaultdict(dict)
    for oid, name, definition in connection.execute(query.encode(), (oids,)):
        result[oid][name] = definition.replace(f"{vector_home}.vector", "vector")
    return result


def vector_schema(connection: psycopg.Connection) -> str:
    """Schema of the extension: the contract leaves it out, for platforms differ in it."""
    row: tuple[Any, ...] | None = connection.execute(
        "SELECT quote_ident(n.nspname) FROM pg_extension AS e"
        " JOIN pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'vector'"
    ).fetchone()
    return str(row[0]) if row else "public"


def _roles(
    connection: psycopg.Connection, roles: Sequence[str], platform_roles: Sequence[str]
) -> dict[str, str]:
    named: dict[str, str] = dict(connection.execute(_ROLES, ([*roles, *platform_roles],)).fetchall())
    return {name: "exists" if name in platform_roles else text for name, text in named.items()}


def _row_security(*, enabled: bool, forced: bool) -> str:
    if not enabled:
        return "off"
    return "on and forced" if forced else "on, not forced"
