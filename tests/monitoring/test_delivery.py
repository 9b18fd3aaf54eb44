"""A 200 that says `degraded` pages and shows, and so does its end: by real programs, on loopback."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import yaml

from model import scrape
from ops import cli
from tests.monitoring.bench import Bench, running
from tests.monitoring.support import rules, run, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ARRIVES_WITHIN_S = 60


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with running(tmp_path_factory.mktemp("bench")) as found:
        yield found


def _await(what: str, there: Callable[[], object]) -> None:
    ends = time.monotonic() + ARRIVES_WITHIN_S
    while not there():
        assert time.monotonic() < ends, f"did not arrive: {what}"
        time.sleep(0.2)


def test_promtool_and_the_prober_find_no_fault_in_what_they_are_told(tmp_path: Path) -> None:
    stack = settings()
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rules(stack)))
    text = yaml.safe_dump(scrape.configuration(stack))
    (tmp_path / "prometheus.yaml").write_text(text.replace(scrape.RULES_FILE, str(tmp_path / "rules.yaml")))
    (tmp_path / "blackbox.yaml").write_text(yaml.safe_dump(scrape.blackbox()))
    code, words = run("promtool", "check", "config", str(tmp_path / "prometheus.yaml"))
    assert code == 0, words
    asked = ("--config.check", f"--config.file={tmp_path}/blackbox.yaml")
    code, words = run("prometheus-blackbox-exporter", *asked)
    assert code == 0, words


def test_the_watchdog_arrives_while_all_is_well(bench: Bench) -> None:
    _await("the watchdog", lambda: bench.arrived("watchdog"))
    assert bench.pages("OrkaHealthFailing", "trigger") == []


def test_degraded_with_200_pages_and_shows_and_its_end_too(bench: Bench) -> None:
    _await("the watchdog", lambda: bench.arrived("watchdog"))
    bench.said["status"] = "degraded"
    _await("the page", lambda: bench.pages("OrkaHealthFailing", "trigger"))
    _await("the line in Slack", lambda: bench.lines("FIRING", "OrkaHealthFailing"))
    page = bench.pages("OrkaHealthFailing", "trigger")[0]
    assert page["payload"]["severity"] == "critical"
    assert page["links"][0]["href"].endswith("docs/runbook.md#orkahealthfailing")
    assert "backend has not been healthy" in page["payload"]["custom_details"]["summary"]
    bench.said["status"] = "healthy"
    _await("the end of the page", lambda: bench.pages("OrkaHealthFailing", "resolve"))
    _await("the end in Slack", lambda: bench.lines("RESOLVED", "OrkaHealthFailing"))
    assert bench.pages("OrkaHealthFailing", "resolve")[0]["dedup_key"] == page["dedup_key"]


WELL, ILL = {"status": "healthy"}, {"status": "degraded"}


@pytest.mark.parametrize(
    ("said", "well"),
    [
        ({**WELL, "checks": {"db": ILL}}, True),
        ({"checks": {"db": {**ILL, "of": [ILL, {"at": {}}]}}, "note": 'a "{" in it', **WELL}, True),
        ({**ILL, "checks": {"db": WELL}}, False),
        ({"checks": {"db": {"of": [WELL]}, "cache": WELL}, **ILL}, False),
        ({"note": '"status": "healthy"', **ILL}, False),
        ({"note": '{"status": "healthy"}', **ILL}, False),
        ({"status": {"status": "healthy"}}, False),
        ({}, False),
    ],
)
def test_a_health_address_is_judged_by_its_own_field_and_not_by_that_of_a_part(
    bench: Bench, said: dict[str, object], *, well: bool
) -> None:
    before = dict(bench.said)
    bench.said.clear()
    bench.said.update(said)
    try:
        assert bench.judged_well() == well
    finally:
        bench.said.clear()
        bench.said.update(before)


def test_what_only_warns_pages_nobody(bench: Bench) -> None:
    """The exporters of Redis and PostgreSQL are not there."""
    _await("the warning", lambda: bench.lines("FIRING", "OrkaTargetDown"))
    assert bench.pages("OrkaTargetDown", "trigger") == []


def test_a_test_alert_is_fired_seen_to_arrive_and_resolved(
    bench: Bench, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["alerts", "test", "--alertmanager", bench.alertmanager]) == 0
    said = capsys.readouterr().out.splitlines()
    # Which channel takes it first is theirs to decide.
    assert sorted(said[:2]) == ["pagerduty: firing taken", "slack: firing taken"]
    assert sorted(said[2:]) == ["pagerduty: resolved taken", "slack: resolved taken"]
    assert bench.pages("OrkaAlertTest", "trigger")
    assert bench.pages("OrkaAlertTest", "resolve")
    assert bench.lines("RESOLVED", "OrkaAlertTest")


def test_in_the_cluster_it_is_reached_by_a_forwarded_port(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kubectl = tmp_path / "kubectl"
    here = f"127.0.0.1:{urlsplit(bench.alertmanager).port}"
    kubectl.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho "Forwarding from {here} -> 9093"\nexec sleep 60\n'
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert cli.main(["alerts", "test", "--context", "there"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    forwarded = "port-forward --namespace {} --address 127.0.0.1 service/{}\n"
    asked = (tmp_path / "asked").read_text()
    assert asked == f"--context there {forwarded.format('staging', 'alertmanager :http')}"
    elsewhere = ["--service", "alertmanager-operated", "--alertmanager-namespace", "monitoring"]
    assert cli.main(["alerts", "test", *elsewhere]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    asked = (tmp_path / "asked").read_text()
    assert asked == forwarded.format("monitoring", "alertmanager-operated :9093")
    monkeypatch.setenv("PATH", "/nonexistent")
    assert cli.main(["alerts", "test"]) == 3
    assert "kubectl is not on PATH" in capsys.readouterr().err


def test_a_channel_that_refuses_is_told_apart(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.turn_away("slack")
    try:
        assert cli.main(["alerts", "test", "--alertmanager", bench.alertmanager, "--wait", "20"]) == 1
    finally:
        bench.let_in()
    said = capsys.readouterr().out
    assert "pagerduty: firing taken" in said
    assert "slack: firing REFUSED" in said
