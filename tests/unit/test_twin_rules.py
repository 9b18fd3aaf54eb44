"""Which rules of the source the twin is not asked about: those that are listed, and promtool judges them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from model import alerts
from model.faults import read_settings
from model.merge import merged
from tests.monitoring.support import Case, cases, cases_of_edge
from tests.twin.rules_asked import (
    LEFT_OUT,
    MOST_ALERTS_LEFT_OUT,
    NOT_LOADED,
    OTHER_EDGES,
    alerts_of,
    groups,
    left_out,
    selectors,
)
from tests.unit.given import DIGESTS, committed
from twin import stack_file
from twin.paths import Paths

if TYPE_CHECKING:
    from pathlib import Path


def _loaded(tmp_path: Path) -> list[alerts.Json]:
    """The groups of rules that the program renders from the twin's settings."""
    paths = Paths(checkout=tmp_path, data=tmp_path, state=tmp_path, run=tmp_path)
    images = {name: f"localhost:5000/orka/{name}@{digest}" for name, digest in DIGESTS.items()}
    overlay = stack_file.overlay(paths, images)
    config = merged(committed(), {key.removeprefix("orka-ppm:"): value for key, value in overlay.items()})
    settings = read_settings(
        {key: json.dumps(value) for key, value in config.items()}, stack_file.given_secrets(paths)
    )
    return list(alerts.render(alerts.Source(groups=groups()), settings)["groups"])


def test_what_the_twin_does_not_load_is_listed_with_a_reason(tmp_path: Path) -> None:
    assert set(left_out(_loaded(tmp_path))) == {NOT_LOADED, *OTHER_EDGES, *LEFT_OUT}
    assert all({**OTHER_EDGES, **LEFT_OUT}.values())


def test_a_rule_that_is_only_recorded_is_missed_too(tmp_path: Path) -> None:
    loaded = _loaded(tmp_path)
    [edge] = [group for group in loaded if group["name"] == "orka-edge-caddy"]
    gone = edge["rules"].pop()
    assert [rule.record for rule in left_out(loaded)["orka-edge-caddy"]] == [gone["record"]]


def test_three_alerts_at_most_are_asked_nowhere_but_of_promtool() -> None:
    left = {alert for group in groups() if group.name in LEFT_OUT for alert in alerts_of(group.rules)}
    assert len(left) <= MOST_ALERTS_LEFT_OUT
    unasked = [group for group in groups() if group.name in {NOT_LOADED, *LEFT_OUT}]
    judged = {case.alert for case in cases() if case.fires}
    assert {alert for group in unasked for alert in alerts_of(group.rules)} <= judged


@pytest.mark.parametrize("group", OTHER_EDGES)
def test_rules_of_an_edge_that_the_twin_has_not_are_judged_by_promtool_with_series(group: str) -> None:
    edge = group.removeprefix("orka-edge-")
    own: list[Case] = list(cases()) if edge == "ingress-nginx" else cases_of_edge(edge)
    shown = {series.partition("{")[0] for case in own if case.fires for series in case.series}
    [rules] = [one.rules for one in groups() if one.name == group]
    assert not alerts_of(rules)
    for rule in rules:
        filled = re.sub(r"\$\{[\w-]+\}", "x", rule.expr)
        asked = {selector.partition("{")[0] for selector in selectors(filled)}
        assert asked
        assert asked <= shown, rule.record
