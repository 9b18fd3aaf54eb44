"""Login roles as the stack makes them: they come and go, and nothing hangs on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from psycopg import errors

from tests.sql.support import TENANT_A, Database, log_event, ops, set_claims

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def two_generations(migrated: Database) -> Iterator[Database]:
    """The logins of two rotations."""
    for login in ("orka_app_7", "orka_app_8"):
        migrated.server.execute(f"CREATE ROLE {login} LOGIN IN ROLE orka_app")
    yield migrated
    migrated.server.execute("DROP ROLE IF EXISTS orka_app_7", "DROP ROLE orka_app_8")


def test_a_login_that_wrote_can_be_dropped_and_its_rows_stay(two_generations: Database) -> None:
    database = two_generations
    with database.connect("orka_app_7") as connection, connection.transaction():
        set_claims(connection, TENANT_A)
        log_event(connection, TENANT_A)
    database.server.execute("DROP ROLE orka_app_7")
    with database.as_tenant("orka_app_8", TENANT_A) as connection:
        assert connection.execute(b"SELECT count(*) FROM public.roche_audit_logs").fetchone() == (1,)
    assert ops(database, "verify").code == 0


def test_a_pod_that_still_ends_would_lose_its_rights_with_the_role_so_a_rotation_keeps_it(
    two_generations: Database,
) -> None:
    database = two_generations
    claims = json.dumps({"app_metadata": {"tenant_id": str(TENANT_A)}})
    with database.connect("orka_app_7") as ending:
        ending.execute("SELECT set_config('request.jwt.claims', %s, false)", (claims,))
        log_event(ending, TENANT_A)
        database.server.execute("DROP ROLE orka_app_7")
        with pytest.raises((errors.InsufficientPrivilege, errors.UndefinedObject)):
            log_event(ending, TENANT_A)
