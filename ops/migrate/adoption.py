"""Adopt tables that were made by hand: recognise them and record it, or refuse with every difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from ops.migrate import catalog, ledger, ledger_tables, lock, shapes, step_ledger
from ops.migrate.outcome import ExitCode, MigrateError

if TYPE_CHECKING:
    from model.plan import Migration, Plan
    from ops.migrate.contract import Contract

# What refers to a table follows it when it changes its name; these would end at the originals, out of use.
_DEPENDENTS = """
    SELECT DISTINCT format('view %%s reads %%s', v.oid::regclass, d.refobjid::regclass)
    FROM pg_depend AS d JOIN pg_rewrite AS w ON w.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
    JOIN pg_class AS v ON v.oid = w.ev_class
    WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = ANY(%(oids)s::oid[])
      AND v.relkind IN ('v', 'm')
    UNION
    SELECT format('foreign key %%s of %%s refers to %%s', conname, conrelid::regclass, confrelid::regclass)
    FROM pg_constraint
    WHERE contype = 'f' AND confrelid = ANY(%(oids)s::oid[]) AND NOT conrelid = ANY(%(oids)s::oid[])
    UNION
    SELECT format('publication %%s holds %%s', p.pubname, r.prrelid::regclass)
    FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid
    WHERE r.prrelid = ANY(%(oids)s::oid[])
    UNION
    SELECT format('publication %%s holds all tables', pubname) FROM pg_publication WHERE puballtables
    UNION
    SELECT format('publication %%s holds all tables of the schema %%s', p.pubname, s.pnnspid::regnamespace)
    FROM pg_publication_namespace AS s JOIN pg_publication AS p ON p.oid = s.pnpubid
    WHERE s.pnnspid IN (SELECT relnamespace FROM pg_class WHERE oid = ANY(%(oids)s::oid[])) ORDER BY 1
"""
_FOREIGN_OWNERS = """
    SELECT format('%%s belongs to %%s, whom the database user cannot act for', c.oid::regclass,
                  pg_get_userbyid(c.relowner))
    FROM pg_class AS c WHERE c.oid = ANY(%s::oid[]) AND NOT pg_has_role(current_user, c.relowner, 'USAGE')
    UNION ALL
    SELECT 'the database user does not own the schema public' FROM pg_namespace
    WHERE nspname = 'public' AND NOT pg_has_role(current_user, nspowner, 'USAGE')
"""
_TABLES = """
    SELECT c.oid, n.nspname || '.' || c.relname
    FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname || '.' || c.relname = ANY(%s) ORDER BY 2
"""


@dataclass(frozen=True)
class Baseline:
    """What a database was recognised as; `shape` is its title."""

    version: str
    shape: str


def read(connection: psycopg.Connection) -> Baseline | None:
    """The recorded recognition, or none."""
    if not ledger_tables.exists(connection, "baselines"):
        return None
    row = connection.execute("SELECT version, shape FROM orka_migrations.baselines").fetchone()
    return Baseline(*row) if row else None


def tables_made_by_hand(connection: psycopg.Connection, contract: Contract) -> list[str]:
    """Which of the contract's tables are there; asked only where the ledger knows of none."""
    return list(oids_by_name(connection, list(contract.tables)))


def oids_by_name(connection: psycopg.Connection, tables: list[str]) -> dict[str, int]:
    """Those of `tables` (with schema) that are there, with their oids."""
    return {str(name): int(oid) for oid, name in connection.execute(_TABLES, (tables,))}


def baseline(connection: psycopg.Connection, plan: Plan, contract: Contract) -> Baseline:
    """The verb: recognise and record, alone on the database; what is recorded already stays as it is."""
    lock.acquire(connection, 0, lock.RUNNER)
    if ledger.read(connection) or step_ledger.read(connection):
        raise MigrateError(
            ExitCode.REFUSED, "this database is under the runner already: run `ops migrate apply`"
        )
    return read(connection) or record(connection, plan, contract)


def record(connection: psycopg.Connection, plan: Plan, contract: Contract) -> Baseline:
    """Recognise the tables and write it down, in one transaction; raise REFUSED with every difference."""
    migration = plan.migrations[0]
    with connection.transaction():
        shape = _recognise(connection, plan, migration, contract)
        ledger_tables.create_missing(connection)
        connection.execute(
            "INSERT INTO orka_migrations.baselines (version, shape, runner)"
            " VALUES (%s, %s, current_user || ' by ' || %s)",
            (migration.version, shape, ledger.runner()),
        )
    return Baseline(migration.version, shape)


def differences(connection: psycopg.Connection, plan: Plan, contract: Contract) -> list[str]:
    """Why the tables would not be recognised, as `record` would say it; writes nothing."""
    try:
        with connection.transaction(force_rollback=True):
            _recognise(connection, plan, plan.migrations[0], contract)
    except MigrateError as error:
        return list(error.lines)
    except psycopg.Error:
        # A server too old for the questions, which the preflight says; elsewhere `record` fails likewise.
        return []
    return []


def in_others_hands(connection: psycopg.Connection, oids: list[int]) -> list[str]:
    """Which of these tables others own, and what of others refers to them: a line each."""
    rows = connection.execute(_FOREIGN_OWNERS, (oids,)).fetchall()
    rows += connection.execute(_DEPENDENTS, {"oids": oids}).fetchall()
    return [str(row[0]) for row in rows]


def known_shapes(plan: Plan) -> dict[str, shapes.Shape]:
    """What can be taken over, by the name of its file."""
    return shapes.parse_shapes({path: plan.files[path] for path in plan.migrations[0].shapes})


def _recognise(connection: psycopg.Connection, plan: Plan, migration: Migration, contract: Contract) -> str:
    """Title of the shape. Must run in a transaction."""
    oids = list(oids_by_name(connection, list(contract.tables)).values())
    known = known_shapes(plan)
    if not oids or not known:
        reason = (
            "there is nothing to adopt: no table is there" if known else f"{migration.path} adopts nothing"
        )
        raise MigrateError(ExitCode.REFUSED, f"{reason}, run `ops migrate apply`")
    with connection.transaction():
        found = catalog.observe(connection, list(contract.tables), [], [])
    title, differences = shapes.nearest(known, found.tables)
    # Qualified names, and nothing of what this session looked at stays.
    connection.execute("SELECT set_config('search_path', 'pg_catalog', true)")
    differences += in_others_hands(connection, oids)
    differences += [
        f"unexpected: function {name} runs any SQL it is given, drop it"
        for name in catalog.existing_functions(connection, contract.absent_functions)
    ]
    if differences:
        raise MigrateError(
            ExitCode.REFUSED,
            f"these tables are of no known shape, nearest is: {title}; nothing was changed",
            *differences,
        )
    return title
