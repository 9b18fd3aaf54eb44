"""Judging an answer: pure functions from what came back to the reason why it is not good enough."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from model.checks import FunctionalCall, HealthCheck, JsonAssertion

_SHOWN_CHARACTERS = 120
_MISSING = object()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whole. `latency_ms` runs from sending the request to the last byte."""

    status: int
    body: bytes
    latency_ms: int


def reason_against(check: HealthCheck | FunctionalCall, answer: Answer) -> str | None:
    """Return why the answer does not satisfy the check, or None when it does."""
    if answer.status != check.expect_status:
        return f"answered {answer.status}, expected {check.expect_status}"
    if check.assertions:
        try:
            document = json.loads(answer.body)
        except ValueError:
            return "the answer is not JSON"
        for assertion in check.assertions:
            if reason := _assertion_reason(assertion, document):
                return reason
    contains: str | None = getattr(check, "body_contains", None)
    if contains is not None and contains.encode() not in answer.body:
        return f"the body does not contain {contains!r}"
    if check.max_latency_ms is not None and answer.latency_ms > check.max_latency_ms:
        return f"took {answer.latency_ms} ms, allowed are {check.max_latency_ms} ms"
    return None


def _assertion_reason(assertion: JsonAssertion, document: Any) -> str | None:
    value = _at(document, assertion.field)
    if value is _MISSING:
        return f"field {assertion.field!r} is missing"
    shown = _shown(value)
    if assertion.equals is not None and not _same(value, assertion.equals):
        return f"field {assertion.field!r} is {shown}, expected {_shown(assertion.equals)}"
    if assertion.type is not None and not _TYPES[assertion.type](value):
        return f"field {assertion.field!r} is {shown}, expected a value of type {assertion.type}"
    if assertion.at_most is not None and not (_number(value) and value <= assertion.at_most):
        return f"field {assertion.field!r} is {shown}, expected a number of at most {assertion.at_most:g}"
    if assertion.matches is not None and not (
        isinstance(value, str) and re.fullmatch(assertion.matches, value)
    ):
        return f"field {assertion.field!r} is {shown}, expected text matching {assertion.matches}"
    return None


def _at(document: Any, path: str) -> Any:
    value = document
    for part in path.split("."):
        if isinstance(value, dict) and part in value:
            value = value[part]
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return _MISSING
    return value


def _same(value: Any, expected: Any) -> bool:
    # JSON's true is not 1, though Python's is.
    return bool(value == expected) and isinstance(value, bool) == isinstance(expected, bool)


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _number,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
}
