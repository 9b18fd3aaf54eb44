"""What a broken release of the bench is on the twin: in front of its edge, in its pods, in its database.

The variants and what must be red for them are those of `tests/checks`; here is how each is made of a cluster.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import psycopg

from tests.checks.edge import Edge, Twist
from tests.checks.slow_proxy import SlowProxy
from tests.checks.variant import Variant
from tests.sql.support import log_event
from tests.twin.conftest import PATHS
from tests.twin.machine import apply
from twin import application, database, secrets
from twin.environment import EDGE, HOSTS
from twin.paths import BRIDGE_ADDRESS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.twin.stack import Stack
    from twin.certificates import Pair

PIECE_S = 0.3
NAME = "broken-release"
ROLLED_OUT = "--timeout=120s"
UNDONE = {
    "events refused by the database": "GRANT INSERT ON public.roche_audit_logs TO orka_app",
    # An event is never taken away: the run of the job that was not there writes what is missing.
    "a job that exits 0 and writes nothing": "",
    "a policy that was dropped": (
        "SELECT format('CREATE POLICY %I ON public.%I FOR %s TO %s USING (%s) WITH CHECK (%s)', policyname,"
        " tablename, cmd, array_to_string(roles, ', '), qual, with_check) FROM pg_policies"
        " WHERE policyname = 'tenant_isolation_update_audit_anomalies'"
    ),
    "a trigger that was disabled": (
        "ALTER TABLE public.roche_audit_logs ENABLE ALWAYS TRIGGER roche_audit_logs_refuse_row"
    ),
    "row security that binds its owner no more": (
        "ALTER TABLE public.audit_anomalies FORCE ROW LEVEL SECURITY"
    ),
}
"""What takes a variant's statement back, by name; a SELECT is asked beforehand what that is."""


@contextlib.contextmanager
def distorted(
    stack: Stack, variant: Variant, pairs: tuple[Path, dict[str, Pair]], folder: Path
) -> Iterator[Mapping[str, str]]:
    """The twin broken as the variant says; what is laid over the variables of `ops checks`."""
    with contextlib.ExitStack() as undo:
        env = dict(variant.backend or {})
        if variant.database == "superuser":
            _event_of_another_tenant()
            env["DATABASE_URL"] = database.admin_url(PATHS)
        elif variant.database == "slow":
            env["DATABASE_URL"] = undo.enter_context(_slow_database(stack))
        if env:
            undo.enter_context(changed_backend(stack, env))
        if variant.page is not Variant.page:
            undo.enter_context(_page(stack, variant, folder))
        for statement in variant.sql:
            undo.enter_context(_written(statement, UNDONE[variant.name]))
        if _between(variant):
            yield {**variant.user, **undo.enter_context(_edges(variant, pairs))}
        else:
            yield variant.user


@contextlib.contextmanager
def changed_backend(stack: Stack, env: Mapping[str, str], *, settles: bool = True) -> Iterator[None]:
    """The backend with further variables, which no file of a process list shows; afterwards without."""
    stack.kubectl("set", "env", "deployment/backend", *(f"{key}={value}" for key, value in env.items()))
    try:
        if settles:
            stack.kubectl("rollout", "status", "deployment/backend", ROLLED_OUT)
        yield
    finally:
        # Not by an `up`: a variable that was added by hand is nobody's drift.
        stack.kubectl("rollout", "undo", "deployment/backend")
        stack.kubectl("rollout", "status", "deployment/backend", ROLLED_OUT)


def _between(variant: Variant) -> bool:
    twists = (variant.api(secrets.of(PATHS)), variant.web)
    return variant.certificate != "good" or any(twist != Twist() for twist in twists)


@contextlib.contextmanager
def _edges(variant: Variant, pairs: tuple[Path, dict[str, Pair]]) -> Iterator[Mapping[str, str]]:
    """An edge of our own before the twin's, for either host: what passes through is twisted there."""
    authority, made = pairs
    api, web = Edge(made["good"]), Edge(made[variant.certificate])
    api.twist, web.twist = variant.api(secrets.of(PATHS)), variant.web
    api.origins = {f"https://{HOSTS[1]}"}
    for edge, host in zip((api, web), HOSTS, strict=True):
        edge.behind, edge.host = f"https://{EDGE}", host
        edge.trust = ssl.create_default_context(cafile=str(PATHS.ca))
    with api, web:
        yield {
            "ORKA_CONNECT_TO": f"{HOSTS[0]}:443:127.0.0.1:{api.port},{HOSTS[1]}:443:127.0.0.1:{web.port}",
            "ORKA_CACERT": str(authority),
        }


@contextlib.contextmanager
def _page(stack: Stack, variant: Variant, folder: Path) -> Iterator[None]:
    """The frontend's pods serve a page that was built as theirs was, and then broken."""
    built = folder / "frontend"
    shutil.copytree(Path(application.__file__).parent / "workload" / "frontend", built)
    public = next(context for context in application.contexts(PATHS) if context.name == "frontend").arguments
    subprocess.run([sys.executable, "build.py"], cwd=built, env=dict(public), check=True, timeout=60)
    variant.page(built)
    files = [f"--from-file={file}" for file in (built / "page").iterdir()]
    mount = {
        "volumes": [{"name": NAME, "configMap": {"name": NAME}}],
        "containers": [{"name": "frontend", "volumeMounts": [{"name": NAME, "mountPath": "/app/page"}]}],
    }
    stack.kubectl("create", "configmap", NAME, *files)
    stack.kubectl(
        "patch", "deployment", "frontend", "--patch", json.dumps({"spec": {"template": {"spec": mount}}})
    )
    try:
        stack.kubectl("rollout", "status", "deployment/frontend", ROLLED_OUT)
        yield
    finally:
        stack.kubectl("rollout", "undo", "deployment/frontend")
        stack.kubectl("rollout", "status", "deployment/frontend", ROLLED_OUT)
        stack.kubectl("delete", "configmap", NAME)


@contextlib.contextmanager
def _written(statement: str, back: str) -> Iterator[None]:
    """A statement of the database's owner, and what takes it back."""
    tenant = secrets.of(PATHS).users[0].tenant_id
    with psycopg.connect(database.admin_url(PATHS), autocommit=True) as connection:
        if back.startswith("SELECT"):
            (back,) = connection.execute(back.encode()).fetchone() or ("",)
        connection.execute(statement.replace("@TENANT@", tenant).encode())
        try:
            yield
        finally:
            if back:
                connection.execute(back.encode())


def _event_of_another_tenant() -> None:
    """There is something that nobody else may see."""
    with psycopg.connect(database.admin_url(PATHS), autocommit=True) as connection:
        log_event(connection, uuid.UUID(secrets.of(PATHS).users[1].tenant_id))


@contextlib.contextmanager
def _slow_database(stack: Stack) -> Iterator[str]:
    """The address of a database that holds back each piece of its answers; the pods may go there."""
    with SlowProxy(PATHS.run / "postgres", PIECE_S, BRIDGE_ADDRESS) as proxy:
        now = urlsplit(stack.kubectl("exec", "deployment/backend", "--", "printenv", "DATABASE_URL").strip())
        login = now.netloc.rpartition("@")[0]
        apply(
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "NetworkPolicy",
                "metadata": {"name": NAME, "namespace": "staging"},
                "spec": {
                    "podSelector": {"matchLabels": {"app.kubernetes.io/name": "backend"}},
                    "policyTypes": ["Egress"],
                    "egress": [
                        {
                            "to": [{"ipBlock": {"cidr": f"{BRIDGE_ADDRESS}/32"}}],
                            "ports": [{"port": proxy.port}],
                        }
                    ],
                },
            }
        )
        try:
            yield f"postgresql://{login}@{BRIDGE_ADDRESS}:{proxy.port}{now.path}?sslmode=disable"
        finally:
            stack.kubectl("delete", "networkpolicy", NAME)
