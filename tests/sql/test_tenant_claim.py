"""Where in the claims the tenant stands: the installation says it, no session can."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from ops.migrate import tenant_claim
from ops.migrate.behaviour import parse_behaviour
from tests.sql.support import LOGINS, SQL, TENANT_A, TENANT_B, Database, log_event, ops

if TYPE_CHECKING:
    from uuid import UUID

REPLACED = re.search(
    r"^BEGIN; SET LOCAL ROLE orka_owner;$.*?^COMMIT;$",
    (SQL / "README.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)
ELSEWHERE = (
    "CREATE OR REPLACE FUNCTION orka_audit.tenant_claim() RETURNS text[] LANGUAGE sql IMMUTABLE RETURN {}"
)
TENANTS = "SELECT DISTINCT tenant_id FROM public.roche_audit_logs"
# What a session may try to be told other claims than the installation's.
SETTINGS = (
    "SET orka.tenant_claim = '{user_metadata,tenant_id}'",
    "SET orka_audit.tenant_claim = '{user_metadata,tenant_id}'",
    "SET search_path = pg_temp, public",
)
CHANGES = (
    ELSEWHERE.format("ARRAY['user_metadata'::text, 'tenant_id'::text]"),
    "ALTER FUNCTION orka_audit.tenant_claim() VOLATILE",
    "DROP FUNCTION orka_audit.tenant_claim()",
    "SET ROLE orka_owner",
)


@pytest.fixture
def elsewhere(migrated: Database) -> Database:
    """A database with an event of each of two tenants, whose claims have the tenant at the top level."""
    assert REPLACED is not None
    with migrated.connect() as connection:
        for tenant in (TENANT_A, TENANT_B):
            log_event(connection, tenant)
        connection.execute(REPLACED[0].encode())
    return migrated


def seen(connection: psycopg.Connection[Any], claims: dict[str, object]) -> list[UUID]:
    """Whose events a session reaches with these claims."""
    connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (json.dumps(claims),))
    return [row[0] for row in connection.execute(TENANTS.encode())]


@pytest.mark.parametrize("group", LOGINS)
def test_the_tenant_is_read_where_the_installation_says(elsewhere: Database, group: str) -> None:
    with elsewhere.as_tenant(group, None) as session:
        assert seen(session, {"tenant_id": str(TENANT_A)}) == [TENANT_A]
        assert seen(session, {"app_metadata": {"tenant_id": str(TENANT_A)}}) == []


def test_apply_and_verify_go_on_with_another_place(elsewhere: Database) -> None:
    run = ops(elsewhere, "apply", "--json")
    assert (run.code, run.json["outcome"]) == (0, "nothing to do"), run.err
    run = ops(elsewhere, "verify", "--json")
    assert run.code == 0, run.err
    assert run.json["tried"]["isolation"] > 1000


@pytest.mark.parametrize("group", LOGINS)
def test_no_session_chooses_among_the_claims_that_were_signed_for_it(migrated: Database, group: str) -> None:
    with migrated.connect() as connection:
        for tenant in (TENANT_A, TENANT_B):
            log_event(connection, tenant)
    claims = {"app_metadata": {"tenant_id": str(TENANT_A)}, "user_metadata": {"tenant_id": str(TENANT_B)}}
    with migrated.as_tenant(group, None) as session:
        for statement in SETTINGS:
            session.execute(statement.encode())
            assert seen(session, {**claims, "tenant_id": str(TENANT_B)}) == [TENANT_A]
        for statement in CHANGES:
            with pytest.raises(psycopg.errors.InsufficientPrivilege), session.transaction():
                session.execute(statement.encode())


@pytest.mark.parametrize(
    "value",
    [
        "ARRAY['user_metadata'::text, 'tenant_id'::text]",
        "ARRAY['raw_user_meta_data'::text, 'tenant_id'::text]",
        "ARRAY[current_setting('orka.tenant_claim', true)]",
        "ARRAY['app_metadata'::text] || ARRAY['tenant_id'::text]",
    ],
)
def test_a_place_that_users_write_or_that_is_no_constant_is_found(migrated: Database, value: str) -> None:
    with migrated.connect() as connection:
        connection.execute(ELSEWHERE.replace("IMMUTABLE", "STABLE").format(value).encode())
        connection.execute(b"ALTER FUNCTION orka_audit.tenant_claim() IMMUTABLE PARALLEL SAFE")
    run = ops(migrated, "verify", "--catalog-only")
    assert run.code == 14
    assert "different: function orka_audit.tenant_claim()" in run.err


def test_the_claims_that_are_tried_move_with_the_place() -> None:
    behaviour = parse_behaviour((SQL / "behaviour.yaml").read_text(encoding="utf-8"))
    assert tenant_claim.at(tenant_claim.DEFAULT, behaviour) is behaviour
    moved = tenant_claim.at(("tenant_id",), behaviour).claims
    assert json.loads(moved["A"].text) == {"tenant_id": "{A}"}
    assert moved["A"].reaches == "A"
    assert json.loads(moved["not a uuid"].text) == {"tenant_id": "tenant A"}
    assert "top level" not in moved, "it is the place itself now"
    assert moved["app_metadata.tenant_id"].reaches is None
    assert moved["user_metadata"] == behaviour.claims["user_metadata"]
    assert moved["not json"] == behaviour.claims["not json"]
