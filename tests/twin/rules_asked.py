"""Which of the source's rules the twin's Prometheus is asked about, and which not, with the reason. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from model import alerts as source
from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_LOADED = "orka-availability"
"""Three days are hours here: one test would spend the budget of all that follow. Its series are asked for."""
OTHER_EDGES = {
    "orka-edge-ingress-nginx": "the twin's edge is Caddy; of ingress-nginx there is no program here",
    "orka-edge-traefik": "the twin's edge is Caddy; of Traefik there is no program here",
}
"""Each edge has a set of its own; promtool judges these, by series with the names that they really have."""
LEFT_OUT = {
    "orka-logs": "fluentd's image is in no registry that the twin reaches",
    "orka-cert-manager": "only an operator's Prometheus asks cert-manager, which the twin has not",
}
"""Groups of the source whose alerts find nothing on the twin; promtool alone judges them."""
MOST_ALERTS_LEFT_OUT = 3


def groups() -> tuple[source.Group, ...]:
    """The source's."""
    return source.read(CHECKOUT / "manifests" / "alerts.yaml").groups


def expressions(name: str) -> list[str]:
    """Those of one group of the source."""
    return [rule.expr for group in groups() if group.name == name for rule in group.rules]


def left_out(loaded: Iterable[source.Json]) -> dict[str, list[source.Rule]]:
    """The source's rules that are not in those groups, recording rules too, by their own group."""
    there = {
        (group["name"], rule.get("alert") or rule["record"]) for group in loaded for rule in group["rules"]
    }
    found = {
        group.name: [rule for rule in group.rules if (group.name, rule.alert or rule.record) not in there]
        for group in groups()
    }
    return {name: rules for name, rules in found.items() if rules}


def alerts_of(rules: Iterable[source.Rule]) -> set[str]:
    """Without what is only recorded."""
    return {rule.alert for rule in rules if rule.alert}


def selectors(expression: str) -> set[str]:
    """The series that an expression of ours asks for, with their labels: all our names have `_` or `:`."""
    plain = re.sub(r"(?:by|on|ignoring|group_left)\s*\([^)]*\)", " ", expression)
    # No function, whose name a bracket follows.
    return set(re.findall(r'(?<![\w"])(?:up|[a-z][a-z0-9]*[_:][a-z0-9_:]+)\b(?!\s*\()(?:\{[^}]*\})?', plain))
