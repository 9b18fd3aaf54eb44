"""The rules of a stack as files, and the cases of `cases/` as promtool reads them."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from model import alerts
from model.faults import read_settings
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS, complete
from twin import debian_tools

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from model.settings import Settings

Json = dict[str, Any]
CASES = Path(__file__).parent / "cases"
SOURCE = alerts.read(CHECKOUT / "manifests" / "alerts.yaml")
ALWAYS_FIRING = {"Watchdog"}
"""Has no quiet case, because it has no quiet."""


def settings(**monitoring: Any) -> Settings:
    """The committed settings with everything that can be watched, and one job that the settings suspend."""
    config = complete()
    config["edge"]["tls"]["cluster-issuer"] = "letsencrypt"
    config["logging"]["sink"] = "file"
    config["images"]["fluentd"] = {"repository": "docker.io/fluent/x", "digest": f"sha256:{'1' * 64}"}
    config["monitoring"]["edge-metrics"]["targets"] = ["ingress.example.com:10254"]
    config["cron-jobs"]["scheduled-reports"]["suspended"] = True
    config["monitoring"] |= monitoring
    secrets = {**SECRETS, "fluentd-shared-key": "shared"}
    return read_settings({key: json.dumps(value) for key, value in config.items()}, secrets)


def rules(stack: Settings) -> Json:
    """Its rule groups."""
    return alerts.render(SOURCE, stack)


def every_rule() -> Json:
    """The groups of the stack's own Prometheus, and those that only an operator's is given."""
    groups = {
        group["name"]: group
        for mode in ("operator", "standalone")
        for group in rules(settings(mode=mode))["groups"]
    }
    return {"groups": list(groups.values())}


@dataclass(frozen=True)
class Case:
    """One alert, the series around it, and what it is to become of them: nothing, or `fires`."""

    file: str
    alert: str
    series: Mapping[str, str]
    at: str
    interval: str = "1m"
    evaluated: str = ""
    """How often, where that is not with every sample: windows then end between samples, as they really do."""
    because: str = ""
    fires: tuple[Json, ...] = field(default_factory=tuple)

    def __str__(self) -> str:
        """Return the name of the test."""
        kind = "fires" if self.fires else "is quiet"
        return f"{self.alert} {kind}" + (f" ({self.because})" if self.because else "")


def cases() -> Iterator[Case]:
    """Every case of every file, of an edge that is ingress-nginx."""
    for file in sorted(CASES.glob("*.yaml")):
        yield from _of(file)


def cases_of_edge(edge: str) -> list[Case]:
    """Those of one of the other edges, whose series have other names."""
    return list(_of(CASES / "edges" / f"{edge}.yaml"))


def _of(file: Path) -> Iterator[Case]:
    for raw in yaml.safe_load(file.read_text()):
        yield Case(file.name, **{**raw, "fires": tuple(raw.get("fires", ()))})


def around(alert: str, document: Json) -> Json:
    """The rules without other groups' alerts: promtool would evaluate them all, at every step of a case."""
    return {
        "groups": [
            group
            for group in document["groups"]
            if any("record" in rule or rule.get("alert") == alert for rule in group["rules"])
        ]
    }


def test_file(rule_file: Path, case: Case) -> Json:
    """What `promtool test rules` reads; the labels and annotations that every alert has are added."""
    groups = yaml.safe_load(rule_file.read_text())["groups"]
    rule = next(rule for group in groups for rule in group["rules"] if rule.get("alert") == case.alert)
    expected = [
        {
            "exp_labels": {**one.get("labels", {}), **rule["labels"]},
            "exp_annotations": {**rule["annotations"], "summary": one["summary"]},
        }
        for one in case.fires
    ]
    return {
        "rule_files": [str(rule_file)],
        "evaluation_interval": case.evaluated or case.interval,
        # Otherwise in any order, and what one group takes from another is older now and then.
        "group_eval_order": [group["name"] for group in groups],
        "tests": [
            {
                "name": str(case),
                "interval": case.interval,
                "input_series": [{"series": key, "values": value} for key, value in case.series.items()],
                "alert_rule_test": [
                    {"eval_time": case.at, "alertname": case.alert, "exp_alerts": expected},
                ],
            }
        ],
    }


def run(program: str, *arguments: str) -> tuple[int, str]:
    """Exit code and words of one of Debian's programs."""
    done = subprocess.run(
        [str(debian_tools.program(program)), *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout
