"""Monitoring under each mode: the same rules and routes, in the words of who reads them; or nothing."""

from __future__ import annotations

import json
import re
from typing import Any

import pulumi
import pytest
import yaml

from components.exporters import login_files
from components.monitoring import NOBODY_COUNTS, NOBODY_HEARS, NOBODY_MISSES
from model.monitoring_parts import EXPORTERS, PORTS
from tests.unit.harness import SECRETS, Run, complete, manifests, run_program
from tests.unit.other_settings import CHANNELS

WATCHED = {
    "edge-metrics": {"source": "ingress-nginx", "targets": ["ingress.example.com:10254"]},
    "watchdog-url": "https://watchdog.example.com/ping",
}


def _run(mode: str, keys: dict[str, str] | None = None, **monitoring: Any) -> Run:
    config = complete()
    config["monitoring"] |= {"mode": mode, **monitoring}
    return run_program(config, {**SECRETS, **(CHANNELS if keys is None else keys)})


@pytest.fixture(scope="module")
def standalone() -> Run:
    return _run("standalone")


@pytest.fixture(scope="module")
def operator() -> Run:
    return _run("operator")


def _config_map(run: Run, name: str, file: str) -> Any:
    return yaml.safe_load(run.one("ConfigMap", name).inputs["data"][file])


def _object(run: Run, kind: str, name: str) -> Any:
    found = [r for r in run.of(kind) if r.inputs["metadata"]["name"] == name]
    return found[0].inputs["spec"]


def test_without_monitoring_nothing_of_it_is_there() -> None:
    run = _run("none")
    names = {resource.name for resource in run.resources}
    assert not names & {*PORTS, "backend-pods", "monitoring", "monitor-1"}
    assert not [name for name in manifests(run) if "coreos" in name]
    assert [role for role in run.of("Role") if role.type.startswith("kubernetes:")] == []
    text = json.dumps([resource.inputs for resource in run.resources if "NetworkPolicy" in resource.type])
    assert not any(part in text for part in PORTS)


def test_an_operator_gets_the_same_rules(standalone: Run, operator: Run) -> None:
    own = _config_map(standalone, "prometheus", "rules.yaml")["groups"]
    theirs = _object(operator, "PrometheusRule", "orka-ppm")["groups"]
    by_name = {group["name"]: group["rules"] for group in own}
    shared = {group["name"]: group["rules"] for group in theirs if not group["name"].startswith("orka-edge-")}
    assert shared["orka-pods"] == by_name["orka-pods"]
    for name in ("orka-health", "orka-jobs", "orka-redis", "orka-database", "orka-certificates"):
        assert _of_anybody(shared[name]) == _of_anybody(by_name[name])


def _of_anybody(rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without the namespace by which an operator's Prometheus tells stacks apart."""
    return [{**rule, "expr": rule["expr"].replace(',namespace="staging"', "")} for rule in rules]


def test_two_stacks_that_one_prometheus_watches_neither_record_nor_read_the_same_series(
    operator: Run,
) -> None:
    groups = _object(operator, "PrometheusRule", "orka-ppm")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    recorded = [rule for rule in rules if "record" in rule]
    assert len({rule["record"] for rule in recorded}) > 10
    assert {rule["labels"]["namespace"] for rule in recorded} == {"staging"}
    read = re.compile(r"(?:orka:[a-z0-9_:]*[a-z0-9]|[a-z_]+(?=\{))(\{[^}]*\})?")
    probes = [probe.inputs["spec"]["targets"]["staticConfig"] for probe in operator.of("Probe")]
    assert {probe["labels"]["namespace"] for probe in probes} == {"staging"}
    asked = [match for rule in rules for match in read.finditer(rule["expr"])]
    assert len(asked) > 50
    assert [match[0] for match in asked if "staging" not in (match[1] or "")] == []


def test_an_operator_asks_the_same_addresses(standalone: Run, operator: Run) -> None:
    jobs = _config_map(standalone, "prometheus", "prometheus.yaml")["scrape_configs"]
    own = {
        (job["job_name"], one["targets"][0], one["labels"]["target"], one["labels"]["__param_module"])
        for job in jobs
        if job.get("metrics_path") == "/probe"
        for one in job["static_configs"]
    }
    theirs = {
        (
            spec["jobName"],
            spec["targets"]["staticConfig"]["static"][0],
            spec["targets"]["staticConfig"]["labels"]["target"],
            spec["module"],
        )
        for spec in (resource.inputs["spec"] for resource in operator.of("Probe"))
    }
    assert own == theirs
    assert len(own) == 7


def test_an_operator_finds_every_exporter_under_the_jobs_that_the_rules_know(operator: Run) -> None:
    services = {service.name for service in operator.of("Service")}
    for monitor in operator.of("ServiceMonitor"):
        spec, name = monitor.inputs["spec"], monitor.inputs["metadata"]["name"]
        assert spec["selector"]["matchLabels"]["app.kubernetes.io/name"] in services
        (endpoint,) = spec["endpoints"]
        assert {"targetLabel": "job", "replacement": name} in endpoint["relabelings"]
    assert {d.name for d in operator.of("Deployment")} >= set(EXPORTERS)
    assert {d.name for d in operator.of("Deployment")} & {"prometheus", "alertmanager"} == set()


def test_every_job_that_an_operator_is_to_ask_is_missed_where_it_asks_nobody(operator: Run) -> None:
    asked = {one.inputs["metadata"]["name"] for one in operator.of("ServiceMonitor")}
    asked |= {probe.inputs["spec"]["jobName"] for probe in operator.of("Probe")}
    groups = _object(operator, "PrometheusRule", "orka-ppm")["groups"]
    rule = next(one for group in groups for one in group["rules"] if one.get("alert") == "OrkaTargetMissing")
    missed = set(re.findall(r'absent\(up\{job="([^"]+)",namespace="staging"\}\)', rule["expr"]))
    # No rule needs what the backend says of itself, and health addresses are counted one by one.
    assert missed == asked - {"orka-backend", "orka-health"}


def test_an_operator_gets_the_same_routes_and_the_keys_by_name(standalone: Run, operator: Run) -> None:
    own = _config_map(standalone, "alertmanager", "alertmanager.yaml")
    theirs = _object(operator, "AlertmanagerConfig", "orka-ppm")
    told = [(route["receiver"], route.get("continue")) for route in own["route"]["routes"]]
    assert told == [(route["receiver"], route.get("continue")) for route in theirs["route"]["routes"]]
    assert len(own["inhibit_rules"]) == len(theirs["inhibitRules"])
    pager = next(one for one in theirs["receivers"] if one["name"] == "pager")["pagerdutyConfigs"][0]
    assert pager["routingKey"] == {"name": "alertmanager-auto", "key": "pagerduty-api-key"}
    assert set(operator.one("Secret", "alertmanager").inputs["stringData"]["value"]) == set(CHANNELS)


@pytest.mark.parametrize("mode", ["standalone", "operator"])
def test_the_keys_of_the_channels_are_in_one_secret_and_nowhere_else(mode: str) -> None:
    for name, manifest in manifests(_run(mode)).items():
        assert ("canary" in json.dumps(manifest)) == name.startswith("secret-"), name


def test_alertmanager_reads_the_keys_from_files(standalone: Run) -> None:
    pod = standalone.one("Deployment", "alertmanager").inputs["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert mounts["secrets"]["readOnly"]
    assert mounts["secrets"]["mountPath"] == "/etc/orka-alertmanager-secrets"
    assert "env" not in container
    assert "envFrom" not in container


def test_without_a_channel_the_stack_is_deployed_all_the_same() -> None:
    run = _run("standalone", keys={})
    assert run.error is None
    receivers = _config_map(run, "alertmanager", "alertmanager.yaml")["receivers"]
    assert all(set(one) == {"name"} for one in receivers)


@pytest.mark.parametrize(
    ("mode", "keys", "given", "warned"),
    [
        ("standalone", {}, {}, {NOBODY_HEARS, NOBODY_COUNTS, NOBODY_MISSES}),
        ("standalone", CHANNELS, {}, {NOBODY_COUNTS, NOBODY_MISSES}),
        ("standalone", CHANNELS, WATCHED, set()),
        ("operator", CHANNELS, {}, {NOBODY_MISSES}),
        ("none", {}, {}, set()),
    ],
)
def test_what_nobody_watches_is_a_warning(
    mode: str, keys: dict[str, str], given: dict[str, Any], warned: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the stack file is committed it names no counters of the edge and no watchdog."""
    said: list[str] = []
    monkeypatch.setattr(pulumi.log, "warn", lambda message, *_: said.append(message))
    assert _run(mode, keys=keys, **given).error is None
    assert set(said) == warned
    assert len(said) == len(warned)


def test_an_application_without_metrics_is_not_asked_for_them() -> None:
    run = _run("standalone", **{"backend-metrics": False})
    jobs = _config_map(run, "prometheus", "prometheus.yaml")["scrape_configs"]
    assert "orka-backend" not in {job["job_name"] for job in jobs}
    assert "backend-pods" not in {service.name for service in run.of("Service")}


@pytest.mark.parametrize("mode", ["standalone", "operator"])
def test_a_release_makes_nothing_anew_that_watches_it(mode: str) -> None:
    """Who is restarted forgets what it has seen, and for how long: alerts about a release would come late."""
    config = complete()
    config["monitoring"] |= {"mode": mode}
    before = manifests(run_program(config, SECRETS))
    config["images"]["backend"]["digest"] = f"sha256:{'9' * 64}"
    config["backend"]["replicas"] = 3
    after_run = run_program(config, SECRETS)
    after = manifests(after_run)
    changed = {name for name in before if before[name] != after[name]}
    assert {"deployment-backend", "deployment-kube-metrics"} <= changed
    kinds = ("servicemonitor", "probe", "prometheusrule", "alertmanagerconfig")
    watching = {name for name in before if name.startswith(kinds) or name.partition("-")[2] in PORTS}
    assert changed & watching == {"deployment-kube-metrics"}
    old, new = before["deployment-kube-metrics"], after["deployment-kube-metrics"]
    assert old["spec"] == new["spec"], "its pod is not made anew either"
    assert new["metadata"]["annotations"] == {"orka-ppm/release": after_run.outputs["release_id"]}


def test_only_who_counts_pods_may_ask_the_api_server_and_only_to_read(standalone: Run) -> None:
    (role,) = [role for role in standalone.of("Role") if role.type.startswith("kubernetes:")]
    assert {verb for rule in role.inputs["rules"] for verb in rule["verbs"]} == {"get", "list"}
    assert "secrets" not in json.dumps(role.inputs["rules"])
    with_token = [
        resource.name
        for resource in standalone.of("Deployment")
        if "serviceAccountToken" in json.dumps(resource.inputs)
    ]
    assert with_token == ["kube-metrics"]


def test_the_database_role_of_the_exporter_is_a_member_of_nothing(standalone: Run) -> None:
    roles = {r.name: r.inputs.get("roles") for r in standalone.of("Role") if r.type.startswith("postgresql:")}
    assert not roles["monitor-1"]
    assert roles["app-1"] == ["orka_app"]


def test_exporters_find_their_logins_in_files_and_no_secret_in_a_variable(standalone: Run) -> None:
    found = manifests(standalone)
    assert json.loads(found["secret-redis-exporter"]["stringData"]["passwords.json"]) == {
        complete()["redis"]["url"]: SECRETS["redis-password"]
    }
    login = found["secret-postgres-exporter"]["stringData"]
    for name, files in (("redis-exporter", {"passwords.json"}), ("postgres-exporter", set(login))):
        [container] = found[f"deployment-{name}"]["spec"]["template"]["spec"]["containers"]
        [mounted] = [mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] == "secrets"]
        named = {env["value"] for env in container["env"] if env["name"].endswith("_FILE")}
        assert named == {f"{mounted}/{file}" for file in files}
        assert "envFrom" not in container


def test_a_login_is_put_together_again_from_its_files() -> None:
    files = login_files("postgresql://orka_monitor:p%40ss%2F@db.example.com:6543/orka?sslmode=require", 3)
    assert files == {
        "address": "db.example.com:6543/orka?sslmode=require&connect_timeout=3",
        "user": "orka_monitor",
        "password": "p@ss/",
    }


@pytest.mark.parametrize("query", ["", "?connect_timeout=60"])
def test_the_exporter_waits_for_the_database_no_longer_than_prometheus_for_the_exporter(query: str) -> None:
    assert (
        login_files(f"postgresql://u:p@db:5432/orka{query}", 3)["address"] == "db:5432/orka?connect_timeout=3"
    )
