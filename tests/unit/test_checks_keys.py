"""A key of Supabase: taken, refused by its name alone, or nothing known of it."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from model.check_defaults import Wanted, default_checks
from model.checks import TokenSource
from ops.checks import keys
from ops.checks.connection import trust
from ops.checks.possible import possible
from ops.checks.retry import until_answered
from ops.checks.session import Limits, Means, Session
from ops.checks.token import Credentials, credentials
from tests.unit.harness import SECRETS, Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from ops.checks.result import Outcome

KEY = SECRETS["supabase-service-key"]
TOKEN = TokenSource(supabase_url="https://staging.supabase.co")
CHECKS = default_checks(
    Wanted(release_id="r", api_url="https://a.example.com", frontend_url="https://b.example.com", token=TOKEN)
)


def _asked(answer: Callable[[httpx.Request], httpx.Response], *, attempts: int = 2) -> Outcome:
    means = Means(
        credentials=Credentials(keys={"SUPABASE_SERVICE_KEY": KEY}),
        limits=Limits(timeout=1, pause=0, deadline=5, attempts=attempts),
        rules=(),
        context=trust(None),
    )

    async def run() -> Outcome:
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
            session = Session(http, means, time.monotonic() + 5, set())
            return await until_answered(session, lambda: keys.taken(session, CHECKS.key[1]))

    return asyncio.run(run())


def _status(code: int) -> Callable[[httpx.Request], httpx.Response]:
    def answer(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://staging.supabase.co/auth/v1/settings"
        assert (request.method, request.headers["apikey"]) == ("GET", KEY)
        return httpx.Response(code, stream=httpx.ByteStream(KEY.encode()))

    return answer


@pytest.mark.parametrize(
    ("code", "verdict", "reason"),
    [
        (200, "passed", None),
        (
            401,
            "failed",
            "the secret supabase-service-key is refused (401): set the key that the service shows",
        ),
        (
            403,
            "failed",
            "the secret supabase-service-key is refused (403): set the key that the service shows",
        ),
        (404, "errored", "answered 404, which says nothing about the key"),
        (429, "errored", "answered 429, which says nothing about the key"),
        (500, "errored", "answered 500, which says nothing about the key"),
    ],
)
def test_the_services_answer_is_judged_and_no_key_is_shown(
    code: int, verdict: str, reason: str | None
) -> None:
    outcome = _asked(_status(code))
    assert outcome.verdict == verdict
    assert outcome.attempts == (2 if verdict == "errored" else 1)
    assert (outcome.reason or "").startswith(reason or "")
    assert bool(outcome.reason) == bool(reason)
    assert KEY not in str(outcome)


def test_trouble_of_the_network_says_nothing_about_the_key() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("too late", request=request)

    outcome = _asked(away)
    assert (outcome.verdict, outcome.attempts) == ("errored", 2)


def test_a_moment_of_trouble_is_passed_over() -> None:
    codes = iter((503, 200))
    assert _asked(lambda _: httpx.Response(next(codes), stream=httpx.ByteStream(b""))).verdict == "passed"


def test_without_its_variable_a_key_is_listed_as_not_asked() -> None:
    given = credentials(TOKEN, {"SUPABASE_KEY": "k"}, needs_token=False, key_envs=["SUPABASE_KEY", "X"])
    assert (given.keys, given.secrets()) == ({"SUPABASE_KEY": "k"}, {"k"})
    here, not_run = possible(CHECKS, given, (), has_kubectl=True)
    assert [check.name for check in here.key] == ["supabase-key"]
    assert ("supabase-service-key", "SUPABASE_SERVICE_KEY is not set") in [
        (entry.name, entry.reason) for entry in not_run
    ]


def test_the_gate_is_given_both_keys(run: Run) -> None:
    held = run.one("Secret", "checks").inputs["stringData"]["value"]
    assert {check.key_env for check in CHECKS.key} <= held.keys()
