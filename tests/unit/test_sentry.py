"""What runs the application tells Sentry which release it is, and where."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from model import sentry
from model.jobs import JOB_NAMES
from tests.unit.given import DIGESTS, SECRETS, complete
from tests.unit.harness import Run, manifests, run_program

DSN = "https://canary0sentry0key@o1.ingest.sentry.io/45"
RUNS_THE_APPLICATION = ["deployment-backend", *(f"cronjob-{name}" for name in JOB_NAMES.values())]


@pytest.fixture(scope="module")
def told() -> Run:
    return run_program(complete(), {**SECRETS, "sentry-dsn": DSN})


def _env(run: Run, name: str) -> dict[str, str]:
    spec: dict[str, Any] = manifests(run)[name]["spec"]
    spec = spec.get("jobTemplate", {}).get("spec", spec)
    return {item["name"]: item["value"] for item in spec["template"]["spec"]["containers"][0]["env"]}


@pytest.mark.parametrize("name", RUNS_THE_APPLICATION)
def test_release_and_environment_are_those_of_the_image_and_the_stack(told: Run, name: str) -> None:
    env = _env(told, name)
    assert env["SENTRY_RELEASE"] == f"orka-ppm@{DIGESTS['backend'].removeprefix('sha256:')[:12]}"
    assert env["SENTRY_ENVIRONMENT"] == "staging"


def test_the_address_is_in_the_secrets_of_those_alone(told: Run) -> None:
    having = {name for name, manifest in manifests(told).items() if "canary0sentry" in json.dumps(manifest)}
    assert having == {"secret-backend", "secret-jobs"}


def test_another_namespace_is_another_environment() -> None:
    config = complete()
    config["cluster"]["namespace"] = "rehearsal"
    run = run_program(config)
    assert run.error is None
    assert _env(run, "deployment-backend")["SENTRY_ENVIRONMENT"] == "rehearsal"


def test_a_release_is_what_sentry_allows() -> None:
    name = sentry.release("registry.example.com:5000/orka/backend@" + DIGESTS["backend"])
    assert re.fullmatch(r"[a-z-]+@[0-9a-f]{12}", name)
