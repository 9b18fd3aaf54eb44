"""No made up secret of the tests stands in a golden file; and a planted one would be found, in every form."""

from __future__ import annotations

import base64
import urllib.parse
from typing import Any

import pytest

from model import faults
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS, Run, run_program
from tests.unit.other_settings import CHANNELS, OTHER_SETTINGS, SINKS
from tests.unit.rendered import rendered

# Handed to every browser, or an address: no secrets.
PUBLIC = {"supabase-key", "check-email"}
CANARIES = {**SECRETS, **CHANNELS, **SINKS, "registry-password": "canary-registry", "any": "canary-"}
GOLDEN = CHECKOUT / "tests" / "golden"


def _leaks(text: str) -> set[str]:
    """The keys whose value stands there: plain, for a URL, or in base64."""
    found = set()
    for key, value in CANARIES.items():
        forms = (value, urllib.parse.quote(value, safe=""), base64.b64encode(value.encode()).decode())
        if key not in PUBLIC and any(form in text for form in forms):
            found.add(key)
    return found


def test_no_golden_file_holds_a_canary() -> None:
    golden = [file for file in GOLDEN.rglob("*") if file.is_file()]
    assert golden
    assert {file.name: found for file in golden if (found := _leaks(file.read_text()))} == {}


@pytest.mark.parametrize("name", ["everything", "operator", "hosted"])
def test_no_other_settings_show_a_canary_outside_of_what_is_marked_secret(name: str) -> None:
    run = OTHER_SETTINGS[name].run()
    assert {file: found for file, text in rendered(run).items() if (found := _leaks(text))} == {}
    assert _leaks(str(run.outputs)) == set()


@pytest.fixture(scope="module")
def leaking() -> Run:
    """The program with a secret where a plain setting belongs, and without the rules that refuse it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(faults, "crossing_faults", lambda *_, **__: [])
        return run_program(*_pasted())


def _pasted() -> tuple[dict[str, Any], dict[str, str]]:
    config = OTHER_SETTINGS["hosted"].config()
    config["backend"]["env"] = {"NOTE": f"before {SECRETS['encryption-salt']} after"}
    return config, {**SECRETS, **OTHER_SETTINGS["hosted"].secrets}


def test_a_canary_in_a_plain_variable_is_refused_and_not_shown() -> None:
    run = run_program(*_pasted())
    assert "orka-ppm:backend.env.NOTE looks like a secret (it holds encryption-salt)" in str(run.error)
    assert _leaks(str(run.error)) == set()
    assert [resource for resource in run.resources if resource.custom] == []


def test_a_planted_canary_is_found(leaking: Run) -> None:
    assert leaking.error is None
    assert "encryption-salt" in _leaks(rendered(leaking)["deployment-backend.yaml"])


@pytest.mark.parametrize("key", sorted(set(CANARIES) - PUBLIC))
def test_a_canary_is_found_in_every_form(key: str) -> None:
    encoded = base64.b64encode(CANARIES[key].encode()).decode()
    for form in (CANARIES[key], urllib.parse.quote(CANARIES[key], safe=""), encoded):
        assert key in _leaks(f"before: {form}\nafter")
