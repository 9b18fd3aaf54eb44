"""The rules follow the settings, and everybody who is alerted finds what to do."""

from __future__ import annotations

import json
import re

import pytest

from model import alerts, health, scrape
from model.alert_routes import BURN_ALERTS
from model.alert_values import values_of
from model.cron_limits import limits
from model.faults import read_settings
from model.schedule import longest_gap_s
from tests.checkout import CHECKOUT
from tests.monitoring.support import SOURCE, every_rule, rules, settings
from tests.unit.harness import SECRETS, complete

SHIPPED = rules(settings())["groups"]
OPERATORS = {"OrkaCertificateNotReady"}
"""What only a Prometheus of the whole cluster can know."""


def _alerts(groups: list[alerts.Json]) -> list[alerts.Json]:
    return [rule for group in groups for rule in group["rules"] if "alert" in rule]


def _left_out(groups: list[alerts.Json]) -> set[str]:
    return set(SOURCE.alerts()) - set(alerts.names(groups))


def _rule(groups: list[alerts.Json], alert: str) -> alerts.Json:
    return next(rule for group in groups for rule in group["rules"] if rule.get("alert") == alert)


def test_the_runbook_has_a_section_for_every_alert_and_for_nothing_else() -> None:
    headings = re.findall(r"^## (.+)$", (CHECKOUT / "docs" / "runbook.md").read_text(), re.MULTILINE)
    assert headings == SOURCE.alerts()
    everywhere = [rule for group in every_rule()["groups"] for rule in group["rules"] if "alert" in rule]
    shipped = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in everywhere}
    assert {url.rpartition("#")[2] for url in shipped.values()} <= {alerts.anchor(name) for name in headings}
    assert set(shipped) == set(SOURCE.alerts())


PRIORITIES = {"critical": {"P1"}, "warning": {"P2", "P3", "P4"}, "none": {"P4"}}


@pytest.mark.parametrize("rule", _alerts(every_rule()["groups"]), ids=lambda rule: str(rule["alert"]))
def test_every_alert_says_how_bad_it_is_whose_and_where_and_what_it_means(rule: alerts.Json) -> None:
    labels, annotations = rule["labels"], rule["annotations"]
    assert labels["priority"] in PRIORITIES[labels["severity"]]
    assert labels["namespace"] == "staging"
    assert labels["team"] == "orka-ppm"
    assert labels["service"]
    assert set(annotations) == {"summary", "description", "runbook_url"}
    assert re.fullmatch(r"[A-Z].*[.?]", annotations["description"])
    assert len(annotations["summary"]) > 10
    # What differs from one case to the next belongs into the summary: channels show one description for many.
    assert "{{" not in annotations["description"]


def test_every_alert_is_of_the_team_of_the_settings() -> None:
    found = rules(settings(team="platform"))["groups"]
    assert {rule["labels"]["team"] for rule in _alerts(found)} == {"platform"}


def test_what_the_guide_calls_a_reason_to_go_back_is_labelled() -> None:
    labelled = {rule["alert"] for rule in _alerts(SHIPPED) if rule["labels"].get("rollback")}
    assert labelled == {"OrkaHealthFailing", "OrkaErrorRateHigh"}
    assert _rule(SHIPPED, "OrkaHealthFailing")["for"] == "5m"
    assert "> 0.05" in _rule(SHIPPED, "OrkaErrorRateHigh")["expr"]


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("0 * * * *", 1),
        ("*/5 * * * *", 1 / 12),
        ("0 0 * * 0", 7 * 24),
        ("0 6 * * *", 24),
        ("0 9-17 * * 1-5", 64),
        ("0 6 1 * *", 31 * 24),
        ("0 0 1 * 1", 7 * 24),
        ("0 0 */2 * 1", 2 * 24),
        ("0 0 */1 * 1", 7 * 24),
        ("0 0 ? * 1", 7 * 24),
        ("0 0 1,* * 1", 7 * 24),
        ("0 0 1 * */2", 2 * 24),
        ("0 0 29 2 *", 4 * 366 * 24 - 72),
    ],
)
def test_the_longest_gap_of_a_schedule_is_that_of_the_calendar(schedule: str, hours: float) -> None:
    assert longest_gap_s(schedule) == hours * 3600


def test_a_cron_jobs_limits_follow_its_schedule() -> None:
    found = limits(settings())
    assert found["model-training-job"].age_s == 7 * 86_400 + 7200 + 600
    assert found["embedding-generation-job"].age_s == 300 + 240 + 600
    recorded = {
        rule["labels"]["cronjob"]: rule["expr"]
        for rule in SHIPPED[0]["rules"]
        if rule["record"] == "orka:cronjob_max_age_seconds"
    }
    assert recorded == {job: f"vector({limit.age_s})" for job, limit in found.items()}


def test_a_rehearsal_shortens_waits_and_windows_and_no_threshold() -> None:
    quick = rules(settings(**{"clock-divisor": 10}))["groups"]
    assert _rule(quick, "OrkaHealthFailing")["for"] == "30s"
    assert "> 0.05" in _rule(quick, "OrkaErrorRateHigh")["expr"]
    assert "[30s]" in _rule(quick, "OrkaRedisRefusing")["expr"]
    assert "[1d]" in _rule(quick, "OrkaDatabaseGrowing")["expr"]


def test_without_counters_of_the_edge_nothing_is_said_about_traffic() -> None:
    groups = rules(settings(**{"edge-metrics": {"source": "ingress-nginx", "targets": []}}))["groups"]
    traffic = {"OrkaErrorRateHigh", "OrkaLatencyHigh", "OrkaLatencyElevated"}
    assert _left_out(groups) == {*OPERATORS, *traffic, *BURN_ALERTS}


def test_without_a_promise_no_budget_is_spent() -> None:
    groups = rules(settings(thresholds={"availability-percent": None}))["groups"]
    assert _left_out(groups) == {*OPERATORS, *BURN_ALERTS}


def test_a_budget_is_what_a_promise_leaves() -> None:
    half = rules(settings(thresholds={"availability-percent": 99.5}))["groups"]
    assert 'ratio_1h{namespace="staging"} > 0.0144 ' in _rule(SHIPPED, BURN_ALERTS[0])["expr"]
    assert 'ratio_1h{namespace="staging"} > 0.072 ' in _rule(half, BURN_ALERTS[0])["expr"]
    assert 'ratio_3d{namespace="staging"} > 0.001 ' in _rule(SHIPPED, BURN_ALERTS[1])["expr"]
    assert 'ratio_3d{namespace="staging"} > 0.005 ' in _rule(half, BURN_ALERTS[1])["expr"]


def test_only_the_share_of_errors_that_the_guide_names_wakes_somebody() -> None:
    """Of a promise of 99.9 % less is soon too much; it is shown, and four of a hundred page nobody."""
    traffic = [group for group in SHIPPED if group["name"] in ("orka-traffic", "orka-availability")]
    severities = {rule["alert"]: rule["labels"]["severity"] for group in traffic for rule in group["rules"]}
    pages = {alert for alert, severity in severities.items() if severity == "critical"}
    assert pages == {"OrkaErrorRateHigh"}
    assert set(BURN_ALERTS) <= set(severities)


def test_without_an_aggregator_or_an_issuer_nothing_is_said_about_them() -> None:
    plain = read_settings({key: json.dumps(value) for key, value in complete().items()}, SECRETS)
    named = alerts.names(rules(plain)["groups"])
    assert not {"OrkaLogsNotDelivered", "OrkaLogBufferFull", "OrkaCertificateNotReady"} & set(named)


@pytest.mark.parametrize(("place", "port"), [("", 443), (":8443", 8443)])
def test_a_page_hosted_elsewhere_is_watched_there_though_its_host_here_is_still_set(
    place: str, port: int
) -> None:
    config = complete()
    page = f"https://orka-staging.vercel.example{place}"
    config["frontend"] |= {"target": "external", "url": page}
    config["backend"]["cors-origins"] = [page]
    assert config["edge"]["frontend-host"]
    stack = read_settings({key: json.dumps(value) for key, value in config.items()}, SECRETS)
    assert [address for address, _ in scrape.certificate_probes(stack).values()] == [
        "api-staging.orka-ppm.example.com:443",
        f"orka-staging.vercel.example:{port}",
    ]
    assert values_of(stack)["hosts"] == "api-staging[.]orka-ppm[.]example[.]com"


def test_an_operators_prometheus_watches_itself() -> None:
    assert _left_out(rules(settings(mode="operator"))["groups"]) == {
        "OrkaAlertsNotDelivered",
        "OrkaAlertmanagerMissing",
        "OrkaRulesFailing",
    }


def test_a_health_address_that_nobody_answers_is_not_missed() -> None:
    """The application as it is has one health address; with the checker it has the guide's four."""
    assert len(health.watched(settings())) == 5
    assert "< 5" in _rule(SHIPPED, "OrkaHealthUnknown")["expr"]


def test_no_rule_takes_what_an_exporter_of_another_team_measures() -> None:
    """An operator's Prometheus has the series of everybody."""
    exporters = ("kube", "redis", "pg", "probe", "fluentd")
    series = re.compile(rf"\b(?:{'|'.join(exporters)})_\w+.{{13}}")
    expressions = [rule["expr"] for group in every_rule()["groups"] for rule in group["rules"]]
    asked = [one for expression in expressions for one in series.findall(expression)]
    assert {one.partition("_")[0] for one in asked} == set(exporters)
    assert [one for one in asked if '{job="orka-' not in one] == []
