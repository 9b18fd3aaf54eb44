"""The logins of the stack: what they are called at the server, and how many sessions they may hold."""

from __future__ import annotations

from typing import Any

import pytest

from components.database import parse_admin_url
from tests.unit.harness import SECRETS, Run, complete, manifests, run_program

POOLER = "postgresql://postgres.projectref:hidden@aws-0-eu-central-1.pooler.supabase.com:5432/postgres"


def _sessions(backend: dict[str, Any], *, checker: bool) -> int:
    config = complete()
    config["backend"] |= backend
    config["verification"]["checker"] = checker
    roles = [role for role in run_program(config).of("Role") if role.type.startswith("postgresql:")]
    (limit,) = [role.inputs["connectionLimit"] for role in roles if role.inputs["name"] == "orka_app_1"]
    return int(limit)


@pytest.mark.parametrize(
    ("backend", "checker", "sessions"),
    [
        ({"replicas": 1}, False, 40),
        ({"replicas": 2}, False, 40),
        ({"replicas": 2}, True, 44),
        ({"replicas": 50}, False, 1000),
        ({"replicas": 1, "autoscaling": {"max-replicas": 6}}, False, 120),
    ],
)
def test_every_pod_of_the_backend_and_its_successor_may_hold_ten_sessions(
    backend: dict[str, Any], sessions: int, *, checker: bool
) -> None:
    assert _sessions(backend, checker=checker) == sessions


def _through(url: str) -> Run:
    config = complete()
    config["verification"]["checker"] = True
    run = run_program(config, {**SECRETS, "database-admin-url": url})
    assert run.error is None
    return run


def _users(run: Run) -> dict[str, str]:
    """By its Secret the user that each login signs in as."""
    held = {
        name.removeprefix("secret-"): one["stringData"]
        for name, one in manifests(run).items()
        if name.startswith("secret-")
    }
    names = {"checks": "ORKA_CHECK_DATABASE_URL"}
    urls = {
        part: held[part][names.get(part, "DATABASE_URL")]
        for part in ("backend", "jobs", "checker", "checks", "migration-database")
    }
    users = {part: parse_admin_url(url).user for part, url in urls.items()}
    return {**users, "exporter": held["postgres-exporter"]["user"]}


def test_supabases_pooler_is_told_the_project_with_every_login() -> None:
    assert _users(_through(POOLER)) == {
        "backend": "orka_app_1.projectref",
        "jobs": "orka_jobs_1.projectref",
        "checker": "orka_app_1.projectref",
        "checks": "orka_readonly_1.projectref",
        "exporter": "orka_monitor_1.projectref",
        "migration-database": "postgres.projectref",
    }


def test_any_other_host_is_told_the_login_alone() -> None:
    url = "postgresql://post.gres:hidden@db.projectref.supabase.co:5432/postgres"
    users = _users(_through(url))
    assert users.pop("migration-database") == "post.gres"
    assert {user.rpartition("_")[0] for user in users.values()} == {
        *("orka_app", "orka_jobs", "orka_readonly", "orka_monitor")
    }
    assert {user.rpartition("_")[2] for user in users.values()} == {"1"}


@pytest.mark.parametrize(
    ("url", "signs_in", "called"),
    [
        (POOLER, "postgres.projectref", "postgres"),
        ("postgresql://post.gres:hidden@db.example.com:5432/x", "post.gres", "post.gres"),
    ],
)
def test_the_provider_knows_what_the_database_itself_calls_the_admin(
    url: str, signs_in: str, called: str
) -> None:
    (provider,) = [one for one in _through(url).resources if one.type == "pulumi:providers:postgresql"]
    shown = {key: provider.inputs[key]["value"] for key in ("username", "databaseUsername")}
    assert shown == {"username": signs_in, "databaseUsername": called}
