"""What is named like a secret is hidden whole, and what is not named so passes."""

from __future__ import annotations

import ast
import json
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import log_secrets
from tests.unit.log_lines import BY_HAND, HIDDEN, NAMES, OTHER_NAMES, in_quotes, lines, long_lines

PATTERNS = (
    (log_secrets.QUOTED, re.IGNORECASE),
    (log_secrets.ASSIGNED, re.IGNORECASE),
    (log_secrets.LOGIN, 0),
)
LONG = 30_000


def _shown(line: str) -> str:
    for pattern, flags in PATTERNS:
        line = re.sub(pattern, rf"\1{HIDDEN}", line, flags=flags)
    return line


@pytest.mark.parametrize(("line", "shown"), BY_HAND)
def test_secrets_in_lines_are_hidden(line: str, shown: str) -> None:
    assert _shown(line) == shown


@pytest.mark.parametrize("name", NAMES)
def test_every_secret_of_the_stack_is_hidden_by_its_name(name: str) -> None:
    assert re.search(log_secrets.NAMED, name, re.IGNORECASE)
    assert _shown(f"{name}=hunter2") == f"{name}={HIDDEN}"
    assert _shown(json.dumps({name: "two words"})) == json.dumps({name: HIDDEN})


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_other_names_hide_nothing(name: str) -> None:
    assert not re.search(log_secrets.NAMED, name, re.IGNORECASE)
    for line in (f"{name}=7", *in_quotes(name, "two words")):
        assert _shown(line) == line


def test_a_value_in_quotes_is_hidden_to_its_end_and_no_further() -> None:
    assert [(line, _shown(line)) for line, shown in lines() if _shown(line) != shown] == []


@given(name=st.sampled_from(NAMES), value=st.text(min_size=1) | st.text("\\\"' ,", min_size=1))
def test_whatever_the_value_is_the_json_around_it_stays(name: str, value: str) -> None:
    assert [_shown(line) for line in in_quotes(name, value)] == in_quotes(name, HIDDEN)
    shown = _shown(repr({"user": "a", name: value, "more": "b"}))
    assert ast.literal_eval(shown) == {"user": "a", name: HIDDEN, "more": "b"}


@pytest.mark.parametrize("line", long_lines(LONG), ids=lambda line: repr(line[:12]))
def test_a_long_line_is_read_once(line: str) -> None:
    """Twice as long a line takes twice the time, and not four times: of these it would be minutes."""
    begun = time.process_time()
    _shown(line)
    assert time.process_time() - begun < 3
