"""A healthy release is green; each broken one turns exactly its checks red, each with its reason."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from ops.checks.result import exit_code
from tests.broken_releases import ROW
from tests.checks import breaking
from tests.checks import documents as k8s
from tests.checks.edge import Edge, Twist
from tests.checks.slow_proxy import SlowProxy
from tests.checks.variant import Variant
from tests.checks.variants import VARIANTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from model.checks import ChecksFile
    from tests.checks.bench import Run
    from tests.checks.conftest import Stage
    from tests.sql.support import Database
    from twin.certificates import Pair

    Tell = Callable[[str, object], None]

PIECE_S = 0.3


@pytest.fixture(autouse=True)
def _as_before(stage: Stage) -> Iterator[None]:
    """Each test finds the release healthy, whatever the one before it broke."""
    stage.bench.forget()
    yield
    k8s.publish(stage.kubectl)
    stage.api.twist = stage.web.twist = Twist()
    stage.api.behind = stage.backend


def _database_url(stage: Stage, variant: Variant, stack: contextlib.ExitStack) -> str:
    server, name = stage.database.server, stage.database.name
    if variant.database == "slow":
        proxy = stack.enter_context(SlowProxy(server.socket, PIECE_S))
        return f"postgresql://orka_app_1@127.0.0.1:{proxy.port}/{name}?sslmode=disable"
    return server.url("postgres" if variant.database == "superuser" else "orka_app_1", name)


def _broken_database(stage: Stage, variant: Variant, stack: contextlib.ExitStack) -> Database:
    database = stage.database.server.create(template=stage.template)
    stack.callback(database.drop)
    tenant = stage.bench.known.users[0].tenant_id
    with database.connect() as connection:
        for statement in variant.sql:
            connection.execute(statement.replace("@TENANT@", tenant).encode())
    return database


def _run(stage: Stage, variant: Variant, pairs: dict[str, Pair]) -> Run:
    bench, environment = stage.bench, {**stage.environment, **variant.user}
    with contextlib.ExitStack() as stack:
        if variant.sql:
            broken = _broken_database(stage, variant, stack)
            stage.api.behind = bench.start_backend("variant", broken.server.url("orka_app_1", broken.name))
            stack.callback(bench.stop, "variant")
            environment["ORKA_CHECK_DATABASE_URL"] = broken.server.url("orka_readonly_1", broken.name)
        elif variant.backend is not None:
            url = _database_url(stage, variant, stack)
            stage.api.behind = bench.start_backend("variant", url, **variant.backend)
            stack.callback(bench.stop, "variant")
        web = stage.web
        if variant.certificate != "good":
            web = stack.enter_context(Edge(pairs[variant.certificate]))
            web.behind = stage.frontend
        stage.api.origins = {web.url}
        stage.api.twist, web.twist = variant.api(bench.known), variant.web
        variant.page(bench.build_page())
        k8s.publish(stage.kubectl, *variant.cluster)
        checks = variant.checks(stage.checks(web.url, hurried=variant.hurried))
        return bench.checks(checks, environment)


def _judge(variant: Variant, run: Run, tell: Tell) -> None:
    tell(ROW, (variant.name, run.result["verdict"], ", ".join(sorted(run.red)) or "none"))
    assert sorted(run.red) == sorted(variant.red), run.red
    for name, part in variant.red.items():
        assert part in run.red[name], (name, run.red[name])
    assert run.result["verdict"] == variant.verdict
    assert run.code == exit_code(variant.verdict)


def test_a_healthy_release_is_green_and_every_check_was_asked(
    stage: Stage, pairs: tuple[Path, dict[str, Pair]], record_property: Tell
) -> None:
    healthy = Variant(name="healthy", red={}, verdict="passed")
    run = _run(stage, healthy, pairs[1])
    _judge(healthy, run, record_property)
    assert run.result["not_run"] == []
    asked = {check["name"] for check in run.result["checks"]}
    broken = {name for variant in VARIANTS for name in variant.red}
    # No check of the set is one that nothing here can turn red.
    assert asked - broken == {"tls-api", "dns-frontend"}


def test_a_run_of_the_job_makes_its_check_green_again(
    stage: Stage, pairs: tuple[Path, dict[str, Pair]]
) -> None:
    idle = next(variant for variant in VARIANTS if "writes nothing" in variant.name)

    def work(checks: ChecksFile) -> ChecksFile:
        newest = stage.database.server.value("SELECT datname FROM pg_database ORDER BY oid DESC LIMIT 1")
        done = stage.bench.job("embedding-generation", stage.database.server.url("orka_jobs_1", newest))
        assert done.returncode == 0, done.stderr
        return checks

    assert _run(stage, replace(idle, checks=work), pairs[1]).red == {}


def test_a_page_that_asks_a_foreign_host_at_its_first_load_alone_is_red(
    stage: Stage, pairs: tuple[Path, dict[str, Pair]], record_property: Tell
) -> None:
    once = Variant(
        name="foreign host asked once",
        page=breaking.asks_a_foreign_host_if_told,
        web=breaking.tells_once(),
        red={"browser": "the page asks a foreign host: live.supabase.co"},
    )
    _judge(once, _run(stage, once, pairs[1]), record_property)


def test_there_are_enough_variants_and_no_two_of_one_name() -> None:
    names = {variant.name for variant in VARIANTS}
    assert len(names) == len(VARIANTS) >= 25


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.name)
def test_a_broken_release_turns_exactly_its_checks_red(
    stage: Stage, pairs: tuple[Path, dict[str, Pair]], variant: Variant, record_property: Tell
) -> None:
    _judge(variant, _run(stage, variant, pairs[1]), record_property)
