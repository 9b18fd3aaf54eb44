"""Judging an answer: pure functions from what came back to the reason why it is not good enough."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.checks.sanitise import plain
from ops.checks.sanitise import value as shown_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from model.checks import FunctionalCall, HealthCheck, JsonAssertion

STATUS = "status"
"""The field of a health address that tells of the whole, of what others answer for too."""

_ANSWER, _TIME = " answer", " time"
"""Beside the fields' paths, and none of them."""

_MISSING = object()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, whole. `latency_ms` runs from sending the request to the last byte."""

    status: int
    body: bytes
    latency_ms: int
    content_type: str = ""
    location: str | None = None


class UnreadableError(ValueError):
    """The answer is not the JSON it should be; the message says what it is instead."""


def document(answer: Answer) -> Any:
    """Return the answer's JSON.

    Raises:
        UnreadableError: it is not UTF-8, not JSON, or nested without end.
    """
    try:
        return json.loads(answer.body.decode("utf-8"), parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise UnreadableError(f"the answer is not UTF-8: byte {error.start} is wrong") from None
    except RecursionError:
        raise UnreadableError("the answer is JSON nested too deeply to be read") from None
    except ValueError:
        start = answer.body.lstrip()[:15].lower()
        html = "html" in answer.content_type.lower() or start.startswith((b"<!doctype", b"<html"))
        raise UnreadableError("the answer is HTML, not JSON" if html else "the answer is not JSON") from None


def _no_constant(name: str) -> None:
    raise ValueError(name)  # Python would read NaN and Infinity, which JSON does not have


def reason_against(check: HealthCheck | FunctionalCall, answer: Answer) -> str | None:
    """Return why the answer does not satisfy the check, or None when it does."""
    return next((reason for _, reason in _faults(check, answer)), None)


def own_reason_against(check: HealthCheck, answer: Answer) -> str | None:
    """Return why the answer is red whatever others do: all that is wrong with it but a `status` of the whole.

    One whose status is wrong may be late as well: it waited for who is away.
    """
    found = list(_faults(check, answer))
    of_others = {STATUS, _TIME} if any(what == STATUS for what, _ in found) else set()
    return next((reason for what, reason in found if what not in of_others), None)


def is_only_late(check: HealthCheck | FunctionalCall, answer: Answer) -> bool:
    """Say whether all that is wrong with a wrong answer is the time that it took."""
    return reason_against(check.model_copy(update={"max_latency_ms": None}), answer) is None


def is_only_not_yet(check: FunctionalCall, answer: Answer) -> bool:
    """Say whether a wrong answer is only late, or lacks rows that may be on their way; all else is right."""
    if answer.status != check.expect_status:
        return False
    try:
        content = document(answer) if check.assertions else None
    except UnreadableError:
        return False
    decided = tuple(
        _whatever_is_there(assertion)
        for assertion in check.assertions
        if not _ends_before(assertion, content)
    )
    return is_only_late(check.model_copy(update={"assertions": decided}), answer)


def _whatever_is_there(assertion: JsonAssertion) -> JsonAssertion:
    """The same of an array that need not yet hold what is looked for."""
    if assertion.holds is None:
        return assertion
    return assertion.model_copy(update={"holds": None, "type": "array"})


def _ends_before(assertion: JsonAssertion, content: Any) -> bool:
    """Whether the assertion is on an item, `events.0.id`, which the array does not have."""
    named = re.match(r"(.+?)\.(\d+)(?:\.|$)", assertion.field)
    if named is None:
        return False
    array = _at(content, named[1])
    return isinstance(array, list) and int(named[2]) >= len(array)


def _faults(check: HealthCheck | FunctionalCall, answer: Answer) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, by the field or the part of the answer. Of one that cannot be read, no fields."""
    if answer.status != check.expect_status:
        elsewhere = f" (a redirect to {plain(answer.location)})" if answer.location else ""
        yield _ANSWER, f"answered {answer.status}{elsewhere}, expected {check.expect_status}"
        return
    if check.assertions:
        try:
            content = document(answer)
        except UnreadableError as error:
            yield _ANSWER, str(error)
            return
        for assertion in check.assertions:
            if reason := _assertion_reason(assertion, content):
                yield assertion.field, reason
    contains: str | None = getattr(check, "body_contains", None)
    if contains is not None and contains.encode() not in answer.body:
        yield _ANSWER, f"the body does not contain {contains!r}"
    if check.max_latency_ms is not None and answer.latency_ms > check.max_latency_ms:
        yield _TIME, f"took {answer.latency_ms} ms, allowed are {check.max_latency_ms} ms"


def captures(call: FunctionalCall, answer: Answer) -> dict[str, Any]:
    """Return what a good answer gives to later calls, by name; what is not there is left out."""
    if not call.capture:
        return {}
    content = document(answer)
    found = {name: _at(content, path) for name, path in call.capture.items()}
    return {name: value for name, value in found.items() if value is not _MISSING}


def _assertion_reason(assertion: JsonAssertion, content: Any) -> str | None:
    value = _at(content, assertion.field)
    if value is _MISSING:
        return f"field {assertion.field!r} is missing"
    shown = shown_value(value)
    if assertion.equals is not None and not _same(value, assertion.equals):
        return f"field {assertion.field!r} is {shown}, expected {shown_value(assertion.equals)}"
    if assertion.type is not None and not _TYPES[assertion.type](value):
        return f"field {assertion.field!r} is {shown}, expected a value of type {assertion.type}"
    if assertion.at_most is not None and not (_number(value) and value <= assertion.at_most):
        return f"field {assertion.field!r} is {shown}, expected a number of at most {assertion.at_most:g}"
    if assertion.matches is not None and not (
        isinstance(value, str) and re.fullmatch(assertion.matches, value)
    ):
        return f"field {assertion.field!r} is {shown}, expected text matching {assertion.matches}"
    return _items_reason(assertion, value)


def _items_reason(assertion: JsonAssertion, value: Any) -> str | None:
    if assertion.holds is None and assertion.lacks is None and assertion.each is None:
        return None
    if not isinstance(value, list):
        return f"field {assertion.field!r} is {shown_value(value)}, expected an array"
    name = assertion.field
    if assertion.holds is not None and not any(_has(item, assertion.holds) for item in value):
        return f"none of the {len(value)} in {name!r} has {shown_value(assertion.holds)}"
    if assertion.lacks is not None and any(_has(item, assertion.lacks) for item in value):
        return f"one in {name!r} has {shown_value(assertion.lacks)}, which none may have"
    if assertion.each is not None:
        other = sum(not _has(item, assertion.each) for item in value)
        return (
            f"{other} of the {len(value)} in {name!r} lack {shown_value(assertion.each)}" if other else None
        )
    return None


def _has(item: Any, values: Mapping[str, Any]) -> bool:
    return isinstance(item, dict) and all(
        name in item and _same(item[name], value) for name, value in values.items()
    )


def _at(content: Any, path: str) -> Any:
    value = content
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
