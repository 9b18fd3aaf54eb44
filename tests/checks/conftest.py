"""One bench for all tests here: PostgreSQL, Redis, the stand-ins, backend, frontend, an edge with TLS."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from model.check_defaults import Wanted, default_checks
from model.check_health import DEFAULT_LATENCY_MS
from model.check_shell import Deployed
from model.checks import ChecksFile, TokenSource
from tests.checks import documents as k8s
from tests.checks.bench import PUBLIC_SUPABASE, Bench
from tests.checks.edge import Edge
from tests.checks.pairs import pairs_for
from tests.sql.conftest import MAJORS, server, template  # noqa: F401 - fixtures
from tests.sql.support import log_event
from twin import packages, secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sql.support import Database, Server
    from twin.certificates import Pair

SAMPLES = 5
PATIENCE = 5
"""So many times the limits where time is not what is broken: a busy machine is no broken release."""


@pytest.fixture(scope="session")
def major() -> int:
    """The newest server: the judge asks nothing that another would answer otherwise."""
    return max(MAJORS)


@dataclass(frozen=True)
class Stage:
    """A healthy release on the bench. `kubectl` is the folder of the one that tells of its namespace."""

    bench: Bench
    template: str
    database: Database
    backend: str
    frontend: str
    api: Edge
    web: Edge
    kubectl: Path
    authority: Path

    def checks(self, frontend_url: str, *, hurried: bool = False) -> ChecksFile:
        """The guide's checks of this release, as the shell runs them; `hurried` in the usual time."""
        patience = 1 if hurried else PATIENCE
        made = default_checks(
            Wanted(
                release_id="bench",
                api_url=self.api.url,
                frontend_url=frontend_url,
                token=TokenSource(supabase_url=self.bench.url("supabase_auth")),
                version="1.0.0",
                latency_ms={name: patience * limit for name, limit in DEFAULT_LATENCY_MS.items()},
                hosts=(PUBLIC_SUPABASE.removeprefix("https://"),),
                # A busy machine answers in time for these; what is broken here is slower by far.
                api_targets_ms=(600 * patience, 1_000 * patience),
                deployed=Deployed(namespace=k8s.NAMESPACE, images=k8s.IMAGES, cron_jobs=k8s.SCHEDULES),
            )
        )
        latency = tuple(check.model_copy(update={"samples": SAMPLES}) for check in made.latency)
        return made.model_copy(update={"latency": latency})

    @property
    def environment(self) -> dict[str, str]:
        """The variables of `ops checks`."""
        return {
            **self.bench.credentials(self.database.server.url("orka_readonly_1", self.database.name)),
            "PATH": f"{self.kubectl}:{os.environ['PATH']}",
            "ORKA_CACERT": str(self.authority),
        }


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Pair]]:
    return pairs_for(tmp_path_factory.mktemp("pki"), ["localhost"])


@pytest.fixture(scope="session")
def stage(
    server: Server,  # noqa: F811 - the fixture
    template: str,  # noqa: F811
    pairs: tuple[Path, dict[str, Pair]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stage]:
    authority, made = pairs
    if packages.missing():
        packages.install()
    database = server.create(template=template)
    folder = tmp_path_factory.mktemp("bench")
    k8s.write_kubectl(folder)
    k8s.publish(folder)
    with (
        Bench(folder, secrets._make()) as bench,
        Edge(made["good"]) as api,
        Edge(made["good"]) as web,
    ):
        backend = bench.start_backend("backend", server.url("orka_app_1", database.name))
        frontend = bench.start_frontend()
        with database.connect() as connection:
            # There is something of another tenant that nobody else may see.
            log_event(connection, uuid.UUID(bench.known.users[1].tenant_id))
        api.behind, web.behind = backend, frontend
        yield Stage(bench, template, database, backend, frontend, api, web, folder, authority)
    database.drop()
