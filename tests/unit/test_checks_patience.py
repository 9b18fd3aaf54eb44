"""What may pass by itself is asked again; to be let in once, or to see a stranger's row once, stays red."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from model.check_calls import guide_calls, token_calls
from model.check_kinds import Check, FunctionalCall, HealthCheck, JsonAssertion
from model.checks import ChecksFile
from ops.checks import runner
from ops.checks.session import Limits, Means
from ops.checks.token import Credentials, GivenToken, PasswordGrant
from twin.secrets import mint

if TYPE_CHECKING:
    from ops.checks.result import CheckResult

API = "http://own"
TOKEN = GivenToken(mint("a-secret-of-thirty-two-characters", {"sub": "u"}))
MINE, STRANGERS = (
    {
        "id": f"00000000-0000-4000-8000-00000000000{last}",
        "tenant_id": f"00000000-0000-4000-8000-0000000000{last}0",
    }
    for last in (1, 2)
)
READ = FunctionalCall(name="read", url=f"{API}/e")
DROPPED = httpx.ReadError("connection reset by peer")
REFUSED = httpx.ConnectError("connection refused")

Answer = tuple[int, Any] | Exception
"""A status and a document, or why there is no answer."""


class Server:
    """Gives its answers in turn, the last one for ever; keeps what it was sent."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.requests = list(answers), []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer[0], stream=httpx.ByteStream(json.dumps(answer[1]).encode()))


def _run(
    monkeypatch: pytest.MonkeyPatch,
    server: Server,
    *checks: Check,
    attempts: int = 3,
    checker: GivenToken | PasswordGrant = TOKEN,
) -> list[CheckResult]:
    monkeypatch.setattr(runner, "client", lambda *_: httpx.AsyncClient(transport=httpx.MockTransport(server)))
    means = Means(
        credentials=Credentials(checker=checker), rules=(), context=ssl.create_default_context(),
        limits=Limits(timeout=5, pause=0, attempts=attempts, deadline=60),
    )  # fmt: skip
    kind = "health" if isinstance(checks[0], HealthCheck) else "functional"
    return list(runner.run(ChecksFile.model_validate({"release_id": "r", kind: checks}), means).checks)


def _one(
    monkeypatch: pytest.MonkeyPatch, check: Check, *answers: Answer, attempts: int = 3
) -> tuple[str, int]:
    """The verdict, and how often it was asked."""
    server = Server(*answers)
    found = _run(monkeypatch, server, check, attempts=attempts)[0]
    assert found.attempts == len(server.requests)
    return found.verdict, len(server.requests)


REFUSALS = [call for call in token_calls(API, critical=True) if call.expect_status == 401]
IN_USE = [call for call in REFUSALS if call.caller != "expired"]
"""An expired token is made with a secret that is not given here."""
EVENTS: Answer = (200, {"events": [MINE]})


@pytest.mark.parametrize("call", IN_USE, ids=lambda call: call.name)
def test_who_is_let_in_once_is_let_in(monkeypatch: pytest.MonkeyPatch, call: FunctionalCall) -> None:
    assert _one(monkeypatch, call, EVENTS, (401, {})) == ("failed", 1)


@pytest.mark.parametrize("status", [200, 400, 403, 404, 429, 500])
def test_another_status_of_a_call_stands(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    assert _one(monkeypatch, IN_USE[0], (status, {}), (401, {})) == ("failed", 1)


@pytest.mark.parametrize("trouble", [(502, {}), (503, {}), (504, {}), DROPPED, REFUSED])
def test_a_proxys_trouble_and_a_dropped_connection_are_asked_again(
    monkeypatch: pytest.MonkeyPatch, trouble: Answer
) -> None:
    assert _one(monkeypatch, IN_USE[0], trouble, (401, {})) == ("passed", 2)
    assert _one(monkeypatch, IN_USE[0], trouble, EVENTS) == ("failed", 2)


def test_a_strangers_row_is_seen_once_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    leak: Answer = (200, {"events": [MINE, STRANGERS]})
    for wanted in ({"each": {"tenant_id": MINE["tenant_id"]}}, {"lacks": {"id": STRANGERS["id"]}}):
        read = READ.model_copy(update={"assertions": (JsonAssertion(field="events", **wanted),)})
        assert _one(monkeypatch, read, leak, EVENTS) == ("failed", 1)


def _read_back() -> FunctionalCall:
    """The guide's reading, with what the posted event gave filled in."""
    read = next(call for call in guide_calls(API) if call.name == "read-events")
    text = read.model_dump_json().replace("${event_id}", MINE["id"])
    text = text.replace("${event_tenant}", MINE["tenant_id"]).replace("${event_hash}", "h")
    return FunctionalCall.model_validate_json(text)


POSTED = {**MINE, "hash": "h"}
THERE: Answer = (200, {"events": [POSTED, MINE], "total": 2})


@pytest.mark.parametrize("events", [[], [MINE]], ids=["none yet", "the posted one not yet"])
def test_a_row_that_is_not_there_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, events: list[dict[str, str]]
) -> None:
    not_yet: Answer = (200, {"events": events, "total": len(events)})
    assert _one(monkeypatch, _read_back(), not_yet, THERE) == ("passed", 2)
    assert _one(monkeypatch, _read_back(), not_yet) == ("failed", 3)


@pytest.mark.parametrize(
    "content",
    [
        {"events": [STRANGERS], "total": 1},
        {"events": [MINE], "total": "1"},
        {"events": {}, "total": 1},
        {"total": 1},
        {},
    ],
    ids=["a stranger's", "another shape", "no array", "no events", "nothing"],
)
def test_waiting_for_a_row_excuses_nothing_else(monkeypatch: pytest.MonkeyPatch, content: Any) -> None:
    assert _one(monkeypatch, _read_back(), (200, content), THERE) == ("failed", 1)


def test_what_is_no_json_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _one(monkeypatch, _read_back(), (200, float("nan")), THERE) == ("failed", 1)


POST = FunctionalCall(name="post", method="POST", url=f"{API}/e", body={}, expect_status=201)


@pytest.mark.parametrize("answer", [(503, {}), (502, {}), (500, {}), DROPPED])
def test_a_post_that_may_have_been_received_is_sent_once(
    monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    verdict, times = _one(monkeypatch, POST, answer, (201, {}))
    assert (verdict, times) == ("errored" if isinstance(answer, Exception) else "failed", 1)


def test_a_post_that_reached_nobody_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _one(monkeypatch, POST, REFUSED, (201, {})) == ("passed", 2)


HEALTH = HealthCheck(
    name="backend", url=f"{API}/health", assertions=(JsonAssertion(field="version", equals="2"),)
)
OLD, NEW = (200, {"version": "1"}), (200, {"version": "2"})


def test_an_old_pod_that_answers_for_a_moment_turns_no_health_address_red(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _one(monkeypatch, HEALTH, OLD, NEW) == ("passed", 4)
    assert _one(monkeypatch, HEALTH, OLD, OLD, NEW, attempts=3) == ("passed", 5)


@pytest.mark.parametrize("bad", [OLD, (503, {}), (404, {}), DROPPED])
def test_a_health_address_that_is_well_now_and_then_is_red(
    monkeypatch: pytest.MonkeyPatch, bad: Answer
) -> None:
    verdict, _ = _one(monkeypatch, HEALTH, *[bad, NEW, NEW] * 5)
    assert verdict == ("errored" if isinstance(bad, Exception) else "failed")


def test_a_healthy_address_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _one(monkeypatch, HEALTH, NEW, OLD) == ("passed", 1)


def test_each_question_about_health_may_get_another_pods_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(OLD, NEW)
    _run(monkeypatch, server, HEALTH)
    assert {request.headers["connection"] for request in server.requests} == {"close"}


@pytest.mark.parametrize(
    "check", [HEALTH, FunctionalCall(name="read", url=f"{API}/e")], ids=["health", "call"]
)
def test_who_was_only_late_has_to_be_in_time_once(monkeypatch: pytest.MonkeyPatch, check: Check) -> None:
    seconds = iter([9.0, 0.0])
    monkeypatch.setattr("ops.checks.asking.milliseconds_since", lambda _: round(1000 * next(seconds)))
    hurried = check.model_copy(update={"max_latency_ms": 5_000})
    assert _one(monkeypatch, hurried, NEW) == ("passed", 2)


GRANT = PasswordGrant("http://auth", "k" * 20, "a@b.c", "hunter2${seen}")
SIGNED_IN = (200, {"access_token": "aaa.bbb.ccc"})


@pytest.mark.parametrize("trouble", [(502, {}), (500, {}), (503, {}), (429, {}), DROPPED, REFUSED])
def test_signing_in_is_tried_again_where_the_service_was_in_trouble(
    monkeypatch: pytest.MonkeyPatch, trouble: Answer
) -> None:
    server = Server(trouble, trouble, SIGNED_IN)
    found = _run(monkeypatch, server, READ, checker=GRANT)
    assert [(check.name, check.verdict, check.attempts) for check in found] == [
        ("authentication", "passed", 3),
        ("read", "passed", 1),
    ]


def test_who_is_refused_is_refused_and_trouble_that_stays_is_red(monkeypatch: pytest.MonkeyPatch) -> None:
    for answer, attempts in (((400, {}), 1), ((200, {}), 1), ((502, {}), 3)):
        found = _run(monkeypatch, Server(answer), READ, checker=GRANT)
        assert (found[0].verdict, found[0].attempts) == ("failed", attempts)


def test_a_password_is_sent_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(SIGNED_IN)
    _run(monkeypatch, server, READ, checker=GRANT)
    assert json.loads(server.requests[0].content) == {"email": "a@b.c", "password": GRANT.password}
