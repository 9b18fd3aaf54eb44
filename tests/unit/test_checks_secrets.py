"""What is secret stays out of every reason and every line that is shown."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import time

import httpx
import pytest

from model.check_surroundings import LogsCheck
from model.checks import ChecksFile, FunctionalCall, JsonAssertion, TokenSource
from ops.checks import runner
from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.judge import Answer, reason_against
from ops.checks.sanitise import masked
from ops.checks.session import Limits, Means, Session
from ops.checks.token import Credentials, GivenToken, NoTokenSourceError, credentials
from ops.checks.workloads import log_fault
from tests.unit.made_checks import health_check


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (
            "got eyJhbGciOi.eyJzdWIi.sig and sk-live-12345678 and api_key=abc",
            "got *** and *** and api_key=***",
        ),
        ('{"password": "hunter2", "user": "a"}', '{"password": ***, "user": "a"}'),
        ("{'db_password': 'two words', 'user': 'a'}", "{'db_password': ***, 'user': 'a'}"),
        (r'{"password": "hunt\"er2", "user": "a"}', '{"password": ***, "user": "a"}'),
        (r'"{\"token\": \"hunter2\", \"user\": \"a\"}"', r'"{\"token\": ***, \"user\": \"a\"}"'),
        ('{"password": "hunter2', '{"password": ***'),
        ("ENCRYPTION_KEY=hunter2 ENCRYPTION_SALT=hunter2", "ENCRYPTION_KEY=*** ENCRYPTION_SALT=***"),
        ("x-api-key: hunter2", "x-api-key: ***"),
        ("Authorization: Basic aHVudGVyMg==", "Authorization: ***"),
        ("sent Bearer aHVudGVyMgaHVudGVyMg==", "sent ***"),
        ("https://hooks.slack.com/services/T0/B0/canary", "https://hooks.slack.com/services/***"),
        ("POST /services/T0/B0/canary 404", "POST /services/*** 404"),
        ("redis://:hunt@er2@redis/0", "redis***redis/0"),
        ("cut: eyJhbGciOiJIUzI1NiIsInR5", "cut: ***"),
        (
            "tokens used: 12, keyJoin, the key of https://x/a",
            "tokens used: 12, keyJoin, the key of https://x/a",
        ),
    ],
)
def test_keys_and_tokens_are_masked_whatever_line_they_stand_in(line: str, shown: str) -> None:
    assert masked(line) == shown


@pytest.mark.parametrize("piece", ["eyJ", "://", "sk-", "password", "secret=", 'token="', "a_key", "bearer "])
def test_a_line_of_megabytes_is_masked_in_no_time(piece: str) -> None:
    begun = time.process_time()
    masked(piece * (1_000_000 // len(piece)))
    assert time.process_time() - begun < 5


def test_a_secret_that_the_cut_would_halve_is_masked_all_the_same() -> None:
    line = f"ERROR {'x' * 120} postgresql://app:hunter2{'e' * 40}@db/"
    assert "hunter" not in (
        log_fault(LogsCheck(name="logs", namespace="n", deployments=("backend",)), {"backend": line})
        or "hunter"
    )


OPAQUE = "oq_" + "Zx9" * 60
PASSWORD = 'hunter2 "two" words'


def _reason(monkeypatch: pytest.MonkeyPatch, answer: httpx.Response) -> str:
    """Why a call that shows the token OPAQUE is red, as it stands in the run's result."""
    transport = httpx.MockTransport(lambda _: answer)
    monkeypatch.setattr(runner, "client", lambda *_: httpx.AsyncClient(transport=transport))
    call = FunctionalCall(name="one", url="http://own/", assertions=(JsonAssertion(field="x", equals="ok"),))
    means = Means(
        credentials=Credentials(checker=GivenToken(OPAQUE), jwt_secret=PASSWORD),
        limits=Limits(attempts=1), rules=(), context=ssl.create_default_context(),
    )  # fmt: skip
    return str(runner.run(ChecksFile(release_id="r", functional=(call,)), means).checks[0].reason)


@pytest.mark.parametrize(
    ("field", "shown"),
    [
        ("cannot reach postgresql://app:hunter2@db/", "cannot reach postgresql***db/"),
        (f"{'x' * 90} postgresql://app:hunter2{'e' * 40}@db/", f"{'x' * 90} postgresql***db/"),
        (f"cannot read Bearer {OPAQUE}", "cannot read Bearer ***"),
        (f"{'x' * 90} {OPAQUE} is wrong", f"{'x' * 90} *** is wrong"),
        (f"password: {PASSWORD}, so it says", "password: *** so it says"),
    ],
    ids=["that is recognised", "and would be halved", "that is known", "and known, and halved", "quoted"],
)
def test_a_secret_that_an_answer_repeats_is_no_part_of_the_reason(
    monkeypatch: pytest.MonkeyPatch, field: str, shown: str
) -> None:
    answer = httpx.Response(200, stream=httpx.ByteStream(json.dumps({"x": field}).encode()))
    assert _reason(monkeypatch, answer) == f'field \'x\' is "{shown}", expected "ok"'


def test_a_token_that_a_redirect_repeats_at_its_end_is_no_part_of_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    where = f"https://login/?{'n' * 330}&t={OPAQUE}"
    answer = httpx.Response(302, headers={"location": where}, stream=httpx.ByteStream(b""))
    assert _reason(monkeypatch, answer).endswith("n&t=***), expected 200")


def test_a_reason_that_nobody_shortened_is_masked_too() -> None:
    check = health_check("one", body_contains="password=hunter2")
    reason = reason_against(check, Answer(200, b"", 1))
    means = Means(credentials=Credentials(), limits=Limits(), rules=(), context=ssl.create_default_context())
    session = Session(httpx.AsyncClient(), means, 0.0, {"other"})
    assert session.hide(reason) == "the body does not contain 'password=***"
    assert session.hide("the other") == "the ***"


@pytest.mark.parametrize("token", ["eyJhbG\neyJzdWI.sig", "eyJhbG eyJzdWI.sig", "eyJhbGé.eyJzdWI.sig"])
def test_a_token_that_no_header_can_hold_is_refused_and_not_shown(token: str) -> None:
    source = TokenSource()
    with pytest.raises(NoTokenSourceError, match="the token in ORKA_TOKEN holds") as refused:
        credentials(source, {source.token_env: token})
    assert "eyJ" not in str(refused.value)


def test_a_header_that_cannot_be_sent_is_no_part_of_the_reason() -> None:
    async def asked() -> Answer | NoAnswer:
        async with httpx.AsyncClient() as http:
            with socket.create_server(("127.0.0.1", 0)) as server:
                url = f"http://127.0.0.1:{server.getsockname()[1]}/"
                return await ask(http, Request("GET", url, headers={"authorization": "hun\nter2"}), 5)

    answer = asyncio.run(asked())
    assert isinstance(answer, NoAnswer)
    assert "ter2" not in answer.reason
    assert answer.final
