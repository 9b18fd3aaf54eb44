"""What the SQL tests share: databases on a throw-away server, and the command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psycopg

from ops import cli
from ops.migrate.lock import RUNNER
from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SQL = CHECKOUT / "sql"
GUIDE_TABLES = [
    "roche_audit_logs",
    "audit_embeddings",
    "audit_anomalies",
    "audit_ml_models",
    "audit_integrations",
    "audit_scheduled_reports",
    "audit_access_log",
    "audit_bias_metrics",
    "audit_ai_predictions",
]
TENANT_A = uuid.UUID("aaaaaaaa-0000-4000-8000-000000000001")
TENANT_B = uuid.UUID("bbbbbbbb-0000-4000-8000-000000000002")
TENANT_C = uuid.UUID("cccccccc-0000-4000-8000-000000000003")
LOGINS = {"app": "orka_app_1", "jobs": "orka_jobs_1", "readonly": "orka_readonly_1"}


@dataclass(frozen=True)
class Server:
    """A running server; its administrator migrates, its superuser sets the stage."""

    socket: Path
    superuser: str = "postgres"
    admin: str = "postgres"

    def url(self, user: str, database: str) -> str:
        return f"postgresql://{user}@/{database}?host={self.socket}"

    def execute(self, *statements: str, database: str = "postgres") -> None:
        with psycopg.connect(self.url(self.superuser, database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def value(self, query: str) -> Any:
        with psycopg.connect(self.url(self.superuser, "postgres"), autocommit=True) as connection:
            row = connection.execute(query.encode()).fetchone()
        assert row is not None
        return row[0]

    def create(self, *, template: str = "template1", vector: bool = True) -> Database:
        name = f"t{uuid.uuid4().hex[:12]}"
        self.execute(f"CREATE DATABASE {name} OWNER {self.admin} TEMPLATE {template}")
        if vector and template == "template1":
            self.execute("CREATE EXTENSION vector", database=name)
        return Database(self, name)


@dataclass(frozen=True)
class Database:
    """One database on a server."""

    server: Server
    name: str

    @property
    def admin_url(self) -> str:
        return self.server.url(self.server.admin, self.name)

    def connect(self, user: str | None = None) -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(self.server.url(user or self.server.superuser, self.name), autocommit=True)

    @contextlib.contextmanager
    def as_tenant(
        self, login: str, tenant: uuid.UUID | str | None
    ) -> Iterator[psycopg.Connection[tuple[Any, ...]]]:
        """A transaction of a login with the claims of a tenant (none: no claims), rolled back at the end."""
        with (
            self.connect(LOGINS.get(login, login)) as connection,
            connection.transaction(force_rollback=True),
        ):
            if tenant is not None:
                set_claims(connection, tenant)
            yield connection

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchall()

    def value(self, query: str) -> Any:
        return self.rows(query)[0][0]

    def drop(self) -> None:
        self.server.execute(f"DROP DATABASE {self.name} WITH (FORCE)")


def set_claims(connection: psycopg.Connection[Any], tenant: uuid.UUID | str) -> None:
    """What the backend and the jobs do at the start of every transaction."""
    claims = json.dumps({"role": "authenticated", "app_metadata": {"tenant_id": str(tenant)}})
    connection.execute("SELECT set_config('request.jwt.claims', %s, true)", (claims,))


def log_event(
    connection: psycopg.Connection[Any], tenant: uuid.UUID, entity: object = "123", **columns: object
) -> tuple[Any, ...]:
    """Insert one event as the guide posts it; return (id, seq, previous_hash, hash)."""
    values: dict[str, object] = {
        "tenant_id": tenant,
        "event_type": "test_event",
        "entity_type": "test",
        "entity_id": entity,
        "action_details": json.dumps({"test": "data"}),
        **columns,
    }
    marks = ", ".join(["%s"] * len(values))
    row = connection.execute(
        f"INSERT INTO public.roche_audit_logs ({', '.join(values)}) VALUES ({marks})"
        " RETURNING id, seq, previous_hash, hash".encode(),
        list(values.values()),
    ).fetchone()
    assert row is not None
    return tuple(row)


@dataclass(frozen=True)
class Run:
    """One run of the command line."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def ops(database: Database | str | None, *arguments: str, **environ: str) -> Run:
    """Run `ops migrate ARGUMENTS` on a database (or any URL) in this process."""
    url = database.admin_url if isinstance(database, Database) else database
    clean = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "DATABASE_URL_FILE")}
    variables = {**clean, "TERMINATION_LOG": os.devnull, **({"DATABASE_URL": url} if url else {}), **environ}
    arguments = (*arguments, *(() if "--sql-dir" in arguments else ("--sql-dir", str(SQL))))
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, variables, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        code = cli.main(["migrate", *arguments])
    return Run(code, out.getvalue(), err.getvalue())


def copy_sql(folder: Path, append: str = "") -> Path:
    """A copy of the folder of SQL with something added to the end of 023."""
    copy = folder / "sql"
    shutil.copytree(SQL, copy)
    migration = copy / "023_ai_empowered_audit_trail" / "up.sql"
    migration.write_text(migration.read_text(encoding="utf-8") + append, encoding="utf-8")
    return copy


def lock_held(database: Database) -> psycopg.Connection[tuple[Any, ...]]:
    """A session that holds the runners' lock until it is closed."""
    connection = database.connect()
    connection.execute("SELECT pg_advisory_lock(%s::int4, %s::int4)", RUNNER)
    return connection


def wait_for_runners(database: Database, number: int, query: str = "%pg_try_advisory_lock%") -> None:
    """Until that many runners are at a query (by default: have asked for the lock and were told no)."""
    with database.connect() as connection:
        for _ in range(300):
            row = connection.execute(
                "SELECT count(*), pg_sleep(0.05)::text FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'orka-migrate'"
                " AND query LIKE %s",
                (query,),
            ).fetchone()
            if row is not None and row[0] == number:
                return
    raise AssertionError(f"{number} runners never came to {query}")
