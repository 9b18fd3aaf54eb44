"""What is secret stays out of every reason and every line that is shown."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from model.check_surroundings import LogsCheck
from model.checks import TokenSource
from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.sanitise import masked
from ops.checks.token import NoTokenSourceError, credentials
from ops.checks.workloads import log_fault

if TYPE_CHECKING:
    from ops.checks.judge import Answer


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
