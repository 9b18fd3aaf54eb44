"""Checks of the stack file's own: gate and shell ask them, and every fault in them is told at once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.verification import checks_file
from model import health, scrape
from model.alert_values import values_of
from model.checks import ChecksFile, TokenSource
from model.faults import SettingsError, read_settings
from ops.checks.outputs import checks_from
from tests.unit.given import SECRETS, complete
from tests.unit.harness import BEGUN, run_program

if TYPE_CHECKING:
    from model.settings import Settings

QUEUE: dict[str, Any] = {
    "name": "queue",
    "path": "/health/queue",
    "assertions": [{"field": "status", "equals": "healthy"}, {"field": "depth", "at-most": 5}],
    "max-latency-ms": 500,
}
PAGE = {"name": "about", "path": "/about", "host": "frontend", "body-contains": "Orka"}
MAKE: dict[str, Any] = {
    "name": "make",
    "path": "/api/things?kind=a",
    "method": "POST",
    "body": {"a": None, "b": [1]},
    "expect-status": 201,
    "capture": {"event_id": "id", "event_hash": "hash"},
}
READ = {
    "name": "read",
    "path": "/api/things/${event_id}",
    "assertions": [{"field": "hash", "equals": "${event_hash}"}],
}
LIST = {"name": "list", "path": "/api/things"}
OWN: dict[str, Any] = {"profile": "own", "health": [QUEUE, PAGE], "functional": [MAKE, READ, LIST]}
EFFECT = "SELECT count(*) FROM public.my_reports WHERE made_at >= {begun} AND kind LIKE '50%; (a'"


def _config(effect: Any = None, **verification: Any) -> dict[str, Any]:
    config = complete()
    config["verification"] |= verification
    if effect is not None:
        config["cron-jobs"]["model-training"]["effect"] = effect
        config["verification"]["run-jobs"] = ["model-training"]
    return config


def _settings(config: dict[str, Any]) -> Settings:
    return read_settings({key: json.dumps(value) for key, value in config.items()}, SECRETS)


def _faults(config: dict[str, Any]) -> tuple[str, ...]:
    try:
        _settings(config)
    except SettingsError as error:
        return error.faults
    return ()


def _gate(**verification: Any) -> ChecksFile:
    return ChecksFile.model_validate_json(checks_file(_settings(_config(**verification)), "r"))


def _addresses(checks: ChecksFile) -> dict[str, str]:
    return {check.name: check.url for check in (*checks.health, *checks.functional)}


@pytest.fixture(scope="module")
def both() -> tuple[ChecksFile, ChecksFile, dict[str, list[str]]]:
    """What the gate asks, what the shell asks, and where the edge leads the API's paths."""
    run = run_program(_config(EFFECT, **OWN, **{"provided-by": {"database": "checker"}}))
    assert run.error is None, run.error
    data = run.one("ConfigMap", "verification").inputs["data"]
    (rule,) = run.one("Ingress", "backend").inputs["spec"]["rules"]
    led: dict[str, list[str]] = {}
    for path in rule["http"]["paths"]:
        led.setdefault(path["backend"]["service"]["name"], []).append(path["path"])
    gate = ChecksFile.model_validate_json(data["checks.json"])
    return gate, checks_from(json.dumps(run.outputs), TokenSource()), led


def test_gate_and_shell_ask_the_own_checks_and_no_others_of_their_kinds(
    both: tuple[ChecksFile, ChecksFile, Any],
) -> None:
    gate, shell, _ = both
    assert _addresses(gate) == {
        "queue": "http://backend/health/queue",
        "about": "http://frontend/about",
        "make": "http://backend/api/things?kind=a",
        "read": "http://backend/api/things/${event_id}",
        "list": "http://backend/api/things",
    }
    by_edge = {
        "http://backend": "https://api-staging.orka-ppm.example.com",
        "http://frontend": "https://staging.orka-ppm.example.com",
    }
    for name, url in _addresses(gate).items():
        service = next(one for one in by_edge if url.startswith(one))
        assert _addresses(shell)[name] == url.replace(service, by_edge[service])
    assert [check.model_copy(update={"url": ""}) for check in (*gate.health, *gate.functional)] == [
        check.model_copy(update={"url": ""}) for check in (*shell.health, *shell.functional)
    ]
    queue, make = gate.health[0], gate.functional[0]
    assert (queue.max_latency_ms, queue.assertions[1].at_most) == (500, 5)
    assert (make.body, make.expect_status) == ({"a": None, "b": [1]}, 201)


def test_the_edge_leads_to_an_own_health_address_and_to_who_provides_one(
    both: tuple[ChecksFile, ChecksFile, dict[str, list[str]]],
) -> None:
    _, _, led = both
    assert led["checker"] == ["/health/db"]
    assert "/health/queue" in led["backend"]
    assert "/about" not in led["backend"]


def test_a_captured_event_is_looked_for_in_the_database_with_what_was_captured(
    both: tuple[ChecksFile, ChecksFile, Any],
) -> None:
    rows = {row.name: row for row in both[0].database}
    assert rows["event-row"].expect == {"hash": "${event_hash}"}
    without = _gate(**{**OWN, "functional": [LIST]})
    assert "event-row" in {entry.name for entry in without.not_here}
    assert "event-row" not in {row.name for row in without.database}


def test_times_are_taken_and_the_browser_asks_by_the_first_call_that_needs_no_other(
    both: tuple[ChecksFile, ChecksFile, Any],
) -> None:
    gate, shell, _ = both
    assert gate.latency[0].url == "http://backend/api/things"
    assert shell.browser[0].api == "https://api-staging.orka-ppm.example.com/api/things"
    nothing = _gate(**{**OWN, "functional": [MAKE, READ]})
    assert nothing.latency == ()
    assert "api-latency" in {entry.name for entry in nothing.not_here}


def test_under_another_profile_they_come_after_its_own_and_one_of_its_names_takes_its_place() -> None:
    first = _addresses(_gate())
    more = _gate(health=[{"name": "backend", "path": "/ready"}, QUEUE], functional=[LIST])
    assert list(_addresses(more)) == [*list(first)[:5], "queue", *list(first)[5:], "list"]
    assert {name: url for name, url in _addresses(more).items() if first.get(name) != url} == {
        "backend": "http://backend/ready",
        "queue": "http://backend/health/queue",
        "list": "http://backend/api/things",
    }
    assert more.latency == _gate().latency


def test_each_address_is_asked_of_who_provides_it() -> None:
    said = {"database": "checker", "redis": "application"}
    asked = _gate(**{"profile": "application", "provided-by": said})
    assert {check.name: check.url for check in asked.health if check.name not in ("backend", "frontend")} == {
        "database": "http://checker/health/db",
        "redis": "http://backend/health/redis",
    }
    assert "openai" in {entry.name for entry in asked.not_here}
    other = _gate(**{"checker": True, "provided-by": {"redis": "application"}})
    assert [check.url.partition("/h")[0] for check in other.health[:4]] == [
        *("http://backend", "http://checker", "http://backend", "http://checker"),
    ]
    # The same address by the list is asked of the same.
    listed = _gate(**{**OWN, "health": [{"name": "db", "path": "/health/db"}], "provided-by": said})
    assert _addresses(listed)["db"] == "http://checker/health/db"


def test_of_an_own_profile_only_what_somebody_provides_is_watched() -> None:
    settings = _settings(_config(**OWN, **{"provided-by": {"redis": "checker"}}))
    assert set(health.watched(settings)) == {"redis", "frontend"}


@pytest.mark.parametrize(
    ("listed", "watched"),
    [
        ({}, {"backend", "frontend"}),
        ({"path": "/health/up"}, {"frontend"}),
        ({"host": "frontend"}, {"frontend"}),
    ],
    ids=["its path", "another path", "the path of the page's host"],
)
def test_the_guides_first_address_is_watched_of_an_own_profile_where_it_is_listed(
    listed: dict[str, str], watched: set[str]
) -> None:
    check = {"name": "alive", "path": "/health", **listed}
    settings = _settings(_config(**{**OWN, "health": [check]}))
    assert set(health.watched(settings)) == watched
    assert scrape.health_probes(settings).keys() == watched
    assert values_of(settings)["health-targets"] == str(len(watched))


def test_the_effect_of_the_stack_file_is_asked_instead_of_the_built_in_one(
    both: tuple[ChecksFile, ChecksFile, Any],
) -> None:
    row = next(row for row in both[0].database if row.name == "effect-of-model-training")
    assert (row.since, row.expect) == (BEGUN, {"done": True})
    begun = "(now() - %(age_s)s * interval '1 second')"
    inner = EFFECT.replace("%", "%%").replace("{begun}", begun)
    assert row.query == f"SELECT coalesce(({inner}), 0) > 0 AS done"


@pytest.mark.parametrize(
    ("verification", "expected"),
    [
        ({"health": [{**QUEUE, "path": "health"}]}, "verification.health[0].path: expected an absolute path"),
        ({"health": [{**QUEUE, "path": "/a/../b"}]}, "health[0].path: expected an absolute path"),
        ({"health": [{**QUEUE, "path": "/metrics"}]}, "health[0]: the edge keeps /metrics closed: give"),
        (
            {"health": [{**PAGE, "path": "/api/x"}]},
            "health[0]: the edge leads /api of the frontend's host to",
        ),
        ({"health": [{**QUEUE, "host": "redis"}]}, "health[0].host: input should be 'api' or 'frontend'"),
        ({"health": [{"name": "a"}]}, "health[0].path is missing: pulumi config set --path"),
        ({"health": [{**QUEUE, "name": "A"}]}, "health[0].name: string should match pattern"),
        ({"health": [{**QUEUE, "max-latency-ms": 0}]}, "health[0].max-latency-ms: input should be greater"),
        ({"health": [{**QUEUE, "expect-status": 20}]}, "health[0].expect-status: input should be greater"),
        (
            {"health": [{**QUEUE, "max_latency_ms": 9}]},
            "pulumi config rm --path 'orka-ppm:verification.health",
        ),
        (
            {"health": [{**QUEUE, "assertions": [{"field": "a"}]}]},
            "health[0].assertions[0]: has no condition: give equals, type, at-most",
        ),
        (
            {"health": [{**QUEUE, "assertions": [{"field": "a", "matches": "("}]}]},
            "health[0].assertions[0].matches: no regular expression",
        ),
        ({"health": [QUEUE, QUEUE]}, "verification.health: two entries are called queue: give each a name"),
        ({"health": [{**QUEUE, "name": "catalog"}]}, "two checks share a name: catalog: rename the one here"),
        ({"health": [{**QUEUE, "name": "tls-api"}]}, "two checks share a name: tls-api: rename the one here"),
        ({"health": [{**QUEUE, "excused-by": ["redis"]}]}, "a critical check excuses no other: redis"),
        ({"functional": [{**LIST, "path": "/things"}]}, "functional[0].path: expected a path under /api/"),
        ({"functional": [{**LIST, "method": "HEAD"}]}, "functional[0].method: input should be 'GET', 'POST'"),
        (
            {"functional": [{**LIST, "path": "/api/things/${thing}"}]},
            "verification.functional: list needs thing, which no call before it captures: capture it in one",
        ),
        (
            {"functional": [{**LIST, "body": "canary-redis"}]},
            "functional[0] looks like a secret (it holds re",
        ),
        ({"profile": "own"}, "verification: the profile own brings no checks: list them under `health`"),
        ({"profile": "mine"}, "verification.profile: input should be 'guide', 'application' or 'own'"),
        ({"provided-by": {"redis": "me"}}, "provided-by.redis: input should be 'application' or 'checker'"),
        ({"effect": "DELETE FROM t WHERE a >= {begun}"}, "model-training.effect: expected one SELECT of one"),
        ({"effect": "SELECT 1 WHERE {begun} > a; DROP TABLE t"}, "effect: expected one SELECT of one number"),
        ({"effect": "SELECT 1), (SELECT {begun}"}, "effect: expected one SELECT of one number, without `;`"),
        ({"effect": "SELECT {begun} -- hidden"}, "effect: expected one SELECT of one number, without `;`"),
        ({"effect": "SELECT {begun} INTO t"}, "effect: expected one SELECT of one number, without `;`"),
        ({"effect": "SELECT count(*) FROM t"}, "effect: counts what stood there before the run too"),
        ({"effect": "SELECT '{begun}'"}, "effect: counts what stood there before the run too"),
        ({"effect": 1}, "effect: input should be a valid string"),
    ],
)
def test_a_malformed_check_is_named_with_its_remedy(verification: dict[str, Any], expected: str) -> None:
    faults = _faults(_config(**verification))
    assert len(faults) == 1, faults
    assert faults[0].startswith("orka-ppm:")
    assert expected in faults[0]
    assert "hidden" not in faults[0]
    assert "canary" not in faults[0]


_JUNK = st.none() | st.integers() | st.text(max_size=12) | st.lists(st.text(max_size=3), max_size=2)


@given(number=st.integers(0, 2), key=st.sampled_from(sorted({*MAKE, *READ, "caller", "auth"})), junk=_JUNK)
def test_junk_in_a_call_gets_messages_and_never_a_traceback(number: int, key: str, junk: Any) -> None:
    calls: list[dict[str, Any]] = [{**MAKE}, {**READ}, {**LIST}]
    calls[number][key] = junk
    config = _config(**{**OWN, "functional": calls})
    faults = _faults(config)
    assert all(fault.startswith("orka-ppm:verification") for fault in faults)
    if not faults:
        checks_file(_settings(config), "r")


@given(text=st.text("SELECTselect ();'\"-{begun}%1\x00", max_size=30) | st.text(max_size=20))
def test_any_effect_gets_a_message_or_is_used(text: str) -> None:
    config = _config(f"SELECT {{begun}} {text}")
    faults = _faults(config)
    assert all(fault.startswith("orka-ppm:cron-jobs") for fault in faults)
