"""The default checks, what of them can be run where, and how answers fill later calls."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from model.check_defaults import Wanted, default_checks
from model.check_shell import Deployed
from model.checks import ChecksFile, kind_of, render
from ops.checks.callers import claims_of, token_of
from ops.checks.connection import ConnectTo
from ops.checks.judge import Answer, reason_against
from ops.checks.possible import possible
from ops.checks.substitute import MissingError, fill
from ops.checks.token import Credentials, GivenToken, PasswordGrant
from twin.secrets import mint

SECRET = "a-secret-of-thirty-two-characters"
TOKEN = mint(SECRET, {"sub": "u", "app_metadata": {"tenant_id": "t"}})
IMAGES = {"backend": "r/backend@sha256:1", "frontend": "r/frontend@sha256:2"}
DEPLOYED = Deployed(namespace="staging", images=IMAGES, cron_jobs={"a-job": "0 * * * *"})


def _wanted(**other: object) -> Wanted:
    values: dict[str, object] = {
        "release_id": "r", "api_url": "https://api.example.com", "frontend_url": "https://www.example.com",
    }  # fmt: skip
    return Wanted(**{**values, **other})


GATE = default_checks(_wanted(hosts=("staging.supabase.co",)))
SHELL = default_checks(_wanted(hosts=(), deployed=DEPLOYED))


def _names(checks: ChecksFile) -> set[str]:
    return {check.name for check in checks.all()}


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ({}, "a file without checks proves nothing"),
        (
            {"dns": [{"name": "a", "host": "x"}], "tls": [{"name": "a", "host": "x"}]},
            "two checks share a name: a",
        ),
        (
            {"health": [{"name": "a", "url": "https://x", "assertions": [{"field": "status"}]}]},
            "the assertion on 'status' has no condition: give equals",
        ),
        (
            {"dns": [{"name": "a", "host": "x"}, {"name": "b", "host": "x", "excused_by": ["a"]}]},
            "a critical check excuses no other: a",
        ),
    ],
)
def test_a_file_that_would_prove_nothing_is_refused(file: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ChecksFile.model_validate_json(json.dumps({"release_id": "r", **file}))


def test_the_same_checks_are_the_same_bytes_and_are_read_back_equal() -> None:
    for checks in (GATE, SHELL):
        assert ChecksFile.model_validate_json(render(checks)) == checks
        assert render(ChecksFile.model_validate_json(render(checks))) == render(checks)


def test_what_the_gate_cannot_ask_is_listed_and_the_shell_asks_it() -> None:
    left_out = {entry.name for entry in GATE.not_here}
    assert left_out == _names(SHELL) - _names(GATE)
    assert SHELL.not_here == ()
    assert all("run `ops checks` there" in entry.reason for entry in GATE.not_here)


def test_openai_alone_may_be_away() -> None:
    assert {check.name for check in GATE.health if not check.critical} == {"openai"}
    assert {check.name for check in GATE.all() if check.excused_by} == {"backend", "semantic-search"}


def test_the_version_is_compared_where_one_is_wanted() -> None:
    backend = default_checks(_wanted(version="1.2.3")).health[0]
    assert "1.2.3" in [assertion.equals for assertion in backend.assertions]


def test_the_version_of_the_application_is_compared_where_it_says_it() -> None:
    for where in ({}, {"deployed": DEPLOYED}):
        checks = default_checks(_wanted(profile="application", version="1.2.3", **where))
        version = next(check for check in checks.health if check.name == "version")
        assert (version.url, version.critical) == ("https://api.example.com/", True)
        assert reason_against(version, Answer(200, b'{"version": "1.2.3"}', 1)) is None
        assert reason_against(version, Answer(200, b'{"version": "1.2.4"}', 1)) is not None
        assert reason_against(version, Answer(200, b'{"status": "running"}', 1)) is not None
    assert "version" not in _names(default_checks(_wanted(profile="application")))


def test_the_application_as_it_is_gets_batches_and_no_addresses_that_it_lacks() -> None:
    checks = default_checks(_wanted(profile="application", checker=False))
    assert {check.name for check in checks.health} == {"backend", "frontend"}
    assert {entry.name for entry in checks.not_here} >= {"database", "redis", "openai"}
    create = next(call for call in checks.functional if call.name == "create-event")
    assert create.url.endswith("/api/audit/events/batch")
    # It lets everybody in: seen in every run, and no reason to refuse a release of it.
    assert {call.critical for call in checks.functional if call.name.endswith("-token")} == {False}
    with_checker = default_checks(_wanted(profile="application", checker=True))
    assert {check.name for check in with_checker.health} >= {"database", "redis", "openai"}


def test_without_further_secrets_and_kubectl_the_checks_that_need_them_are_not_run() -> None:
    here, not_run = possible(SHELL, Credentials(checker=GivenToken(TOKEN)), (), has_kubectl=False)
    reasons = {entry.name: entry.reason for entry in not_run}
    assert reasons == {
        "expired-token": "ORKA_CHECK_JWT_SECRET is not set: an expired token cannot be made",
        "other-tenant": "ORKA_CHECK_OTHER_EMAIL and ORKA_CHECK_OTHER_PASSWORD are not set",
        "catalog": "ORKA_CHECK_DATABASE_URL is not set",
        "event-row": "ORKA_CHECK_DATABASE_URL is not set",
        "embeddings-current": "ORKA_CHECK_DATABASE_URL is not set",
        "pods": "kubectl is not on PATH",
        "cron-jobs": "kubectl is not on PATH",
        "logs": "kubectl is not on PATH",
    }
    assert _names(here) == _names(SHELL) - set(reasons)


def test_with_them_everything_is_run_but_names_that_are_led_elsewhere() -> None:
    known = Credentials(
        checker=GivenToken(TOKEN),
        other=PasswordGrant("http://auth", "key", "e", "p"),
        jwt_secret=SECRET,
        database_url="postgresql://x",
    )
    rule = ConnectTo.parse("api.example.com:443:127.0.0.1:8443")
    _, not_run = possible(SHELL, known, (rule,), has_kubectl=True)
    assert [entry.name for entry in not_run] == ["dns-api"]


def test_a_catalog_is_compared_where_the_contract_is() -> None:
    known = Credentials(checker=GivenToken(TOKEN), database_url="postgresql://x")
    here, not_run = possible(GATE, known, (), has_kubectl=False, is_file=lambda _: False)
    reasons = {entry.name: entry.reason for entry in not_run}
    assert reasons["catalog"] == "sql/contract.yaml is not here: run it in the folder of the project"
    assert "catalog" not in _names(here)


def test_the_secrets_of_a_run_are_all_known_to_it() -> None:
    known = Credentials(
        checker=GivenToken("t"), other=PasswordGrant("u", "k", "e", "p"), jwt_secret="j", database_url="d"
    )
    assert known.secrets() == {"t", "k", "e", "p", "j", "d"}


def test_each_bad_token_differs_from_the_good_one_in_its_own_way() -> None:
    made = {
        caller: token_of(caller, TOKEN, SECRET)
        for caller in ("garbage", "wrong-signature", "unsigned", "expired")
    }
    assert len({TOKEN, *made.values()}) == 5
    assert claims_of(made["wrong-signature"]) == claims_of(made["unsigned"]) == claims_of(TOKEN)
    assert made["unsigned"].endswith(".")
    expired = claims_of(made["expired"])
    assert expired.pop("exp") < 1_000_000_000
    assert expired == claims_of(TOKEN)


def test_an_expired_token_is_signed_as_the_issuer_signs() -> None:
    import jwt  # noqa: PLC0415 - only this test verifies

    token = token_of("expired", TOKEN, SECRET)
    with pytest.raises(jwt.ExpiredSignatureError):
        jwt.decode(token, SECRET, algorithms=["HS256"])


@given(st.text(max_size=40))
def test_what_was_captured_is_filled_in_as_it_is(value: str) -> None:
    assert fill({"a": ["${x}", "<${x}>", 3]}, {"x": value}) == {"a": [value, f"<{value}>", 3]}


def test_a_whole_text_keeps_the_type_of_what_was_captured() -> None:
    assert fill("${n}", {"n": 7}) == 7
    assert fill("n=${n}", {"n": 7}) == "n=7"


def test_what_was_never_captured_is_named() -> None:
    with pytest.raises(MissingError, match="needs event_id"):
        fill(("${event_id}",), {})


def test_every_check_has_a_kind() -> None:
    assert {kind_of(check) for check in SHELL.all()} == {
        "health", "functional", "tls", "dns", "assets", "bundle", "browser",
        "latency", "pods", "cron-jobs", "logs", "catalog", "database",
    }  # fmt: skip


def test_the_times_that_have_targets_are_taken_in_the_gate_too_and_fail_no_release() -> None:
    gate = default_checks(_wanted(api_url="http://backend:8000"))
    assert [check.url for check in gate.latency] == ["http://backend:8000/api/audit/events?limit=10"]
    assert [check.critical for check in (*gate.latency, *SHELL.latency)] == [False, False]
