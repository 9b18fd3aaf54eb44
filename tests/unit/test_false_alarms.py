"""On a healthy release nothing is red, whatever the verdict: a check that is not critical leaves it green."""

from __future__ import annotations

from typing import Any

import pytest

from model.check_defaults import Wanted, default_checks
from model.check_shell import Deployed
from tests.twin.false_alarms import BY_CIRCUMSTANCE, false_alarms


def _run(**verdicts: str) -> dict[str, Any]:
    checks = [
        {"name": name.replace("_", "-"), "verdict": verdict, "reason": f"{name} is {verdict}"}
        for name, verdict in verdicts.items()
    ]
    return {"verdict": "passed", "checks": checks}


@pytest.mark.parametrize("verdict", ["failed", "errored", "inconclusive"])
def test_a_red_check_that_fails_no_release_is_a_false_alarm_with_its_reason(verdict: str) -> None:
    found = _run(backend="passed", openai=verdict, semantic_search=verdict)
    assert false_alarms(found) == {
        "openai": f"openai is {verdict}",
        "semantic-search": f"semantic_search is {verdict}",
    }


def test_what_depends_on_the_machine_is_none() -> None:
    assert false_alarms(_run(backend="passed", api_latency="failed", embeddings_current="failed")) == {}


def test_only_checks_that_there_are_and_that_fail_no_release_depend_on_it() -> None:
    checks = default_checks(
        Wanted(
            release_id="r",
            api_url="https://api.example.com",
            frontend_url="https://www.example.com",
            hosts=(),
            deployed=Deployed(namespace="staging", images={}, cron_jobs={}),
        )
    )
    assert {check.name for check in checks.all() if not check.critical} >= BY_CIRCUMSTANCE
