"""While OpenAI is away, `/health` may say so of the whole; what else is wrong with it counts as ever."""

from __future__ import annotations

import asyncio
import json
import ssl
from typing import TYPE_CHECKING

import httpx
import pytest

from model.check_kinds import HealthCheck, JsonAssertion
from model.checks import ChecksFile
from ops.checks import runner
from ops.checks.session import Limits, Means
from ops.checks.token import Credentials

if TYPE_CHECKING:
    from ops.checks.result import RunResult

HEALTHY = JsonAssertion(field="status", equals="healthy")
CHECKS = ChecksFile(
    release_id="r",
    health=(
        HealthCheck(name="openai", url="http://own/health/openai", assertions=(HEALTHY,), critical=False),
        HealthCheck(
            name="backend",
            url="http://own/health",
            assertions=(HEALTHY, JsonAssertion(field="version", equals="1.0.0")),
            max_latency_ms=150,
            excused_by=("openai",),
        ),
    ),
)
SLOW_S = 0.3


def _run(
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    content: object,
    *,
    openai: str = "degraded",
    slow: bool = False,
) -> RunResult:
    async def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/health/openai":
            return _answer(200, {"status": openai})
        if status == 0:
            raise httpx.ReadError("gone")
        if slow:
            await asyncio.sleep(SLOW_S)
        return _answer(status, content)

    monkeypatch.setattr(runner, "client", lambda *_: httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    means = Means(
        credentials=Credentials(), limits=Limits(pause=0, attempts=1), rules=(),
        context=ssl.create_default_context(),
    )  # fmt: skip
    return runner.run(CHECKS, means)


def _answer(status: int, content: object) -> httpx.Response:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return httpx.Response(status, stream=httpx.ByteStream(body))


DEGRADED = {"status": "degraded", "version": "1.0.0"}


@pytest.mark.parametrize("slow", [False, True])
def test_a_degraded_whole_is_explained_and_that_it_waited_for_who_is_away(
    monkeypatch: pytest.MonkeyPatch, *, slow: bool
) -> None:
    run = _run(monkeypatch, 200, DEGRADED, slow=slow)
    assert (run.verdict, run.checks[1].verdict) == ("passed", "inconclusive")
    assert str(run.checks[1].reason).endswith("(explained by openai)")


@pytest.mark.parametrize(
    ("status", "content", "slow", "verdict", "reason"),
    [
        (200, {**DEGRADED, "version": "0.9.0"}, False, "failed", "field 'version' is \"0.9.0\""),
        (200, {"status": "degraded"}, False, "failed", "field 'version' is missing"),
        (200, {"status": "healthy", "version": "1.0.0"}, True, "failed", "allowed are 150 ms"),
        (200, b"<html></html>", False, "failed", "the answer is HTML, not JSON"),
        (404, DEGRADED, False, "failed", "answered 404"),
        (500, DEGRADED, False, "failed", "answered 500"),
        (0, None, False, "errored", "no answer: ReadError"),
    ],
)
def test_what_openai_cannot_be_the_cause_of_is_red_while_it_is_away(
    monkeypatch: pytest.MonkeyPatch, status: int, content: object, verdict: str, reason: str, *, slow: bool
) -> None:
    run = _run(monkeypatch, status, content, slow=slow)
    assert run.verdict == verdict
    assert reason in str(run.checks[1].reason)


def test_while_openai_is_well_a_degraded_whole_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, 200, DEGRADED, openai="healthy").verdict == "failed"
