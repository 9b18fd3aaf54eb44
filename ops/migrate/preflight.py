"""What must be true before the first change; everything here only reads, but for making the extension."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import class_row

from ops.migrate.outcome import ExitCode, MigrateError
from ops.migrate.redact import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.plan import Step
    from ops.migrate.options import Options
    from ops.migrate.progress import Progress

MINIMUM_SERVER = 15
MINIMUM_VECTOR = (0, 8)
NEEDED_VECTOR = ".".join(map(str, MINIMUM_VECTOR))
# Since version 16 only who has the ADMIN option may let himself become the owner.
_FACTS = """
    SELECT current_setting('server_version_num')::int / 10000 AS major,
           pg_is_in_recovery() AS in_recovery,
           current_setting('default_transaction_read_only')::bool AS read_only,
           current_setting('server_encoding') AS encoding,
           (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS installed,
           (SELECT default_version FROM pg_available_extensions WHERE name = 'vector') AS available,
           me.rolsuper OR (
               has_database_privilege(current_database(), 'CREATE') AND EXISTS (
                   SELECT FROM pg_available_extension_versions AS v
                   JOIN pg_available_extensions AS e ON e.name = v.name AND e.default_version = v.version
                   WHERE v.name = 'vector' AND (v.trusted OR NOT v.superuser))
           ) AS may_create_vector,
           me.rolsuper OR me.rolcreaterole AS may_create_roles,
           has_database_privilege(current_database(), 'CREATE') AS may_create_schemas,
           has_schema_privilege('public', 'USAGE WITH GRANT OPTION')
               AND has_schema_privilege('public', 'CREATE WITH GRANT OPTION') AS may_open_public,
           me.rolsuper OR NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'orka_owner')
               OR pg_has_role(current_user, (SELECT oid FROM pg_roles WHERE rolname = 'orka_owner'), 'MEMBER')
               OR EXISTS (
                   SELECT FROM pg_auth_members AS m JOIN pg_roles AS o ON o.oid = m.roleid
                   WHERE o.rolname = 'orka_owner' AND m.member = me.oid AND m.admin_option)
               AS may_become_owner,
           (SELECT coalesce(array_agg(r.rolname::text ORDER BY r.rolname), '{}') FROM pg_roles AS r
            WHERE r.rolname IN ('orka_owner', 'orka_app', 'orka_jobs', 'orka_readonly')
              AND (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls OR r.rolcreaterole)) AS strong_groups
    FROM pg_roles AS me WHERE me.rolname = current_user
"""
_LONG_TRANSACTIONS = """
    SELECT format('pid %%s, %%s, transaction open since %%s', pid,
                  coalesce(nullif(application_name, ''), backend_type, 'unnamed'),
                  to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"'))
    FROM pg_stat_activity
    WHERE xact_start < clock_timestamp() - make_interval(secs => %s) AND pid <> pg_backend_pid()
      AND (datname = current_database() OR backend_xmin IS NOT NULL) ORDER BY xact_start
"""
# In such a session the last statement is refused itself, but for the one before it.
_READ_ONLY = (
    "default_transaction_read_only is on for this database or user, as platforms set it when a disk is full:"
    " free space, then SET default_transaction_read_only = off, and ALTER DATABASE or ALTER ROLE ..."
    " RESET default_transaction_read_only"
)


@dataclass(frozen=True)
class Facts:
    """What the server says of itself and of the user, as the preflight query asks it."""

    major: int
    in_recovery: bool
    read_only: bool
    encoding: str
    installed: str | None
    """Version of vector in this database."""
    available: str | None
    """Version of vector that the server offers."""
    may_create_vector: bool
    may_create_roles: bool
    may_create_schemas: bool
    may_open_public: bool
    may_become_owner: bool
    strong_groups: list[str]
    """Roles of ours that may log in or stand above row security."""


def check(
    connection: psycopg.Connection,
    options: Options,
    progress: Progress,
    steps: Sequence[Step],
    found_before: Sequence[str] = (),
) -> bool:
    """Raise REFUSED with every fault found, here and before; whether the extension is to be created."""
    found = connection.cursor(row_factory=class_row(Facts)).execute(_FACTS.encode()).fetchone()
    if found is None:
        raise MigrateError(ExitCode.REFUSED, "the server did not answer the preflight query")
    problems = [*faults(found, create_extension=options.create_extension), *found_before]
    old = [str(row[0]) for row in connection.execute(_LONG_TRANSACTIONS, (options.long_transaction,))]
    if old and any(step.kind == "concurrent" for step in steps):
        problems += [f"a concurrent step would wait for it: {line}; end it first" for line in old]
    elif old:
        progress.tell("warning", f"old transactions: {'; '.join(old)}", transactions=old)
    if problems:
        raise MigrateError(ExitCode.REFUSED, *problems)
    return found.installed is None


def faults(facts: Facts, *, create_extension: bool) -> list[str]:
    """What is not as needed, one line each with its remedy. Pure."""
    checks = (
        (
            facts.major < MINIMUM_SERVER,
            f"PostgreSQL {facts.major} is too old: {MINIMUM_SERVER} or newer is needed",
        ),
        (facts.in_recovery, "the server is a replica, which is read-only: connect to the primary"),
        (facts.read_only, _READ_ONLY),
        (facts.encoding != "UTF8", f"the database's encoding is {facts.encoding}: UTF8 is needed"),
        (not facts.may_create_roles, "the database user may not create roles: it needs CREATEROLE"),
        (
            not facts.may_create_schemas,
            "the database user may not create schemas: grant CREATE on the database, or connect as its owner",
        ),
        (
            not facts.may_open_public,
            "the database user may not grant on the schema public: connect as the owner of the database",
        ),
        (
            not facts.may_become_owner,
            "orka_owner exists and the database user may not become it: grant it WITH ADMIN OPTION",
        ),
        (
            bool(facts.strong_groups),
            f"these must be NOLOGIN groups without any attribute: {', '.join(facts.strong_groups)}",
        ),
    )
    return [
        *(text for wrong, text in checks if wrong),
        *vector_faults(
            facts.installed,
            facts.available,
            create_extension=create_extension,
            may_create=facts.may_create_vector,
        ),
    ]


def vector_faults(
    installed: str | None, available: str | None, *, create_extension: bool, may_create: bool
) -> list[str]:
    """What is wrong with the vector extension, as lines. Pure."""
    if installed is not None:
        fault = f"the extension vector {installed} is too old: {NEEDED_VECTOR} or newer is needed"
        return [fault] if vector_is_old(installed) else []
    if available is None:
        return ["the server does not offer the extension vector: install pgvector on it"]
    if vector_is_old(available):
        return [f"the server offers the extension vector {available}: {NEEDED_VECTOR} or newer is needed"]
    if not create_extension:
        return ["the extension vector is not in this database: create it, or pass --create-extension"]
    if not may_create:
        return ["the extension vector must be created by a superuser, or by the owner where it is trusted"]
    return []


def another_role(connection: psycopg.Connection) -> list[str]:
    """That the login works as another role from its first moment on, as a line; nothing where it does not."""
    row = connection.execute("SELECT quote_ident(session_user), quote_ident(current_user)").fetchone()
    login, role = row or ("", "")
    fault = f"the login {login} works as {role} by a setting of its own, which adoption cannot"
    remedy = f"connect as {role} itself, or ALTER ROLE {login} RESET role"
    return [] if login == role else [f"{fault}: {remedy}"]


def create_vector(connection: psycopg.Connection) -> None:
    """Create the extension where the platform keeps its extensions; raise REFUSED where it may not be."""
    home = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'extensions'").fetchone()
    statement = b"CREATE EXTENSION IF NOT EXISTS vector" + (b" WITH SCHEMA extensions" if home else b"")
    try:
        connection.execute(statement)
    except psycopg.Error as error:
        raise MigrateError(ExitCode.REFUSED, "cannot create the extension vector", *describe(error)) from None


def vector_is_old(version: str) -> bool:
    """Whether that version of the extension is older than what is needed. Pure."""
    return tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < MINIMUM_VECTOR
