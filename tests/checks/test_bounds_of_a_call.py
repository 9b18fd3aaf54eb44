"""A call of a file may have a deadline and a number of attempts of its own, within those of the run."""

from __future__ import annotations

import json
import ssl
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from model.checks import ChecksFile
from ops.checks import runner
from ops.checks.session import Limits, Means
from ops.checks.token import Credentials
from tests.checks.hostile import Hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ops.checks.result import CheckResult

SILENT, GARBLED = "/silent", "/not-http"
"""What answers there takes a request and says nothing to it, or nothing that can be judged."""
LIMITS = Limits(timeout=20, pause=0, deadline=60, attempts=2)
BOUND_S = 10
"""What a busy machine may take longer than it is told, and less than a call without a deadline takes."""


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    with Hostile() as server:
        yield server


def _file(url: str, **bounds: Any) -> ChecksFile:
    call = {"name": "one", "url": url, "auth": False, **bounds}
    return ChecksFile.model_validate_json(json.dumps({"release_id": "r", "functional": [call]}))


def _run(url: str, limits: Limits = LIMITS, **bounds: Any) -> CheckResult:
    means = Means(credentials=Credentials(), limits=limits, rules=(), context=ssl.create_default_context())
    return runner.run(_file(url, **bounds), means).checks[0]


@pytest.mark.parametrize(("bounds", "times"), [({}, 2), ({"attempts": 1}, 1), ({"attempts": 4}, 4)])
def test_a_call_is_made_as_often_as_it_says_and_else_as_the_run_does(
    hostile: Hostile, bounds: dict[str, int], times: int
) -> None:
    found = _run(hostile.url + GARBLED, **bounds)
    assert (found.verdict, found.attempts, len(hostile.requests)) == ("errored", times, times)


def test_a_deadline_of_its_own_ends_an_attempt_and_allows_no_further_one(hostile: Hostile) -> None:
    begun = time.monotonic()
    found = _run(hostile.url + SILENT, deadline_s=0.5)
    assert time.monotonic() - begun < BOUND_S
    assert (found.verdict, found.attempts) == ("errored", 1)
    assert str(found.reason).startswith("no whole answer within 0.")


def test_a_deadline_holds_for_all_attempts_together(hostile: Hostile) -> None:
    found = _run(hostile.url + GARBLED, replace(LIMITS, pause=0.4, attempts=50), deadline_s=1)
    assert found.verdict == "errored"
    assert 1 <= found.attempts <= 3


def test_a_longer_deadline_than_the_runs_is_no_longer_one(hostile: Hostile) -> None:
    begun = time.monotonic()
    found = _run(hostile.url + SILENT, replace(LIMITS, deadline=0.5), deadline_s=3_600)
    assert time.monotonic() - begun < BOUND_S
    assert found.verdict == "errored"


def test_a_call_that_may_have_been_received_is_sent_once_whatever_it_says(hostile: Hostile) -> None:
    assert _run(hostile.url + GARBLED, method="POST", attempts=4).attempts == 1
    assert hostile.requests == [GARBLED]


@pytest.mark.parametrize("bounds", [{"deadline_s": 0}, {"deadline_s": float("inf")}, {"attempts": 0}])
def test_bounds_that_let_nothing_be_asked_or_never_end_are_refused(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        _file("http://own/", **bounds)
