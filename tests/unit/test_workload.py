"""The failures that the reference workload makes on demand: what the gate and the alerts are tried on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import pytest
from starlette.testclient import TestClient

from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterator

BACKEND = CHECKOUT / "twin" / "workload" / "backend"
NOWHERE = "127.0.0.1:9"
ENVIRONMENT = {
    "DATABASE_URL": f"postgresql://app:secret-of-a-test@{NOWHERE}/postgres",
    "REDIS_URL": f"redis://{NOWHERE}",
    "JWT_SECRET": "a-secret-of-thirty-two-characters",
    "OPENAI_API_KEY": "sk-of-a-test",
    "OPENAI_BASE_URL": f"http://{NOWHERE}/v1",
    "ORKA_RELEASE": "sha256:release",
}


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BACKEND))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "app"]:
        del sys.modules[name]


def _client(**failures: str) -> Any:
    from app.main import create_app  # noqa: PLC0415 - importable inside a test only

    return TestClient(create_app({**ENVIRONMENT, **failures}))


def test_without_failures_it_says_who_it_is_and_refuses_strangers() -> None:
    client = _client()
    answer = client.get("/")
    assert answer.json()["version"] == "1.0.0"
    assert answer.headers["x-orka-release"] == "sha256:release"
    assert client.get("/api/audit/events").status_code == 401


def test_errors_on_demand_spare_the_kubelets_path_and_are_counted() -> None:
    client = _client(ORKA_FAIL_ERRORS="1")
    assert client.get("/api/audit/events").status_code == 500
    assert client.get("/").status_code == 200
    assert 'status="500"' in client.get("/metrics").text


def test_slowness_on_demand_delays_an_answer() -> None:
    client = _client(ORKA_FAIL_SLOW_MS="150")
    began = time.monotonic()
    client.get("/api/audit/events")
    assert time.monotonic() - began >= 0.15


def test_a_degraded_component_is_reported_with_code_200() -> None:
    answer = _client(ORKA_FAIL_DEGRADED="redis").get("/health/redis")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"


def test_every_fault_of_the_environment_is_named_and_no_value() -> None:
    from app.settings import Settings, SettingsError  # noqa: PLC0415

    with pytest.raises(SettingsError) as caught:
        Settings.read({"JWT_ALGORITHM": "none-of-these", "ORKA_FAIL_ERRORS": "often"})
    message = str(caught.value)
    for name in (
        "DATABASE_URL",
        "REDIS_URL",
        "JWT_SECRET",
        "OPENAI_API_KEY",
        "JWT_ALGORITHM",
        "ORKA_FAIL_ERRORS",
    ):
        assert name in message
    assert "none-of-these" not in message
    assert "often" not in message
