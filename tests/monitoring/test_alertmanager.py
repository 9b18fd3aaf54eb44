"""amtool judges Alertmanager's configuration and says who is told of what."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.alert_routes import CHAT, EVERYBODY, NOBODY, PAGER, TEST_ALERT, WATCHDOG, Channels
from model.alertmanager import configuration
from tests.monitoring.support import SOURCE, every_rule, run, settings

BOTH = Channels(slack=True, pagerduty=True)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped configuration."""
    file = tmp_path_factory.mktemp("alertmanager") / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(configuration(settings(), BOTH)))
    return file


def _routed(file: Path, receivers: str, *labels: str) -> bool:
    arguments = ("config", "routes", "test", f"--config.file={file}", f"--verify.receivers={receivers}")
    return run("amtool", *arguments, *labels)[0] == 0


@pytest.mark.parametrize("slack", [True, False])
@pytest.mark.parametrize("pagerduty", [True, False])
@pytest.mark.parametrize("watchdog", [None, "https://example.com/ping"])
def test_amtool_finds_no_fault(tmp_path: Path, *, slack: bool, pagerduty: bool, watchdog: str | None) -> None:
    stack = settings(**({"watchdog-url": watchdog} if watchdog else {}))
    file = tmp_path / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(configuration(stack, Channels(slack=slack, pagerduty=pagerduty))))
    code, words = run("amtool", "check-config", str(file))
    assert code == 0, words


def _linted(folder: Path, document: dict[str, Any]) -> tuple[int, str]:
    file = folder / "alertmanager.yaml"
    file.write_text(yaml.safe_dump(document))
    command = [str(Path(sys.prefix) / "bin" / "amlint"), "check", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def test_amlint_finds_no_route_that_cannot_be_reached_and_no_receiver_that_is_silent(tmp_path: Path) -> None:
    stack = settings(**{"watchdog-url": "https://example.com/ping"})
    code, words = _linted(tmp_path, configuration(stack, BOTH))
    assert code == 0, words
    # What nobody named is meant to reach nobody.
    assert words.count("empty-receiver") == words.count(f"'{NOBODY}'") == 1, words
    assert not {"WARN", "ERROR"} & set(words.split()), words


def test_amlint_would_find_a_route_that_is_never_reached(tmp_path: Path) -> None:
    broken = configuration(settings(), BOTH)
    broken["route"]["routes"].insert(0, {"receiver": CHAT, "matchers": ['alertname=~".*"']})
    _, words = _linted(tmp_path, broken)
    assert "WARN" in words.split()
    assert "[unreachable-route]" in words


def test_amtool_would_find_a_route_to_a_receiver_that_is_not_there(tmp_path: Path) -> None:
    broken = configuration(settings(), BOTH)
    broken["route"]["routes"][0]["receiver"] = "somebody"
    (tmp_path / "alertmanager.yaml").write_text(yaml.safe_dump(broken))
    assert run("amtool", "check-config", str(tmp_path / "alertmanager.yaml"))[0] != 0


@pytest.mark.parametrize("alert", SOURCE.alerts())
def test_every_alert_goes_where_its_severity_says(written: Path, alert: str) -> None:
    rule = next(
        rule for group in every_rule()["groups"] for rule in group["rules"] if rule.get("alert") == alert
    )
    wanted = {"critical": f"{PAGER},{CHAT}", "warning": CHAT, "none": WATCHDOG}[rule["labels"]["severity"]]
    labels = [f"{key}={value}" for key, value in {"alertname": alert, **rule["labels"]}.items()]
    assert _routed(written, wanted, *labels)
    assert not _routed(written, NOBODY, *labels)


def test_the_test_alert_goes_everywhere_and_what_nobody_named_nowhere(written: Path) -> None:
    assert _routed(written, EVERYBODY, f"alertname={TEST_ALERT}", "severity=critical")
    assert _routed(written, NOBODY, "alertname=Other", "severity=info")


def test_nothing_secret_is_in_the_file_and_every_channel_says_when_it_is_over(written: Path) -> None:
    document = yaml.safe_load(written.read_text())
    found = {one["name"]: one for one in document["receivers"]}
    (slack,), (pager,) = found[CHAT]["slack_configs"], found[PAGER]["pagerduty_configs"]
    assert slack["send_resolved"]
    assert pager["send_resolved"]
    assert slack["api_url_file"] == "/etc/orka-alertmanager-secrets/slack-webhook-url"
    assert pager["routing_key_file"] == "/etc/orka-alertmanager-secrets/pagerduty-api-key"
    assert not {"api_url", "routing_key", "service_key"} & (set(slack) | set(pager))


def test_only_alerts_that_exist_explain_or_are_explained() -> None:
    rules = configuration(settings(), BOTH)["inhibit_rules"]
    matchers = [one for rule in rules for one in [*rule["source_matchers"], *rule["target_matchers"]]]
    patterns = [value for label, _, value in (one.partition("=") for one in matchers) if label == "alertname"]
    named = {name for pattern in patterns for name in pattern.strip('~"').split("|")}
    assert named
    assert named <= set(SOURCE.alerts())
