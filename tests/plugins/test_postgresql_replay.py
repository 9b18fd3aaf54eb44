"""The stand-in for the postgresql plugin answers as the official one was recorded to do."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.plugins import compare, replay
from twin.plugins.postgresql.provider import PostgresqlProvider
from twin.plugins.postgresql.role import FLAGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.plugins.postgresql_fake import FakePostgresql
    from tests.plugins.replay import Call

FILES = replay.recordings("database-", "roles-")
EXTENSION = "postgresql:index/extension:Extension"
ROLE = "postgresql:index/role:Role"
# The program uses none of them, so the stand-in has none: it refuses them.
NOT_OURS = {
    "postgresql:index/database:Database",
    "postgresql:index/defaultPrivileges:DefaultPrivileges",
    "postgresql:index/grant:Grant",
    "postgresql:index/schema:Schema",
}
# Go's driver and its list of errors on one side, libpq on the other: which call failed, where, and at what.
CONNECTING = re.compile(
    r"(?P<call>.*::\w+): (1 error occurred:\s+\* )?error connecting to PostgreSQL server (?P<host>[\d.]+)"
)
CAUSES = ("connection refused", "password authentication failed")


def same(path: str, recorded: Any, got: Any) -> bool:
    """The fields that are not equal, all of them."""
    if path == ".error":
        first, second = CONNECTING.search(str(recorded)), CONNECTING.search(str(got))
        causes = [[cause for cause in CAUSES if cause in str(text).lower()] for text in (recorded, got)]
        return bool(first and second and first.groupdict() == second.groupdict() and causes[0] == causes[1])
    # What the official plugin's bridge to Terraform notes for itself; nothing else reads it.
    return path == ".properties.__pulumi_raw_state_delta"


def calls(file: str) -> list[Call]:
    return replay.calls_of("postgresql", PostgresqlProvider.version, file)


def replayed(servicer: PostgresqlProvider, call: Call, server: FakePostgresql) -> replay.Answer:
    """Send one recorded request, with the server holding what it held then."""
    server.connections, server.statements, server.rows = [], [], {}
    server.refuses = None
    error = call.error or ""
    if "connection refused" in error:
        server.refuses = psycopg.OperationalError("connection failed: Connection refused")
    if "password authentication failed" in error:
        server.refuses = psycopg.OperationalError('FATAL:  password authentication failed for user "padmin"')
    properties = replay.revealed((call.response or {}).get("properties", {}))
    if call.type == EXTENSION and properties:
        server.rows["pg_extension"] = [(properties.get("schema"), properties.get("version"))]
    if call.method == "Read" and call.type == ROLE and properties:
        paths = properties["searchPaths"]
        settings = [f"search_path={', '.join(paths)}"] if paths else None
        flags = (properties[flag] for flag in FLAGS)
        server.rows["FROM pg_roles"] = [(*flags, properties["connectionLimit"], settings)]
        server.rows["pg_auth_members"] = [(role,) for role in properties["roles"]]
    return replay.send(servicer, call)


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_call_is_answered_as_recorded(file: str, server: FakePostgresql) -> None:
    servicer = PostgresqlProvider()
    wrong = []
    for call in calls(file):
        if call.type in NOT_OURS:
            continue
        servicer = PostgresqlProvider() if call.method == "Configure" else servicer
        answer = replayed(servicer, call, server)
        wrong += [f"{call}{text}" for text in compare.differences(call.error, answer.error, same, ".error")]
        wrong += [f"{call}{text}" for text in compare.differences(call.response, answer.response, same)]
        wrong += [f"{call} asked: {text}" for text in unexpected_statements(call, server)]
    assert not wrong, "\n".join(wrong)


def unexpected_statements(call: Call, server: FakePostgresql) -> Iterator[str]:
    """Where the server was asked for something else than the call needs."""
    needs = call.method in ("Create", "Update", "Delete", "Read") and not call.preview
    if not needs or call.error:
        if server.statements or (server.connections and not needs):
            yield f"nothing was to be asked: {server.statements}"
        return
    yield from compare.differences(expected(call), server.changes())
    if call.type == EXTENSION and {how["dbname"] for how in server.connections} != {"orka"}:
        yield f"the extension belongs into another database: {server.connections}"


def expected(call: Call) -> list[str]:
    """The statements of a call that change something."""
    if call.method == "Read":
        return []
    if call.type == EXTENSION:
        create = call.method == "Create"
        return [f'{"CREATE EXTENSION IF NOT EXISTS" if create else "DROP EXTENSION IF EXISTS"} "vector"']
    olds = call.request.get("olds") or {}
    if call.method == "Delete":
        return [f'DROP ROLE IF EXISTS "{call.request["properties"]["name"]}"']
    news = call.request.get("news") or call.request["properties"]
    name, paths = news["name"], news.get("searchPaths") or []
    login, limit = ("LOGIN" if news["login"] else "NOLOGIN"), int(news["connectionLimit"])
    password = f" PASSWORD '{news['password']}'" if "password" in news else ""
    options = (
        f"NOCREATEDB NOCREATEROLE INHERIT {login} CONNECTION LIMIT {limit} VALID UNTIL 'infinity'{password}"
    )
    statements = [f'{"CREATE" if call.method == "Create" else "ALTER"} ROLE "{name}" WITH {options}']
    if olds and olds["name"] != name:
        statements.insert(0, f'ALTER ROLE "{olds["name"]}" RENAME TO "{name}"')
    if paths != (olds.get("searchPaths") or []):
        statements.append(f'ALTER ROLE "{name}" SET search_path TO "{paths[0]}"')
    return statements + [f'GRANT "{group}" TO "{name}"' for group in news.get("roles") or []]


def test_recordings_are_there() -> None:
    methods = [call.method for file in FILES for call in calls(file) if call.type not in NOT_OURS]
    counted = ("Check", "Diff", "Create", "Update", "Read", "Delete")
    assert [methods.count(name) for name in counted] == [34, 32, 9, 5, 8, 2]


def test_a_kind_that_the_program_does_not_use_is_refused(server: FakePostgresql) -> None:
    others = {call.type: call for file in FILES for call in calls(file) if call.type in NOT_OURS}
    assert others.keys() == NOT_OURS
    for token, call in others.items():
        error = replayed(PostgresqlProvider(), call, server).error
        assert f"Unimplemented desc = {token} is not known to this stand-in" in str(error)


CORRUPTIONS = [
    ("database-up.jsonl", "Check", ("inputs", "connectionLimit"), 1),
    ("database-up.jsonl", "Configure", ("supportsPreview",), False),
    ("database-up.jsonl", "Create", ("id",), "another"),
    ("database-up.jsonl", "Create", ("properties", "statementTimeout"), 1),
    ("database-up.jsonl", "Create", ("properties", "schema"), None),
    ("database-drift-preview.jsonl", "Read", ("properties", "connectionLimit"), 5),
    ("database-drift-preview.jsonl", "Read", ("inputs", "password", "value"), "x"),
    ("database-rotate.jsonl", "Diff", ("diffs",), ["name"]),
    ("database-rotate.jsonl", "Update", ("properties", "password", "value"), "x"),
    ("database-heal.jsonl", "DiffConfig", ("detailedDiff", "port", "kind"), "ADD"),
]


@pytest.mark.parametrize(("file", "method", "path", "value"), CORRUPTIONS)
def test_a_corrupted_recorded_field_is_noticed(
    file: str, method: str, path: tuple[str, ...], value: Any, server: FakePostgresql
) -> None:
    servicer = PostgresqlProvider()
    found = [call for call in calls(file) if call.type not in NOT_OURS]
    replayed(servicer, next(call for call in found if call.method == "Configure"), server)
    call = next(call for call in found if call.method == method and compare.has(call.response, path))
    answer = replayed(servicer, call, server)
    assert list(compare.differences(call.response, answer.response, same)) == []
    corrupted = compare.corrupted(call.response, path, value)
    assert list(compare.differences(corrupted, answer.response, same)) != []


def test_a_corrupted_recorded_error_is_noticed(server: FakePostgresql) -> None:
    [call] = [call for call in calls("database-unreachable-up.jsonl") if call.method == "Update"]
    servicer = PostgresqlProvider()
    replayed(servicer, next(c for c in calls(call.file) if c.method == "Configure"), server)
    error = replayed(servicer, call, server).error
    assert call.error is not None
    assert list(compare.differences(call.error, error, same, ".error")) == []
    for true, false in (("::app", "::owner"), ("127.0.0.1", "127.0.0.2"), ("refused", "reset")):
        corrupted = call.error.replace(true, false)
        assert list(compare.differences(corrupted, error, same, ".error")) != []
