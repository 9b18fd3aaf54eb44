"""The Prometheus of the stack scrapes every backend pod and evaluates the rules it was given."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import psycopg
import pytest
import yaml

from model.monitoring_parts import PORTS
from model.scrape import BACKEND_PODS
from tests.twin.alerts import ask, await_that
from tests.twin.conftest import PATHS
from twin import database

if TYPE_CHECKING:
    from tests.twin.stack import Stack

# The scrape interval is 30 s, and found targets are looked up every 15 s.
SCRAPED_WITHIN_S = 90


def test_every_backend_pod_is_scraped(deployed: Stack) -> None:
    pods = json.loads(
        deployed.kubectl("get", "pods", "-l", "app.kubernetes.io/name=backend", "--output", "json")
    )["items"]
    wanted = {f"{pod['status']['podIP']}:8000" for pod in pods if pod["status"]["phase"] == "Running"}
    deadline = time.monotonic() + SCRAPED_WITHIN_S
    while True:
        targets = ask(deployed, "targets?state=active")["activeTargets"]
        up = {
            target["labels"]["instance"]
            for target in targets
            if target["labels"]["job"] == "orka-backend" and target["health"] == "up"
        }
        if up >= wanted:
            break
        assert time.monotonic() < deadline, targets
        time.sleep(1)
    assert len(wanted) == 2


def test_every_graph_can_show_the_release(deployed: Stack) -> None:
    wanted = deployed.outputs()["release_id"]

    def shown() -> list[str]:
        found = ask(deployed, "query?query=orka_release_info")["result"]
        return [one["metric"]["release"] for one in found]

    await_that("the release of now, and no other", lambda: shown() == [wanted])


def test_the_rules_of_the_repository_are_loaded_and_evaluate(deployed: Stack) -> None:
    written = json.loads(deployed.kubectl("get", "configmaps", "--output", "json"))["items"]
    text = next(item["data"]["rules.yaml"] for item in written if "rules.yaml" in item.get("data", {}))
    wanted = {
        rule.get("alert") or rule["record"]
        for group in yaml.safe_load(text)["groups"]
        for rule in group["rules"]
    }
    deadline = time.monotonic() + SCRAPED_WITHIN_S
    while True:
        rules = [rule for group in ask(deployed, "rules")["groups"] for rule in group["rules"]]
        if rules and all(rule["health"] == "ok" for rule in rules):
            break
        assert time.monotonic() < deadline, rules
        time.sleep(1)
    assert {rule["name"] for rule in rules} == wanted
    # A recorded rule has no state.
    firing = {rule["name"] for rule in rules if rule.get("state") == "firing"}
    assert "Watchdog" in firing


def _of_monitoring(stack: Stack) -> set[str]:
    """Every object of the namespace that has a name of monitoring's, with its kind; its login too."""
    kinds = stack.run("kubectl", "api-resources", "--namespaced", "--verbs=list", "--output=name").output
    # What happened to an object is kept for an hour, whether it is there or not.
    asked = ",".join(kind for kind in kinds.split() if not kind.startswith("events"))
    names = stack.kubectl("get", asked, "--output=name").split()
    objects = {name for name in names if name.partition("/")[2].startswith((*PORTS, BACKEND_PODS))}
    with psycopg.connect(database.admin_url(PATHS)) as connection:
        logins = connection.execute("SELECT rolname FROM pg_roles WHERE rolname LIKE 'orka\\_monitor\\_%'")
        return objects | {f"role/{name}" for (name,) in logins}


@pytest.mark.soak("takes all of monitoring away and deploys it anew")
def test_without_monitoring_nothing_of_it_is_left_and_the_gate_passes(stack: Stack) -> None:
    there = {name.partition("/")[2].removeprefix("orka_") for name in _of_monitoring(stack)}
    wanted = {*PORTS, BACKEND_PODS, "monitor_1"}
    assert {part for part in wanted if any(name.startswith(part) for name in there)} == wanted
    stack.set("orka-ppm:monitoring.mode", "none")
    without = stack.up()
    assert without.code == 0, without
    await_that("nothing of it is left", lambda: not _of_monitoring(stack))
