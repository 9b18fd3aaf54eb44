"""A platform without API roles: an admin that owns the database and is no superuser, and another after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors

from ops.migrate.owner_rights import owner_rights
from tests.sql.further_migrations import with_024
from tests.sql.originals import make_original
from tests.sql.rollbacks import backup, catalog, fill, rollback
from tests.sql.support import Database, Server, ops
from tests.sql.undone_adoptions import assert_taken_back

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.sql.support import Run

GROUPS = "orka_owner, orka_app, orka_jobs, orka_readonly"
Session = psycopg.Connection[tuple[Any, ...]]
INHERITS = "SELECT bool_or(inherit_option) FROM pg_auth_members WHERE roleid = 'orka_owner'::regrole"
ALL_EVENTS = b"SELECT count(*) FROM public.roche_audit_logs"
VERBS = ("apply", "verify", "status", "backup --dir {folder}", "rollback --to 022")
# What sql/README.md says of another admin.
LET_IN = ("GRANT admin TO successor",)
HANDED_OVER = (
    f"GRANT {GROUPS} TO successor WITH ADMIN OPTION",
    "ALTER SCHEMA orka_migrations OWNER TO successor",
    "ALTER TABLE orka_migrations.ledger OWNER TO successor",
    "ALTER TABLE orka_migrations.steps OWNER TO successor",
    "ALTER TABLE orka_migrations.baselines OWNER TO successor",
    f"REVOKE {GROUPS} FROM admin CASCADE",
)


@pytest.fixture
def sees_all(managed: Server, platform_makes_vector: Callable[[Server], None]) -> Iterator[None]:
    """What a backup needs of the admin and of the platform."""
    platform_makes_vector(managed)
    managed.execute("ALTER ROLE admin BYPASSRLS")
    yield
    managed.execute("ALTER ROLE admin NOBYPASSRLS")


@pytest.fixture
def successor(managed: Server) -> Iterator[str]:
    """Another admin, with the attributes of the first one."""
    managed.execute("CREATE ROLE successor LOGIN CREATEROLE CREATEDB")
    yield "successor"
    managed.execute("DROP ROLE successor", f"GRANT {GROUPS} TO admin WITH ADMIN TRUE, INHERIT FALSE")


@pytest.fixture
def handed_over(
    managed: Server, managed_template: str, successor: str, make_managed: Callable[..., Database]
) -> Database:
    """A migrated database that belongs to the other admin; its ledger does not."""
    database = make_managed(managed_template)
    managed.execute(f"ALTER DATABASE {database.name} OWNER TO {successor}")
    return database


def as_user(database: Database, user: str, *arguments: str) -> Run:
    return ops(database.server.url(user, database.name), *arguments)


@pytest.mark.usefixtures("sees_all")
@pytest.mark.parametrize("adopted", [False, True])
def test_an_admin_that_no_api_role_lets_in_migrates_verifies_and_takes_back(
    make_managed: Callable[..., Database], tmp_path: Path, *, adopted: bool
) -> None:
    database = make_managed()
    if adopted:
        make_original(database, "023+024")
    before = catalog(database)
    first, second = (ops(database, "apply", "--adopt", "--json") for _ in range(2))
    assert (first.code, second.code) == (0, 0), first.err
    assert (first.json["applied"], second.json["outcome"]) == (["023"], "nothing to do")
    assert [ops(database, verb).code for verb in ("verify", "status")] == [0, 0]
    fill(database)
    run = rollback(database, backup(database, tmp_path))
    assert run.code == 0, run.err
    assert catalog(database) == before


def test_it_takes_back_an_adoption_that_stopped_half_way(make_managed: Callable[..., Database]) -> None:
    assert_taken_back(make_original(make_managed(), "023+024"))


def test_without_sight_of_all_rows_it_is_told_what_a_backup_needs(
    make_managed: Callable[..., Database], managed_template: str, tmp_path: Path
) -> None:
    run = ops(make_managed(managed_template), "backup", "--dir", str(tmp_path))
    assert (run.code, "a user with BYPASSRLS that may become orka_owner" in run.err) == (11, True)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def two_sessions(
    make_managed: Callable[..., Database], managed_template: str
) -> Iterator[tuple[Session, Session]]:
    """The admin's sessions in two migrated databases of one server."""
    one, other = make_managed(managed_template), make_managed(managed_template)
    with one.connect("admin") as first, other.connect("admin") as second:
        yield first, second


@pytest.mark.usefixtures("sees_all")
def test_a_backup_that_ends_leaves_another_databases_backup_its_rights(
    two_sessions: tuple[Session, Session], managed: Server
) -> None:
    first, second = two_sessions
    with owner_rights(first):
        with owner_rights(second):
            pass
        assert first.execute(ALL_EVENTS).fetchone() == (0,)
    assert managed.value(INHERITS) is False, "the last to end takes them away"
    with pytest.raises(errors.InsufficientPrivilege):
        first.execute(ALL_EVENTS)


def test_who_lets_himself_inherit_waits_for_who_looks_whether_to_end_it(
    two_sessions: tuple[Session, Session],
) -> None:
    first, second = two_sessions
    second.execute(b"SET lock_timeout = '100ms'")
    with first.transaction():
        first.execute(b"GRANT orka_owner TO current_user WITH INHERIT FALSE")
        with pytest.raises(errors.LockNotAvailable), owner_rights(second):
            pass


def test_another_admin_is_told_whose_the_ledger_is_and_how_to_be_let_in(
    handed_over: Database, successor: str, tmp_path: Path
) -> None:
    runs = {one: as_user(handed_over, successor, *one.format(folder=tmp_path).split()) for one in VERBS}
    told = {one: (run.code, run.err.splitlines()[:1]) for one, run in runs.items()}
    line = (
        "ops migrate: the ledger, in the schema orka_migrations, belongs to admin: successor may not use it"
    )
    assert told == dict.fromkeys(VERBS, (11, [line]))
    assert "GRANT admin TO successor, or" in runs["status"].err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("way", [LET_IN, HANDED_OVER], ids=["let in", "handed over"])
def test_another_admin_that_was_let_in_goes_on(
    handed_over: Database, successor: str, managed: Server, tmp_path: Path, way: tuple[str, ...]
) -> None:
    managed.execute(*way, database=handed_over.name)
    further = ("--sql-dir", str(with_024(tmp_path)))
    run = as_user(handed_over, successor, "apply", *further, "--json")
    assert run.code == 0, run.err
    assert run.json["applied"] == ["024"]
    codes = [as_user(handed_over, successor, verb, *further).code for verb in ("verify", "status")]
    assert codes == [0, 0]


def test_who_may_read_the_ledger_sees_its_status_and_takes_nothing_back(
    handed_over: Database, successor: str, managed: Server
) -> None:
    managed.execute(
        f"GRANT USAGE ON SCHEMA orka_migrations TO {successor}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA orka_migrations TO {successor}",
        database=handed_over.name,
    )
    assert as_user(handed_over, successor, "status").code == 0
    refused = as_user(handed_over, successor, "rollback", "--to", "022")
    assert (refused.code, "belongs to admin" in refused.err) == (11, True)


@pytest.mark.parametrize("adopted", [False, True])
def test_a_login_that_works_as_another_role_is_refused_an_adoption_before_the_first_change(
    managed: Server, make_managed: Callable[..., Database], *, adopted: bool
) -> None:
    managed.execute("CREATE ROLE leased LOGIN IN ROLE admin", "ALTER ROLE leased SET role = admin")
    database = make_managed()
    if adopted:
        make_original(database, "023")
    before = catalog(database)
    run = as_user(database, "leased", "apply", "--adopt")
    managed.execute("DROP ROLE leased")
    if not adopted:
        assert run.code == 0, run.err
        return
    assert run.code == 11
    assert "leased works as admin by a setting" in run.err
    assert "connect as admin itself, or ALTER ROLE leased RESET role" in run.err
    assert catalog(database) == before
