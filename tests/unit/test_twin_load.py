"""The load of the twin's tests says so when it was not there all the while."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.twin import load
from tests.twin.load import Load

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 30.0


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> Load:
    """A load that every request of is answered, without an edge."""
    monkeypatch.setattr(ssl, "create_default_context", lambda **_: None)
    monkeypatch.setattr(Load, "_ask", lambda *_: (200, "r"))
    return Load("api.example.com", "/health", Path("ca.pem"))


def _wait_until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < ends, "nothing came"
        time.sleep(0.01)


def _until_it_stops(asking: Load, error: Exception | None = None) -> None:
    with asking:
        asking._thread.join(timeout=10)
        if error:
            raise error


def test_a_load_that_was_there_to_the_end_counts_its_answers(short: Load) -> None:
    with short:
        _wait_until(lambda: short.answers.total() > 1)
    assert (short.failures, short.releases) == ({}, {"r"})


def test_the_load_asks_the_page_as_often_as_the_api_and_counts_what_fails(
    short: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []

    def page_is_away(_: Load, host: str, path: str, headers: dict[str, str]) -> tuple[int, str]:
        asked.append((host, path, headers))
        return (503, "") if host == load.PAGE_HOST else (200, "r")

    monkeypatch.setattr(Load, "_ask", page_is_away)
    with short:
        _wait_until(lambda: short.answers.total() > 3)
    assert asked[:2] == [("api.example.com", "/health", {}), (load.PAGE_HOST, "/", {})]
    assert short.failures.keys() == {(503, load.PAGE)}
    assert short.releases == {"r"}
    assert abs(short.answers[200, "r"] - short.answers[503, load.PAGE]) <= 1


def test_a_load_that_ran_out_of_time_fails_the_test(short: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "LONGEST_S", 0.01)
    with pytest.raises(AssertionError, match="the load stopped before its end, after 1 requests"):
        _until_it_stops(short)


def test_what_failed_the_test_before_is_not_hidden(short: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "LONGEST_S", 0.01)
    with pytest.raises(ValueError, match="the cause"):
        _until_it_stops(short, ValueError("the cause"))


def test_an_answer_that_is_no_http_counts_and_does_not_end_the_load(monkeypatch: pytest.MonkeyPatch) -> None:
    def garbled(*_: object, **__: object) -> None:
        raise load.HTTPException

    monkeypatch.setattr(ssl, "create_default_context", lambda **_: None)
    monkeypatch.setattr(load.Edge, "request", garbled)
    with Load("api.example.com", "/health", Path("ca.pem")) as asking:
        _wait_until(lambda: asking.answers.total() > 1)
    assert asking.failures.keys() == {(0, "HTTPException")}
