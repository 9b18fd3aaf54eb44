"""Try out what `behaviour.yaml` says, in one transaction that is rolled back.

What a rollback does not take back: dead rows and index entries until the next vacuum, transaction ids, and
the statistics. There is no sequence in the schema, and the heads that the probes move belong to tenants that
exist for one run only. Every lock on a table is the one that a client's own INSERT, UPDATE or DELETE takes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg

from ops.migrate import probe_log, probe_matrix
from ops.migrate.catalog import vector_schema
from ops.migrate.contract import Finding
from ops.migrate.probe import Probe, Tenants, name
from ops.migrate.probe_runner import plans, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ops.migrate.behaviour import Behaviour
    from ops.migrate.contract import Contract

STRANGER = "orka_probe"
# Without sequential scans, for a role that sees nothing would read the whole log to find that out.
_LIMITS = (
    "SELECT set_config('lock_timeout', '2s', true), set_config('statement_timeout', '30s', true),"
    " set_config('enable_seqscan', 'off', true)"
)


@dataclass(frozen=True)
class Probed:
    """What was tried out: how many probes of each kind, what they found, what was left out and why."""

    counts: dict[str, int]
    findings: tuple[Finding, ...]
    left_out: tuple[str, ...]


def probe(connection: psycopg.Connection, behaviour: Behaviour, contract: Contract) -> Probed:
    """Run every probe that this server and this user allow; nothing of it stays."""
    if read_only(connection):
        return Probed({}, (), ("behaviour was not tried out: the server is read-only",))
    with connection.transaction(force_rollback=True):
        connection.execute(_LIMITS)
        connection.execute("SELECT set_config('search_path', 'pg_catalog', true)")
        return _probe(connection, behaviour, contract)


def read_only(connection: psycopg.Connection) -> bool:
    """Whether a transaction of this session, or the one that runs, may not write."""
    row = connection.execute("SELECT current_setting('transaction_read_only')::boolean").fetchone()
    return bool(row and row[0])


def _probe(connection: psycopg.Connection, behaviour: Behaviour, contract: Contract) -> Probed:
    wanted = [*behaviour.clients, *behaviour.platform_clients, behaviour.owner]
    roles, left_out = _assume(connection, wanted)
    missing = {*behaviour.clients, behaviour.owner} - set(roles)
    if missing:
        return Probed({}, (), (*left_out, "behaviour was not tried out"))
    clients = [role for role in roles if role != behaviour.owner]
    tenants = Tenants()
    done = run(connection, probe_matrix.unclaimed(behaviour, tenants, roles))
    seeded = run(connection, probe_log.seeds(behaviour, tenants))
    done += seeded
    if not _findings(seeded):
        done += run(
            connection,
            [
                *probe_matrix.rights(behaviour, contract, clients),
                *probe_matrix.reach(behaviour, tenants, roles),
                *probe_log.values(behaviour, contract, tenants),
                *probe_log.chain(behaviour, contract, tenants),
                *probe_log.search(behaviour, tenants, vector_schema(connection)),
            ],
        )
        done += plans(connection, behaviour, tenants)
    return Probed(dict(Counter(one.kind for one, _ in done)), tuple(_findings(done)), tuple(left_out))


def _assume(connection: psycopg.Connection, wanted: Sequence[str]) -> tuple[list[str], list[str]]:
    """The roles that can be played, and why others cannot; one is a stranger who was granted nothing."""
    stranger = f"{STRANGER}_{uuid4().hex[:8]}"
    roles, left_out = [], []
    rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)", (list(wanted),))
    existing = {str(row[0]) for row in rows}
    for role in (*wanted, stranger):
        if role not in existing and role != stranger:
            continue
        try:
            with connection.transaction():
                if role == stranger:
                    connection.execute(f"CREATE ROLE {name(role)} NOLOGIN".encode())
                _become(connection, role)
        except psycopg.errors.InsufficientPrivilege:
            left_out.append(f"role {role} was not tried out: this user may not become it")
        else:
            roles.append(role)
    return roles, left_out


def _become(connection: psycopg.Connection, role: str) -> None:
    modern = connection.info.server_version >= 160000  # noqa: PLR2004 - SET became a right of its own in 16
    right = "SET" if modern else "MEMBER"
    row = connection.execute("SELECT pg_has_role(current_user, %s, %s)", (role, right)).fetchone()
    if not (row and row[0]):
        how = " WITH SET TRUE, INHERIT FALSE" if modern else ""
        connection.execute(f"GRANT {name(role)} TO current_user{how}".encode())


def _findings(done: Sequence[tuple[Probe, str]]) -> list[Finding]:
    return [
        Finding(
            fault="behaves otherwise", object=one.name, detail=f"expected {one.expected}; found {outcome}"
        )
        for one, outcome in done
        if outcome != one.expected
    ]
