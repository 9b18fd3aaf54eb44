"""The stand-in for the random plugin answers as the official one was recorded to do."""

from __future__ import annotations

import importlib.util
import re
import string
from typing import TYPE_CHECKING, Any

import pytest

from tests.plugins import compare, replay
from tests.plugins.replay import Call
from twin.plugins.random.provider import RandomProvider

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = replay.recordings("database-", "roles-")
PASSWORD = "random:index/randomPassword:RandomPassword"
# The program uses neither, so the stand-in has neither: it refuses them.
NOT_OURS = {"random:index/randomBytes:RandomBytes", "random:index/randomId:RandomId"}
pytestmark = pytest.mark.filterwarnings("ignore:'crypt' is deprecated")
# What is made at random is compared by its form, where it is made.
MADE = {
    ".properties.result.value": re.compile(r"^[A-Za-z0-9]{32}$"),
    # Empty where Python has no `crypt`: nothing uses it.
    ".properties.bcryptHash.value": re.compile(
        r"^\$2a\$10\$[./A-Za-z0-9]{53}$" if importlib.util.find_spec("crypt") else r"^(\$2a\$10\$.{53})?$"
    ),
}


def bookkeeping(path: str, _recorded: Any, _got: Any) -> bool:
    """What the official plugin's bridge to Terraform notes for itself; nothing else reads it."""
    return path == ".properties.__pulumi_raw_state_delta"


def made(path: str, recorded: Any, got: Any) -> bool:
    form = MADE.get(path)
    by_form = bool(form and form.match(str(recorded)) and form.match(str(got)))
    return by_form or bookkeeping(path, recorded, got)


def same(call: Call) -> Callable[[str, Any, Any], bool]:
    return made if call.method == "Create" else bookkeeping


def calls(file: str) -> list[Call]:
    return replay.calls_of("random", RandomProvider.version, file)


@pytest.mark.parametrize("file", FILES)
def test_every_recorded_call_is_answered_as_recorded(file: str) -> None:
    servicer = RandomProvider()
    wrong = []
    for call in calls(file):
        if call.type in NOT_OURS:
            continue
        answer = replay.send(servicer, call)
        found = list(compare.differences(call.error, answer.error, path=".error"))
        found += compare.differences(call.response, answer.response, same(call))
        wrong += [f"{call}{text}" for text in found]
    assert not wrong, "\n".join(wrong)


def test_recordings_are_there() -> None:
    methods = [call.method for file in FILES for call in calls(file) if call.type not in NOT_OURS]
    assert len(FILES) == 17
    assert [methods.count(name) for name in ("Check", "Diff", "Create", "Read", "Delete")] == [
        15,
        11,
        6,
        2,
        3,
    ]


def test_a_kind_that_the_program_does_not_use_is_refused() -> None:
    others = {call.type: call for file in FILES for call in calls(file) if call.type in NOT_OURS}
    assert others.keys() == NOT_OURS
    for token, call in others.items():
        error = replay.send(RandomProvider(), call).error
        assert f"Unimplemented desc = {token} is not known to this stand-in, which knows {PASSWORD}" in str(
            error
        )


CORRUPTIONS = [
    ("Check", ("inputs", "length"), 31),
    ("Configure", ("acceptResources",), False),
    ("Create", ("id",), "another"),
    ("Create", ("properties", "result", "value"), "short"),
    ("Create", ("properties", "bcryptHash", "value"), "$2a$11$"),
    ("Create", ("properties", "minLower"), 1),
    ("Read", ("properties", "result", "value"), "x" * 32),
    ("Diff", ("diffs",), []),
    ("Diff", ("replaces",), []),
]


@pytest.mark.parametrize(("method", "path", "value"), CORRUPTIONS)
def test_a_corrupted_recorded_field_is_noticed(method: str, path: tuple[str, ...], value: Any) -> None:
    found = [call for file in FILES for call in calls(file) if call.method == method and not call.preview]
    call = next(call for call in found if call.type not in NOT_OURS and compare.has(call.response, path))
    answer = replay.send(RandomProvider(), call)
    assert list(compare.differences(call.response, answer.response, same(call))) == []
    corrupted = compare.corrupted(call.response, path, value)
    assert list(compare.differences(corrupted, answer.response, same(call))) != []


def password(**inputs: Any) -> replay.Answer:
    request = {"urn": f"urn:pulumi:staging::orka::{PASSWORD}::p", "properties": inputs}
    return replay.send(RandomProvider(), Call("", 0, "Create", request, None, None))


def result(**inputs: Any) -> str:
    response = password(**inputs).response
    assert response is not None
    return str(response["properties"]["result"]["value"])


def test_no_two_passwords_are_alike() -> None:
    assert len({result(length=16) for _ in range(3)}) == 3


def test_a_password_has_the_classes_that_are_asked_for() -> None:
    for _ in range(3):
        made_of = result(length=4, minUpper=2, minNumeric=1, lower=False, minSpecial=1, overrideSpecial="_")
        assert len(made_of) == 4
        assert sum(letter in string.ascii_uppercase for letter in made_of) >= 2
        assert set(made_of) <= set(string.ascii_uppercase + string.digits + "_")


def test_minimums_that_do_not_fit_are_an_error() -> None:
    assert "length is too short" in str(password(length=2, minUpper=3).error)
