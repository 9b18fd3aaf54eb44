"""promtool judges the rules: their syntax, and for every alert what makes it fire and what does not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.monitoring import support
from tests.monitoring.support import ALWAYS_FIRING, SOURCE, Case, cases, every_rule, rules, run, settings

if TYPE_CHECKING:
    from pathlib import Path

SOURCES = ("ingress-nginx", "traefik", "caddy")
LATENCY = "orka:edge_latency_seconds:p95_5m"
CASES = list(cases())
SHIPPED = [rule for group in every_rule()["groups"] for rule in group["rules"]]
RECORDED = {rule["record"]: rule["expr"] for rule in SHIPPED if "record" in rule}


@pytest.fixture(scope="module")
def rule_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped rules."""
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(yaml.safe_dump(every_rule()))
    return file


def _test(folder: Path, rule_file: Path, case: Case) -> tuple[int, str]:
    own = folder / "own.yaml"
    own.write_text(yaml.safe_dump(support.around(case.alert, yaml.safe_load(rule_file.read_text()))))
    file = folder / "test.yaml"
    file.write_text(yaml.safe_dump(support.test_file(own, case)))
    return run("promtool", "test", "rules", str(file))


@pytest.mark.parametrize("edge", SOURCES)
@pytest.mark.parametrize("mode", ["standalone", "operator"])
@pytest.mark.parametrize("divisor", [1, 20])
def test_promtool_finds_no_fault_in_the_rules(tmp_path: Path, edge: str, mode: str, divisor: int) -> None:
    stack = settings(
        mode=mode, **{"edge-metrics": {"source": edge, "targets": ["e:1"]}, "clock-divisor": divisor}
    )
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(rules(stack)))
    code, words = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", str(file))
    assert code == 0, words


def test_promtool_would_find_a_rule_that_stands_twice(tmp_path: Path) -> None:
    doubled = rules(settings())
    doubled["groups"][0]["rules"] *= 2
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(doubled))
    code, _ = run("promtool", "check", "rules", "--lint=all", "--lint-fatal", str(tmp_path / "rules.yaml"))
    assert code != 0


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_alert(tmp_path: Path, rule_file: Path, case: Case) -> None:
    code, words = _test(tmp_path, rule_file, case)
    assert code == 0, words


@pytest.mark.parametrize("alert", SOURCE.alerts())
def test_every_alert_has_a_firing_and_a_quiet_case(alert: str) -> None:
    kinds = {bool(case.fires) for case in CASES if case.alert == alert}
    assert kinds == ({True} if alert in ALWAYS_FIRING else {True, False})


def test_every_quiet_case_shows_the_alert_something_that_it_looks_at() -> None:
    """Without the alert's own series it would be quiet whatever the rule says."""
    looked_at = {
        rule["alert"]: set(re.findall(r"[a-z_:]+", _recorded(rule["expr"])))
        for rule in SHIPPED
        if "alert" in rule
    }
    for case in CASES:
        shown = {series.partition("{")[0] for series in case.series}
        assert case.fires or shown & looked_at[case.alert], case


def _recorded(expression: str) -> str:
    """The expression and, for what it takes from recorded series, theirs."""
    return " ".join([expression, *(found for name, found in RECORDED.items() if name in expression)])


@pytest.mark.parametrize("alert", [alert for alert in SOURCE.alerts() if alert not in ALWAYS_FIRING])
def test_the_cases_see_an_alert_that_never_fires_and_one_that_always_does(
    tmp_path: Path, rule_file: Path, alert: str
) -> None:
    own = [case for case in CASES if case.alert == alert]
    for expression in ("vector(1) < 0", "vector(1)"):
        broken = yaml.safe_load(rule_file.read_text())
        for group in broken["groups"]:
            for rule in group["rules"]:
                if rule.get("alert") == alert:
                    rule |= {"expr": expression, "for": "0s"}
        file = tmp_path / "broken.yaml"
        file.write_text(yaml.safe_dump(broken))
        assert any(_test(tmp_path, file, case)[0] != 0 for case in own), expression


OTHER_EDGES = {edge: support.cases_of_edge(edge) for edge in SOURCES[1:]}


def _rules_of(edge: str) -> support.Json:
    return rules(settings(**{"edge-metrics": {"source": edge, "targets": ["e:1"]}}))


@pytest.mark.parametrize(
    ("edge", "case"),
    [pytest.param(edge, case, id=f"{edge}: {case}") for edge, own in OTHER_EDGES.items() for case in own],
)
def test_other_edges_record_what_ingress_nginx_does(tmp_path: Path, edge: str, case: Case) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(_rules_of(edge)))
    code, words = _test(tmp_path, file, case)
    assert code == 0, words


@pytest.mark.parametrize("edge", OTHER_EDGES)
@pytest.mark.parametrize("record", ["orka:edge_requests:rate5m", "orka:edge_errors:rate5m", LATENCY])
def test_without_any_of_its_recording_rules_an_edge_s_cases_fail(
    tmp_path: Path, edge: str, record: str
) -> None:
    broken = _rules_of(edge)
    for group in broken["groups"]:
        group["rules"] = [rule for rule in group["rules"] if rule.get("record") != record]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump(broken))
    assert any(_test(tmp_path, file, case)[0] != 0 for case in OTHER_EDGES[edge])


@pytest.mark.parametrize("edge", OTHER_EDGES)
def test_another_edge_has_a_firing_and_a_quiet_case_of_errors_and_of_latency(edge: str) -> None:
    found = {(case.alert, bool(case.fires)) for case in OTHER_EDGES[edge]}
    alerts = ("OrkaErrorRateHigh", "OrkaLatencyHigh")
    assert found == {(alert, fires) for alert in alerts for fires in (True, False)}
