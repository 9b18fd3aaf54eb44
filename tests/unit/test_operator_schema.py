"""What an operator of the cluster is told is what it understands, field by field."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.unit.harness import SECRETS, complete, manifests, run_program
from tests.unit.operator_schema import KINDS, faults, without_descriptions

GROUP = "monitoring.coreos.com/"
WATCHDOG = "https://example.com/ping"
PLACE = ("spec", "receivers", 1, "pagerdutyConfigs", 0)


def _objects(*, channels: bool = True, watchdog: bool = True) -> list[dict[str, Any]]:
    """Everything that the operator can be told of."""
    config = complete()
    config["monitoring"] |= {"mode": "operator", "watchdog-url": WATCHDOG if watchdog else None}
    config["edge"]["tls"]["cluster-issuer"] = "letsencrypt"
    config["logging"]["sink"] = "file"
    config["images"]["fluentd"] = {"repository": "docker.io/fluent/x", "digest": f"sha256:{'1' * 64}"}
    keys = {
        "slack-webhook-url": "https://hooks.slack.com/services/T0/B0/canary",
        "pagerduty-api-key": "0" * 32,
    }
    shared = {"fluentd-shared-key": "shared"}
    run = run_program(config, {**SECRETS, **shared, **(keys if channels else {})})
    assert run.error is None
    return [one for one in manifests(run).values() if one.get("apiVersion", "").startswith(GROUP)]


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    return _objects()


def _one(objects: list[dict[str, Any]], kind: str) -> dict[str, Any]:
    return copy.deepcopy(next(one for one in objects if one["kind"] == kind))


def test_every_object_is_what_the_operator_understands(objects: list[dict[str, Any]]) -> None:
    assert {one["kind"] for one in objects} == set(KINDS)
    found = {f"{one['kind']} {one['metadata']['name']}": faults(one) for one in objects}
    assert {name: told for name, told in found.items() if told} == {}
    assert len(found) == len(objects) > 10


def test_the_host_of_a_probe_may_be_longer_than_the_value_of_a_label() -> None:
    config = complete()
    config["monitoring"]["mode"] = "operator"
    config["edge"]["api-host"] = f"{'a' * 60}.staging.example.com"
    objects = list(manifests(run_program(config)).values())
    made = [one for one in objects if one["kind"] == "Probe"]
    assert max(len(one["metadata"]["name"]) for one in made) > 63
    assert all(len(value) <= 63 for one in objects for value in one["metadata"].get("labels", {}).values())
    assert {one["metadata"]["labels"]["app.kubernetes.io/name"] for one in made} == {
        "orka-health",
        "orka-certificates",
    }


def test_without_a_channel_and_a_watchdog_no_object_names_one() -> None:
    objects = _objects(channels=False, watchdog=False)
    assert {one["kind"] for one in objects} == set(KINDS) - {"AlertmanagerConfig"}
    assert [fault for one in objects for fault in faults(one)] == []


def test_a_watchdog_is_told_without_any_channel() -> None:
    config = _one(_objects(channels=False), "AlertmanagerConfig")
    told = [one for one in config["spec"]["receivers"] if len(one) > 1]
    assert told == [{"name": "watchdog", "webhookConfigs": [{"url": WATCHDOG, "sendResolved": False}]}]
    assert faults(config) == []


@pytest.mark.parametrize(
    ("kind", "path", "value", "told"),
    [
        ("ServiceMonitor", ("spec", "endpoints", 0, "honourLabels"), True, "'honourLabels' was unexpected"),
        ("ServiceMonitor", ("spec", "endpoints", 0, "interval"), "30", "does not match"),
        ("ServiceMonitor", ("spec", "selector"), None, "None is not of type 'object'"),
        ("Probe", ("spec", "prober", "uri"), "x:1", "'uri' was unexpected"),
        ("Probe", ("spec", "targets", "staticConfig", "static"), "x", "'x' is not of type 'array'"),
        ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "severity"), "x", "'severity' was unexpected"),
        ("PrometheusRule", ("spec", "groups", 1, "rules", 0, "for"), "5 minutes", "does not match"),
        ("AlertmanagerConfig", (*PLACE, "routingKeyFile"), "/x", "'routingKeyFile' was unexpected"),
        ("AlertmanagerConfig", (*PLACE, "routingKey"), {"name": "x"}, "'key' is a required property"),
        ("AlertmanagerConfig", ("spec", "route", "routes", 0, "reciever"), "x", "'reciever' was unexpected"),
        ("AlertmanagerConfig", ("spec", "route", "routes", 2, "continue"), "yes", "is not of type 'boolean'"),
        ("AlertmanagerConfig", ("spec", "inhibitRules", 0, "targetMatchers"), [], "was unexpected"),
    ],
)
def test_a_misspelt_or_mistyped_field_is_named(
    objects: list[dict[str, Any]], kind: str, path: tuple[str | int, ...], value: Any, told: str
) -> None:
    manifest = _one(objects, kind)
    place: Any = manifest
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert any(told in fault for fault in faults(manifest)), faults(manifest)


def test_a_version_that_the_operator_lacks_is_an_error(objects: list[dict[str, Any]]) -> None:
    with pytest.raises(FileNotFoundError):
        faults({**_one(objects, "Probe"), "apiVersion": f"{GROUP}v1alpha1"})


def test_prose_is_left_out_and_a_field_called_so_is_not() -> None:
    text = {"type": "string", "description": "prose"}
    schema = {"description": "prose", "properties": {"description": text}}
    assert without_descriptions(schema) == {"properties": {"description": {"type": "string"}}}
