"""The log is append-only for everyone, and its chain shows what was done to it nevertheless."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from psycopg import errors

from tests.sql.support import TENANT_A, TENANT_B, Database, log_event, set_claims

if TYPE_CHECKING:
    import uuid

LOGS = ["roche_audit_logs", "audit_access_log"]
CHANGES = ["UPDATE public.{} SET user_agent = 'x'", "DELETE FROM public.{}", "TRUNCATE public.{} CASCADE"]
GENESIS = "0" * 64


def write(database: Database, tenant: uuid.UUID, count: int) -> list[tuple[Any, ...]]:
    """Events of a tenant, each in a transaction of its own, as the backend writes them."""
    rows = []
    with database.connect("orka_app_1") as connection:
        for number in range(count):
            with connection.transaction():
                set_claims(connection, tenant)
                rows.append(log_event(connection, tenant, str(number)))
    return rows


def judge(database: Database, tenant: uuid.UUID = TENANT_A) -> tuple[Any, ...]:
    """What verify_chain says to someone who only looks."""
    with database.as_tenant("readonly", tenant) as connection:
        row = connection.execute(b"SELECT * FROM orka_audit.verify_chain()").fetchone()
    assert row is not None
    return row


def tamper(database: Database, statement: str) -> None:
    """What only a superuser can do: switch the triggers off and change a row."""
    with database.connect() as connection:
        connection.execute(b"ALTER TABLE public.roche_audit_logs DISABLE TRIGGER USER")
        connection.execute(statement.encode())
        connection.execute(b"ALTER TABLE public.roche_audit_logs ENABLE TRIGGER USER")


@pytest.mark.parametrize("log", LOGS)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("role", ["postgres", "orka_owner"])
def test_neither_owner_nor_superuser_changes_a_log(
    migrated: Database, role: str, change: str, log: str
) -> None:
    write(migrated, TENANT_A, 1)
    with migrated.connect() as connection:
        connection.execute(f"SET ROLE {role}".encode())
        with pytest.raises(errors.ObjectNotInPrerequisiteState, match="append-only"):
            connection.execute(change.format(log).encode())
    assert migrated.value("SELECT count(*) FROM public.roche_audit_logs") == 1


@pytest.mark.parametrize("change", CHANGES[:2])
def test_replica_mode_does_not_open_the_log(migrated: Database, change: str) -> None:
    write(migrated, TENANT_A, 1)
    with migrated.connect() as connection:
        connection.execute(b"SET session_replication_role = replica")
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            connection.execute(change.format("roche_audit_logs").encode())


@pytest.mark.parametrize("change", CHANGES[:2])
def test_the_row_trigger_holds_without_the_statement_trigger(migrated: Database, change: str) -> None:
    write(migrated, TENANT_A, 1)
    with migrated.connect() as connection:
        connection.execute(b"DROP TRIGGER roche_audit_logs_refuse_statement ON public.roche_audit_logs")
        with pytest.raises(errors.ObjectNotInPrerequisiteState):
            connection.execute(change.format("roche_audit_logs").encode())


def test_an_upsert_does_not_change_an_event(migrated: Database) -> None:
    event = write(migrated, TENANT_A, 1)[0][0]
    with migrated.connect() as connection, pytest.raises(errors.ObjectNotInPrerequisiteState):
        connection.execute(
            "INSERT INTO public.roche_audit_logs (id, tenant_id, event_type, entity_type, action_details)"
            " VALUES (%s, %s, 'x', 'x', '{}') ON CONFLICT (id) DO UPDATE SET event_type = 'x'",
            (event, TENANT_A),
        )


def test_each_event_continues_the_one_before_and_tenants_have_chains_of_their_own(migrated: Database) -> None:
    chains = {tenant: write(migrated, tenant, 3) for tenant in (TENANT_A, TENANT_B)}
    for rows in chains.values():
        assert [row[1] for row in rows] == [1, 2, 3]
        assert [row[2] for row in rows] == [GENESIS, rows[0][3], rows[1][3]]
    assert judge(migrated, TENANT_A) == judge(migrated, TENANT_B) == (3, None, None)
    assert chains[TENANT_A][0][3] != chains[TENANT_B][0][3]


def test_what_a_client_sends_for_the_chain_is_overwritten(migrated: Database) -> None:
    with migrated.as_tenant("app", TENANT_A) as connection:
        row = log_event(
            connection,
            TENANT_A,
            seq=77,
            hash="a" * 64,
            previous_hash="b" * 64,
            created_at="2001-01-01",
        )
        fresh = connection.execute(
            b"SELECT created_at > now() - interval '1 hour' FROM public.roche_audit_logs"
        ).fetchone()
    assert (row[1], row[2], row[3] == "a" * 64, fresh) == (1, GENESIS, False, (True,))


def test_a_rolled_back_event_leaves_no_gap(migrated: Database) -> None:
    write(migrated, TENANT_A, 1)
    with migrated.as_tenant("app", TENANT_A) as connection:
        log_event(connection, TENANT_A, "never")
    write(migrated, TENANT_A, 1)
    assert judge(migrated) == (2, None, None)


def test_a_refused_event_of_another_tenant_does_not_move_its_chain(migrated: Database) -> None:
    write(migrated, TENANT_B, 1)
    with migrated.as_tenant("app", TENANT_A) as connection, pytest.raises(errors.InsufficientPrivilege):
        log_event(connection, TENANT_B)
    assert write(migrated, TENANT_B, 1)[0][1] == 2


def test_writers_at_once_never_fork_a_chain(migrated: Database) -> None:
    failures: list[BaseException] = []

    def work() -> None:
        try:
            write(migrated, TENANT_A, 25)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    writers = [threading.Thread(target=work) for _ in range(6)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(timeout=60)
    assert failures == []
    assert judge(migrated) == (150, None, None)
    forks = "SELECT previous_hash FROM public.roche_audit_logs GROUP BY previous_hash HAVING count(*) > 1"
    assert migrated.rows(forks) == []


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_the_hash_does_not_depend_on_who_asks(migrated: Database, zone: str) -> None:
    with migrated.connect("orka_app_1") as connection, connection.transaction():
        connection.execute(f"SET LOCAL timezone = '{zone}'".encode())
        connection.execute(b"SET LOCAL datestyle = 'German'; SET LOCAL extra_float_digits = -3")
        set_claims(connection, TENANT_A)
        log_event(
            connection, TENANT_A, action_details='{"b": 1.50, "a": [null, "\\u00fc"]}', anomaly_score=0.7049
        )
    assert judge(migrated) == (1, None, None)


@pytest.mark.parametrize(
    ("statement", "broken_at", "problem"),
    [
        ("UPDATE public.roche_audit_logs SET severity = 'critical' WHERE seq = 2", 2, "content"),
        ("UPDATE public.roche_audit_logs SET user_agent = 'x' WHERE seq = 3", 3, "content"),
        ("UPDATE public.roche_audit_logs SET hash = repeat('a', 64) WHERE seq = 2", 2, "content"),
        ("DELETE FROM public.roche_audit_logs WHERE seq = 2", 3, "an event before it is missing"),
        ("DELETE FROM public.roche_audit_logs WHERE seq = 1", 2, "an event before it is missing"),
        ("DELETE FROM public.roche_audit_logs WHERE seq = 3", 2, "not the head"),
        ("DELETE FROM public.roche_audit_logs", 0, "not the head"),
    ],
)
def test_tampering_shows_where_and_what(
    migrated: Database, statement: str, broken_at: int, problem: str
) -> None:
    write(migrated, TENANT_A, 3)
    write(migrated, TENANT_B, 2)
    tamper(
        migrated, statement + (" AND " if "WHERE" in statement else " WHERE ") + f"tenant_id = '{TENANT_A}'"
    )
    _, found_at, said = judge(migrated)
    assert (found_at, problem in said) == (broken_at, True)
    assert judge(migrated, TENANT_B) == (2, None, None)


def test_the_heads_of_the_chains_are_out_of_every_clients_reach(migrated: Database) -> None:
    write(migrated, TENANT_A, 1)
    for login in ("app", "jobs", "readonly"):
        for statement in (b"SELECT * FROM orka_audit.chain_heads", b"DELETE FROM orka_audit.chain_heads"):
            with (
                migrated.as_tenant(login, TENANT_A) as connection,
                pytest.raises(errors.InsufficientPrivilege),
            ):
                connection.execute(statement)


def test_the_head_for_anchoring_is_the_last_event_of_ones_own_chain(migrated: Database) -> None:
    last = write(migrated, TENANT_A, 2)[-1]
    write(migrated, TENANT_B, 1)
    with migrated.as_tenant("readonly", TENANT_A) as connection:
        head = connection.execute(b"SELECT seq, hash FROM orka_audit.chain_head()").fetchone()
    assert head == (2, last[3])
