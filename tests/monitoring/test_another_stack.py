"""Under an operator's Prometheus another stack, asked under the same names, changes nothing of ours."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.monitoring import support
from tests.monitoring.support import Case, cases, rules, run, settings

if TYPE_CHECKING:
    from pathlib import Path

SCRAPED = tuple(f'{{job="orka-{job}"' for job in ("health", "redis", "database", "logs", "certificates"))
FIRING = [
    case for case in cases() if case.fires and any(job in series for job in SCRAPED for series in case.series)
]
OF_WHAT_IS_NOT_THERE = ("OrkaHealthUnknown", "OrkaTargetMissing")


def _of(case: Case, namespace: str) -> dict[str, str]:
    """The series of the case as those of a stack in this namespace."""
    return {
        series.replace("{", f'{{namespace="{namespace}",', 1): told for series, told in case.series.items()
    }


def _judged(folder: Path, case: Case) -> tuple[int, str]:
    groups = rules(settings(mode="operator"))
    (folder / "rules.yaml").write_text(yaml.safe_dump(support.around(case.alert, groups)))
    (folder / "test.yaml").write_text(yaml.safe_dump(support.test_file(folder / "rules.yaml", case)))
    return run("promtool", "test", "rules", str(folder / "test.yaml"))


def test_every_alert_of_what_is_scraped_is_among_them() -> None:
    source = {
        rule.alert
        for group in support.SOURCE.groups
        for rule in group.rules
        if rule.alert and re.search(r"\$\{(here|in-jobs|missing-jobs)\}", rule.expr)
    }
    assert {case.alert for case in FIRING} == source
    assert len(source) > 12


@pytest.mark.parametrize("case", FIRING, ids=str)
def test_it_fires_for_our_own_series(tmp_path: Path, case: Case) -> None:
    code, words = _judged(tmp_path, replace(case, series=_of(case, "staging")))
    assert code == 0, words


@pytest.mark.parametrize("case", [case for case in FIRING if case.alert not in OF_WHAT_IS_NOT_THERE], ids=str)
def test_it_is_quiet_for_those_of_another_stack(tmp_path: Path, case: Case) -> None:
    code, words = _judged(tmp_path, replace(case, series=_of(case, "qa"), fires=()))
    assert code == 0, words


@pytest.mark.parametrize("alert", OF_WHAT_IS_NOT_THERE)
def test_what_another_stack_has_is_missed_all_the_same(tmp_path: Path, alert: str) -> None:
    known = next(case for case in FIRING if case.alert == alert)
    there = next(case for case in cases() if case.alert == alert and not case.fires)
    told = {**_of(known, "staging"), **_of(there, "qa")}
    code, words = _judged(tmp_path, replace(known, series=told))
    assert code == 0, words
