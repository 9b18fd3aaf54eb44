"""Checks that the stack file lists are judged like any other: green where all is well, red with a reason."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from model.check_defaults import default_checks
from model.checks import ChecksFile, TokenSource, kind_of
from model.faults import read_settings
from model.gate_checks import wanted_of
from ops.checks.possible import selected
from tests.checks.breaking import EVENTS, answers, edits, lose_newest
from tests.checks.edge import Twist
from tests.unit.given import SECRETS, complete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.checks.conftest import Stage

OWN: dict[str, Any] = {
    "profile": "own",
    "health": [
        {
            "name": "store",
            "path": "/health/db",
            "max-latency-ms": 5000,
            "assertions": [
                {"field": "status", "equals": "healthy"},
                {"field": "latency_ms", "at-most": 5000},
            ],
        },
        {"name": "about", "path": "/", "host": "frontend", "body-contains": "<html"},
    ],
    "functional": [
        {
            "name": "make",
            "path": EVENTS,
            "method": "POST",
            "expect-status": 201,
            "body": {"event_type": "mine", "entity_type": "a", "entity_id": "1", "severity": "info",
                     "action_details": {}},
            "capture": {"event_id": "id", "event_hash": "hash"},
        },
        {
            "name": "find",
            "path": f"{EVENTS}?limit=100",
            "assertions": [{"field": "events", "holds": {"id": "${event_id}", "event_type": "mine"}}],
        },
    ],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _as_before(stage: Stage) -> Iterator[None]:
    stage.bench.forget()
    yield
    stage.api.twist = Twist()


def _file(stage: Stage) -> ChecksFile:
    """What the gate would be given, asked of this bench."""
    config = complete()
    config["verification"] |= OWN
    settings = read_settings({key: json.dumps(value) for key, value in config.items()}, SECRETS)
    wanted = replace(
        wanted_of(settings, "bench", {}, ""),
        api_url=stage.api.url,
        frontend_url=stage.frontend,
        health=None,
        token=TokenSource(supabase_url=stage.bench.url("supabase_auth")),
    )
    return selected(
        default_checks(wanted), lambda check: kind_of(check) in {"health", "functional", "database"}
    )


@pytest.mark.parametrize(
    ("twist", "red"),
    [
        (Twist, {}),
        (
            lambda: edits("/health/db", lambda body: body.update(status="degraded")),
            {"store": 'is "degraded", expected'},
        ),
        (lambda: answers("/health/db", 404, b"{}"), {"store": "404"}),
        (lambda: edits(EVENTS, lose_newest), {"find": "events"}),
        (
            lambda: answers(EVENTS, 500, b"{}"),
            {"make": "500", "find": "needs event_id", "event-row": "needs event_id"},
        ),
    ],
    ids=["well", "degraded", "missing", "lost", "broken"],
)
def test_own_checks_are_judged(stage: Stage, twist: Callable[[], Twist], red: dict[str, str]) -> None:
    stage.api.twist = twist()
    run = stage.bench.checks(_file(stage), stage.environment)
    assert sorted(run.red) == sorted(red), run.red
    for name, reason in red.items():
        assert reason in run.red[name]
    asked = {check["name"] for check in run.result["checks"]}
    assert asked >= {"store", "about", "make", "find", "event-row"}
    assert "create-event" not in asked
