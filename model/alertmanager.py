"""Alertmanager's own configuration, for the one in the stack; of secrets it has the files alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.alert_routes import (
    CHAT,
    EVERYBODY,
    GROUP_BY,
    INHIBITIONS,
    NOBODY,
    PAGER,
    ROOT,
    ROUTES,
    WATCHDOG,
    Channels,
    Inhibition,
    Route,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.alert_routes import Matcher
    from model.settings import Settings

Json = dict[str, Any]
SECRETS_MOUNT = "/etc/orka-alertmanager-secrets"
SLACK_FILE, PAGERDUTY_FILE = "slack-webhook-url", "pagerduty-api-key"
TITLE = "{{ .Status | toUpper }}: {{ .CommonLabels.alertname }} ({{ .CommonLabels.namespace }})"
SUMMARIES = "{{ range .Alerts }}{{ .Annotations.summary }}\n{{ end }}"
DESCRIPTION = "{{ .CommonAnnotations.description }}"
RUNBOOK = "{{ (index .Alerts 0).Annotations.runbook_url }}"
# PagerDuty knows four severities, and `none` is not one of them.
SEVERITY = '{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}warning{{ end }}'
DETAILS = {
    "firing": "{{ .Alerts.Firing | len }}",
    "summary": SUMMARIES,
    "description": DESCRIPTION,
    "runbook": RUNBOOK,
}


def configuration(settings: Settings, channels: Channels) -> Json:
    """The whole file."""
    divisor = settings.monitoring.clock_divisor
    return {
        "global": {"resolve_timeout": "5m"},
        "route": {
            **route(ROOT, divisor),
            "group_by": list(GROUP_BY),
            "routes": [route(one, divisor) for one in ROUTES],
        },
        "receivers": receivers(settings, channels),
        "inhibit_rules": [_inhibition(rule) for rule in INHIBITIONS],
    }


def _seconds(number: int | None, divisor: int) -> str | None:
    return None if number is None else f"{max(1, number // divisor) if number else 0}s"


def route(route: Route, divisor: int) -> Json:
    """One route; what it does not say is left out."""
    made = {
        "receiver": route.receiver,
        "matchers": _matchers(route.matchers),
        "continue": route.goes_on,
        "group_wait": _seconds(route.wait_s, divisor),
        "group_interval": _seconds(route.interval_s, divisor),
        "repeat_interval": _seconds(route.repeat_s, divisor),
    }
    return {key: value for key, value in made.items() if value}


def _matchers(matchers: Sequence[Matcher]) -> list[str]:
    return [str(matcher) for matcher in matchers]


def _inhibition(rule: Inhibition) -> Json:
    return {
        "source_matchers": _matchers(rule.cause),
        "target_matchers": _matchers(rule.symptom),
        "equal": list(rule.equal),
    }


def receivers(settings: Settings, channels: Channels) -> list[Json]:
    """Every receiver of the routes; one whose channel is missing is there and tells nobody."""
    slack = {"slack_configs": [_slack()]} if channels.slack else {}
    pager = {"pagerduty_configs": [_pagerduty(settings)]} if channels.pagerduty else {}
    url = settings.monitoring.watchdog_url
    webhook = {"webhook_configs": [{"url": url, "send_resolved": False}]} if url else {}
    return [
        {"name": NOBODY},
        {"name": PAGER, **pager},
        {"name": CHAT, **slack},
        {"name": EVERYBODY, **pager, **slack},
        {"name": WATCHDOG, **webhook},
    ]


def _slack() -> Json:
    return {
        "api_url_file": f"{SECRETS_MOUNT}/{SLACK_FILE}",
        "send_resolved": True,
        "title": TITLE,
        "title_link": RUNBOOK,
        "text": SUMMARIES + DESCRIPTION,
    }


def _pagerduty(settings: Settings) -> Json:
    return {
        "routing_key_file": f"{SECRETS_MOUNT}/{PAGERDUTY_FILE}",
        "url": settings.monitoring.pagerduty_url,
        "send_resolved": True,
        "severity": SEVERITY,
        "description": TITLE,
        "class": "{{ .CommonLabels.alertname }}",
        "component": "{{ .CommonLabels.service }}",
        "group": "{{ .CommonLabels.namespace }}",
        "details": DETAILS,
        "links": [{"href": RUNBOOK, "text": "runbook"}],
    }
