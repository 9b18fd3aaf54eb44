"""What the postgresql stand-in does with a role that no recording shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.plugins import replay
from tests.plugins.replay import Call
from twin.plugins.postgresql.provider import PostgresqlProvider
from twin.plugins.postgresql.role import FLAGS

if TYPE_CHECKING:
    from tests.plugins.postgresql_fake import FakePostgresql

ROLE = "postgresql:index/role:Role"


def role(method: str, **request: Any) -> replay.Answer:
    urn = f"urn:pulumi:staging::orka::{ROLE}::app"
    return replay.send(PostgresqlProvider(), Call("", 0, method, {"urn": urn, **request}, None, None))


def test_an_update_makes_the_memberships_exactly_those_of_the_role(server: FakePostgresql) -> None:
    server.rows["pg_auth_members"] = [("left",), ("kept",)]
    news = {"name": "app", "roles": ["kept", "new"]}
    assert role("Update", olds={"name": "app", "searchPaths": ["a"]}, news=news).error is None
    assert server.changes()[1:] == [
        'ALTER ROLE "app" RESET search_path', 'REVOKE "left" FROM "app"', 'GRANT "new" TO "app"',
    ]  # fmt: skip


def test_a_membership_that_was_changed_by_hand_is_shown(server: FakePostgresql) -> None:
    server.rows["FROM pg_roles"] = [(*(False for _ in FLAGS), -1, None)]
    server.rows["pg_auth_members"] = [("a",), ("b",)]
    for given, shown in ((["b", "a"], ["b", "a"]), (["b"], ["a", "b"])):
        inputs = {"name": "app", "roles": given}
        response = role("Read", id="app", properties=inputs, inputs=inputs).response
        assert response is not None
        assert response["properties"]["roles"] == shown
        assert response["inputs"]["roles"] == shown


def test_an_input_that_would_be_ignored_is_refused() -> None:
    response = role("Check", news={"name": "app", "statementTimeout": 5, "skipDropRole": True}).response
    assert response is not None
    refused = [failure["property"] for failure in response["failures"]]
    assert refused == ["skipDropRole", "statementTimeout"]


def test_a_server_without_the_mark_is_left_alone(server: FakePostgresql) -> None:
    server.mark = "somebody's"
    assert "is not the twin's server" in str(role("Create", properties={"name": "app"}).error)
    assert server.changes() == []
