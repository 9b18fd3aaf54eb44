"""What a login of the stack may do at the server: how many sessions it may hold."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.harness import complete, run_program


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
