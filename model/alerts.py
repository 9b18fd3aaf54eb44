"""Renders `manifests/alerts.yaml` for a stack: thresholds from settings, cron jobs' limits from schedules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from model import cron_limits
from model.alert_values import values_of
from model.settings_base import Strict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from model.settings import Settings

# libyaml's, where it is there: ten times as fast, and every preview waits for it.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

Json = dict[str, Any]
_TIME = re.compile(r"<(\d+)([smhd])>")
_NAME = re.compile(r"\$\{([a-z0-9-]+)\}")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Rule(Strict):
    """One rule of the source: an alert, or a recorded series."""

    alert: str | None = None
    record: str | None = None
    expr: str
    for_: str | None = None
    keep: str | None = None
    """For how long it goes on after its condition has ended."""
    severity: str = "none"
    priority: str = ""
    service: str = ""
    rollback: bool = False
    description: str = ""
    summary: str = ""


class Group(Strict):
    """Rules that make sense under one condition."""

    name: str
    when: str
    rules: tuple[Rule, ...]


@dataclass(frozen=True, kw_only=True)
class Source:
    """The source, read and checked."""

    groups: tuple[Group, ...]

    def alerts(self) -> list[str]:
        """Every alert's name, whatever the settings are."""
        return [rule.alert for group in self.groups for rule in group.rules if rule.alert]


def read(path: Path) -> Source:
    """The source of all rules."""
    document = yaml.load(path.read_text(), Loader=LOADER)  # noqa: S506 - both of them are safe
    return Source(groups=tuple(_group(group) for group in document["groups"]))


def _group(raw: Json) -> Group:
    rules = [
        {("for-" if key == "for" else key): value for key, value in rule.items()} for rule in raw["rules"]
    ]
    return Group.model_validate({**raw, "rules": tuple(Rule.model_validate(rule) for rule in rules)})


def conditions(settings: Settings) -> frozenset[str]:
    """What is watched under these settings: the values of `when` that hold."""
    monitoring = settings.monitoring
    found = {"always", "health", "kubernetes", "redis", "database", "certificates"}
    if monitoring.mode == "standalone":
        found.add("standalone")
    # An operator's Prometheus scrapes the ingress controller by the controller's own monitor.
    if monitoring.edge_metrics.targets or monitoring.mode == "operator":
        found |= {"edge", f"edge-{monitoring.edge_metrics.source}"}
        if monitoring.thresholds.availability_percent is not None:
            found.add("availability")
    # Only a Prometheus of the whole cluster asks cert-manager.
    if monitoring.mode == "operator" and settings.edge.tls.cluster_issuer:
        found.add("cert-manager")
    if settings.logging.sink != "none":
        found.add("logs")
    return frozenset(found)


def render(source: Source, settings: Settings) -> Json:
    """The rule groups as Prometheus reads them, and as a PrometheusRule's `spec` has them."""
    holding, values = conditions(settings), values_of(settings)
    groups = [_rendered(group, values, settings) for group in source.groups if group.when in holding]
    return {"groups": [_facts(settings), *groups]}


def _facts(settings: Settings) -> Json:
    """What is known without measuring: what each cron job may take."""
    # Nothing of the release: with every one Prometheus would begin anew, and forget since when what is wrong.
    rules: list[Json] = []
    for job, limit in cron_limits.limits(settings).items():
        rules += [
            {
                "record": "orka:cronjob_max_age_seconds",
                "expr": f"vector({limit.age_s})",
                "labels": {"cronjob": job, **_whose(settings)},
            },
            {
                "record": "orka:cronjob_deadline_seconds",
                "expr": f"vector({limit.deadline_s})",
                "labels": {"owner_name": job, **_whose(settings)},
            },
        ]
    return {"name": "orka-facts", "rules": rules}


def _whose(settings: Settings) -> dict[str, str]:
    """Without it two stacks that one Prometheus watches would record the same series."""
    return {"namespace": settings.cluster.namespace}


def _rendered(group: Group, values: Mapping[str, str], settings: Settings) -> Json:
    return {"name": group.name, "rules": [_rule(rule, values, settings) for rule in group.rules]}


def _rule(rule: Rule, values: Mapping[str, str], settings: Settings) -> Json:
    divisor = settings.monitoring.clock_divisor

    def filled(text: str) -> str:
        named = _NAME.sub(lambda name: values[name[1]], text)
        return _TIME.sub(lambda time: _shortened(time, divisor), named)

    if rule.record:
        return {"record": rule.record, "expr": filled(rule.expr), "labels": _whose(settings)}
    labels = {
        "severity": rule.severity,
        "priority": rule.priority,
        "team": settings.monitoring.team,
        "service": rule.service,
        "namespace": settings.cluster.namespace,
        **({"rollback": "true"} if rule.rollback else {}),
    }
    return {
        "alert": rule.alert,
        "expr": filled(rule.expr),
        **({"for": filled(rule.for_)} if rule.for_ else {}),
        **({"keep_firing_for": filled(rule.keep)} if rule.keep else {}),
        "labels": labels,
        "annotations": {
            "summary": filled(rule.summary),
            "description": filled(rule.description),
            "runbook_url": f"{settings.monitoring.runbook_url}#{anchor(rule.alert or '')}",
        },
    }


def anchor(alert: str) -> str:
    """Where the runbook explains it: the anchor that a heading of its name gets."""
    return alert.lower()


def _shortened(time: re.Match[str], divisor: int) -> str:
    seconds = max(1, int(time[1]) * _SECONDS[time[2]] // divisor)
    for unit in ("h", "m"):
        if seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"


def names(groups: Iterable[Json]) -> list[str]:
    """The alerts among rendered groups."""
    return [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
