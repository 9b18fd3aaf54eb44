"""Whatever a server answers, asking it ends: within its time, within little memory, with a plain reason."""

from __future__ import annotations

import asyncio
import ssl
import tracemalloc
from typing import TYPE_CHECKING

import pytest

from model.checks import HealthCheck, JsonAssertion
from ops.checks.asking import MAX_BODY_BYTES, NoAnswer, Request, ask
from ops.checks.connection import client
from ops.checks.judge import Answer, reason_against
from tests.checks.hostile import ANSWERS, Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 2.0
BOUND_S = 20
"""More than a busy machine needs for two seconds of asking, far less than a wait without end."""

REASONS = {
    "/healthy": None,
    "/endless": "the answer is longer than 4194304 bytes",
    "/announced-100-mb": "the answer is longer than 4194304 bytes",
    "/unannounced-100-mb": "the answer is longer than 4194304 bytes",
    "/redirect-loop": "answered 302 (a redirect to /redirect-loop), expected 200",
    "/slow-loris-head": "no whole answer within 2.0 s",
    "/slow-loris-body": "no whole answer within 2.0 s",
    "/silent": "no whole answer within 2.0 s",
    "/endless-headers": "no answer: RemoteProtocolError: Receive buffer too long",
    "/invalid-utf-8": "the answer is not UTF-8: byte 12 is wrong",
    "/html": "the answer is HTML, not JSON",
    "/not-a-number": "the answer is not JSON",
    "/nested": "the answer is JSON nested too deeply to be read",
    "/huge-number": "the answer is not JSON",
    "/bomb": "the answer is encoded as gzip, unasked",
    "/cut-off": "no answer: RemoteProtocolError: peer closed connection without sending complete",
    "/not-http": "no answer: RemoteProtocolError: Server disconnected without sending a response.",
    "/escapes": 'field \'status\' is "\\u001b[2J?green\\nPASSED", expected "healthy"',
}


@pytest.fixture(scope="module")
def hostile() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


async def _asked(url: str) -> Answer | NoAnswer:
    async with client((), ssl.create_default_context()) as http:
        return await asyncio.wait_for(ask(http, Request("GET", url), SECONDS), BOUND_S)


def _reason(url: str) -> str | None:
    answer = asyncio.run(_asked(url))
    if isinstance(answer, NoAnswer):
        return answer.reason
    check = HealthCheck(name="status", url=url, assertions=(JsonAssertion(field="status", equals="healthy"),))
    return reason_against(check, answer)


def test_every_behaviour_has_its_reason_written_down() -> None:
    assert REASONS.keys() == ANSWERS.keys()


@pytest.mark.parametrize("path", ANSWERS)
def test_the_asking_ends_with_a_plain_reason_and_little_memory(hostile: Hostile, path: str) -> None:
    tracemalloc.start()
    try:
        reason = _reason(hostile.url + path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    expected = REASONS[path]
    assert reason == expected or (expected and reason and reason.startswith(expected)), reason
    # A compressed bomb is made in this process, so the server's own share counts as well.
    assert peak < 4 * MAX_BODY_BYTES, f"{peak} bytes"


def test_a_redirect_is_not_followed(hostile: Hostile) -> None:
    hostile.requests.clear()
    _reason(hostile.url + "/redirect-loop")
    assert hostile.requests == ["/redirect-loop"]
