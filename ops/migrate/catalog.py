"""Read the part of a database's catalog that the contract speaks of. Reads only."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from ops.migrate import catalog_queries as queries
from ops.migrate.contract import Catalog, Function, Policy, Schema, Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg

HELPER_SCHEMA = "orka_audit"
_COMMANDS = {"r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE", "*": "ALL"}
_TRIGGER_STATES = {"O": "enabled", "A": "always", "R": "replica only", "D": "disabled"}


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
        _definitions(connection, query, oids, vector_home)
        for query in (queries.COLUMNS, queries.CONSTRAINTS, queries.INDEXES)
    )
    policies: dict[int, dict[str, Policy]] = defaultdict(dict)
    for oid, name, command, permissive, members, using, check in connection.execute(
        queries.POLICIES, (oids,)
    ):
        verb = _COMMANDS[command] + ("" if permissive else " restrictive")
        policies[oid][name] = Policy(command=verb, roles=members, using=using, check=check)
    triggers: dict[int, dict[str, str]] = defaultdict(dict)
    for oid, name, definition, state in connection.execute(queries.TRIGGERS, (oids,)):
        triggers[oid][name] = f"{definition} [{_TRIGGER_STATES[state]}]"
    grants: dict[int, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for oid, grantee, privilege in connection.execute(queries.GRANTS, (oids, oids)):
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
            for name, definition, owner, source, execute in connection.execute(
                queries.FUNCTIONS, (HELPER_SCHEMA,)
            )
        },
        schemas=_schemas(connection, HELPER_SCHEMA),
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


def _schemas(connection: psycopg.Connection, name: str) -> dict[str, Schema]:
    grants: dict[str, list[str]] = defaultdict(list)
    for grantee, privilege in connection.execute(queries.SCHEMA_GRANTS, (name,)):
        grants[grantee].append(privilege)
    found = connection.execute(queries.SCHEMAS, (name,)).fetchall()
    return {schema: Schema(owner=owner, grants=dict(grants)) for schema, owner in found}


def _roles(
    connection: psycopg.Connection, roles: Sequence[str], platform_roles: Sequence[str]
) -> dict[str, str]:
    named: dict[str, str] = dict(connection.execute(queries.ROLES, ([*roles, *platform_roles],)).fetchall())
    return {name: "exists" if name in platform_roles else text for name, text in named.items()}


def _row_security(*, enabled: bool, forced: bool) -> str:
    if not enabled:
        return "off"
    return "on and forced" if forced else "on, not forced"
