"""From the outputs that the program makes to the shell's checks: they follow the stack's own settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from model.check_health import DEFAULT_LATENCY_MS
from model.checks import ChecksFile, TokenSource
from ops.checks.outputs import OutputsError, checks_from
from ops.checks.workloads import log_fault
from tests.unit.harness import complete, manifests, run_program
from tests.unit.other_settings import OTHER_SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

ELSEWHERE = "https://orka-staging.vercel.example"


def _outputs(change: Callable[[dict[str, Any]], None] = lambda _: None) -> dict[str, Any]:
    """What `pulumi stack output --json` gives after an `up` with these settings."""
    config = complete()
    change(config)
    run = run_program(config)
    assert run.error is None, run.error
    found: dict[str, Any] = json.loads(json.dumps(run.outputs))
    return found


def _checks(outputs: dict[str, Any], **flags: Any) -> ChecksFile:
    return checks_from(json.dumps(outputs), TokenSource(), **flags)


def _application(config: dict[str, Any]) -> None:
    config["verification"] |= {
        "profile": "application",
        "version": "1.2.3",
        "bundle-hosts": ["x.example.com"],
    }
    config["verification"]["latency-ms"] = {"backend": 1234}
    config["cron-jobs"]["model-training"]["suspended"] = True
    config["cron-jobs"]["time-zone"] = "Europe/Zurich"


def _external(config: dict[str, Any]) -> None:
    config["frontend"] |= {"target": "external", "url": ELSEWHERE}
    config["backend"]["cors-origins"] = [ELSEWHERE]


def _external_without_image(config: dict[str, Any]) -> None:
    _external(config)
    del config["images"]["frontend"]


def test_an_application_without_the_checker_is_not_asked_for_addresses_that_it_lacks() -> None:
    checks = _checks(_outputs(_application))
    assert {check.name for check in checks.health} == {"backend", "frontend", "version"}
    assert {entry.name for entry in checks.not_here} >= {"database", "redis", "openai"}
    assert any(call.url.endswith("/api/audit/events/batch") for call in checks.functional)


def test_limits_hosts_and_suspended_jobs_are_those_of_the_settings() -> None:
    checks = _checks(_outputs(_application))
    assert {check.name: check.max_latency_ms for check in checks.health} == {
        "backend": 1234,
        "version": 1234,
        "frontend": DEFAULT_LATENCY_MS["frontend"],
    }
    assert {"x.example.com", "staging.supabase.co"} <= set(checks.bundle[0].hosts)
    assert checks.cron_jobs[0].suspended == ("model-training-job",)
    assert checks.cron_jobs[0].time_zone == "Europe/Zurich"


@pytest.mark.parametrize(("profile", "check"), [("guide", "backend"), ("application", "version")])
def test_the_version_of_the_settings_is_compared(profile: str, check: str) -> None:
    def versioned(config: dict[str, Any]) -> None:
        config["verification"] |= {"version": "1.2.3", "profile": profile}

    for flags, wanted in (({}, "1.2.3"), ({"version": "2.0.0"}, "2.0.0")):
        found = next(one for one in _checks(_outputs(versioned), **flags).health if one.name == check)
        assert wanted in [assertion.equals for assertion in found.assertions]


def test_what_the_command_line_names_wins() -> None:
    checks = _checks(_outputs(_application), profile="guide", hosts=("y.example.com",))
    assert not any(call.url.endswith("/batch") for call in checks.functional)
    assert "y.example.com" in checks.bundle[0].hosts
    assert "x.example.com" not in checks.bundle[0].hosts


@pytest.mark.parametrize("change", [_external, _external_without_image])
def test_a_frontend_hosted_elsewhere_is_asked_and_no_deployment_of_it_wanted(
    change: Callable[[dict[str, Any]], None],
) -> None:
    checks = _checks(_outputs(change))
    assert set(checks.pods[0].images) == {"backend"}
    assert checks.logs[0].deployments == ("backend",)
    assert [check.url for check in checks.health if check.name == "frontend"] == [f"{ELSEWHERE}/"]


def test_a_stack_older_than_that_output_is_checked_by_the_defaults() -> None:
    older = _outputs()
    del older["verification"]
    checks = _checks(older)
    assert {check.name: check.max_latency_ms for check in checks.health} == DEFAULT_LATENCY_MS
    assert set(checks.pods[0].images) == {"backend", "frontend"}
    assert {entry.name for entry in checks.not_here} == {"bundle-hosts", "browser"}
    assert checks.cron_jobs[0].suspended == ()
    assert checks.cron_jobs[0].time_zone is None
    del older["images"]["frontend"]
    assert set(_checks(older).pods[0].images) == {"backend"}


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("192.0.2.7", ("192.0.2.7",)),
        ("2001:DB8::7", ("2001:DB8::7",)),
        ("lb.example.com", ()),
        (None, ()),
    ],
)
def test_the_names_must_lead_to_the_address_of_the_edge_where_it_is_known(
    address: str | None, wanted: tuple[str, ...]
) -> None:
    def reached(config: dict[str, Any]) -> None:
        config["edge"]["address"] = address

    checks = _checks(_outputs(reached))
    assert [check.addresses for check in checks.dns] == [wanted, wanted]


def test_lines_that_the_settings_know_to_be_harmless_are_no_faults() -> None:
    line = "ERROR the clock of the reports was set back"

    def known(config: dict[str, Any]) -> None:
        config["verification"]["log-allow"] = ["ERROR the clock of .* was set back"]

    assert log_fault(_checks(_outputs(known)).logs[0], {"backend": line}) is None
    assert log_fault(_checks(_outputs()).logs[0], {"backend": line}) is not None


def test_an_output_of_another_form_is_named() -> None:
    outputs = {**_outputs(), "verification": {"profile": "others"}}
    with pytest.raises(OutputsError, match=r"output verification\.profile"):
        _checks(outputs)


@pytest.mark.parametrize("settings", OTHER_SETTINGS)
def test_the_deployments_that_are_told_are_those_that_are_made_each_with_its_image(settings: str) -> None:
    run = OTHER_SETTINGS[settings].run()
    made = {
        manifest["metadata"]["name"]: manifest["spec"]["template"]["spec"]["containers"]
        for name, manifest in manifests(run).items()
        if name.startswith("deployment-")
    }
    told = run.outputs["verification"]["deployments"]
    assert told.keys() == made.keys()
    for name, containers in made.items():
        assert {one["image"] for one in containers} == {run.outputs["images"][told[name]]}, name
