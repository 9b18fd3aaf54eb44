"""Who reaches whom, as a table to review; and that each hole would be seen in it."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest

from model import monitoring_parts
from tests.checkout import CHECKOUT
from tests.unit.harness import SECRETS, Run, complete, manifests, run_program
from tests.unit.reachability import End, reachable

GOLDEN = CHECKOUT / "tests" / "golden" / "reachability.txt"
HOME = "staging"
SOURCES_OUTSIDE = (
    End("ingress controller", "10.0.9.1", namespace="ingress-nginx"),
    End("pod of another namespace", "10.0.9.3", namespace="other"),
    End("address outside", "203.0.113.9"),
)
TARGETS_OUTSIDE = (
    (End("dns", "10.0.9.2", namespace="kube-system"), (53, "UDP")),
    (End("dns", "10.0.9.2", namespace="kube-system"), (53, "TCP")),
    (End("internet", "203.0.113.1"), (443, "TCP")),
    (End("internet", "203.0.113.1"), (5432, "TCP")),
    (End("internet", "203.0.113.1"), (6379, "TCP")),
    (End("internet", "203.0.113.1"), (80, "TCP")),
    (End("internet-v6", "2001:db8::1"), (5432, "TCP")),
    (End("private-v6", "fd00::1"), (443, "TCP")),
    (End("api server", "10.96.0.1"), (443, "TCP")),
    (End("api server", "10.0.9.4"), (6443, "TCP")),
    (End("cloud metadata", "169.254.169.254"), (80, "TCP")),
)
PORTS = {"backend": 8000, "frontend": 3000, **monitoring_parts.PORTS}
MOVED = (
    ("backend", 8080, {"ingress controller", "frontend", "blackbox-exporter", "verification"}),
    ("frontend", 3001, {"ingress controller", "blackbox-exporter", "verification"}),
)


def _pods(run: Run) -> list[End]:
    found = []
    for name, manifest in sorted(manifests(run).items()):
        template = manifest.get("spec", {}).get("template") or (
            manifest.get("spec", {}).get("jobTemplate", {}).get("spec", {}).get("template")
        )
        if template:
            labels = template["metadata"]["labels"]
            number = len(found) + 10
            address = f"10.0.1.{number}"
            found.append(End(name.partition("-")[2], address, labels, HOME, _named_ports(template)))
    return found


def _named_ports(template: dict[str, Any]) -> dict[str, int]:
    ports = [port for each in template["spec"]["containers"] for port in each.get("ports", [])]
    return {port["name"]: port["containerPort"] for port in ports}


def _matrix(run: Run, policies: list[dict[str, Any]]) -> str:
    pods = _pods(run)
    stranger = End("unlabelled pod", "10.0.1.99", namespace=HOME)
    targets = [
        *((pod, (PORTS[pod.name], "TCP")) for pod in pods if pod.name in PORTS),
        (stranger, (8000, "TCP")),
        *TARGETS_OUTSIDE,
    ]
    lines = []
    for source in [*pods, stranger, *SOURCES_OUTSIDE]:
        here = source.namespace == HOME
        reached = [
            f"{target.name}:{port}/{protocol}"
            for target, (port, protocol) in targets
            if target is not source
            and (here or target.namespace == HOME)
            and reachable(policies, HOME, source, target, (port, protocol))
        ]
        lines.append(f"{source.name}\n" + "".join(f"    {one}\n" for one in reached or ["nothing"]))
    return "".join(lines)


def _policies(run: Run) -> list[dict[str, Any]]:
    return [manifest for name, manifest in manifests(run).items() if name.startswith("networkpolicy-")]


def test_who_reaches_whom_is_the_golden_table(run: Run, request: pytest.FixtureRequest) -> None:
    matrix = _matrix(run, _policies(run))
    if request.config.getoption("--update-golden"):
        GOLDEN.write_text(matrix)
    assert GOLDEN.read_text() == matrix, "who reaches whom changed: review it, then --update-golden"


def test_without_any_one_of_the_policies_the_table_is_another(run: Run) -> None:
    policies = _policies(run)
    assert len(policies) == 13
    for left_out in policies:
        others = [policy for policy in policies if policy is not left_out]
        assert _matrix(run, others) != GOLDEN.read_text(), left_out["metadata"]["name"]


def test_a_range_that_no_longer_leaves_out_the_cluster_is_seen(run: Run) -> None:
    policies = copy.deepcopy(_policies(run))
    for policy in policies:
        for rule in policy["spec"].get("egress", []):
            for peer in rule["to"]:
                peer.get("ipBlock", {}).pop("except", None)
    assert "private-v6:443/TCP" in _matrix(run, policies)
    assert "private-v6:443/TCP" not in GOLDEN.read_text()


def test_named_addresses_are_the_only_ones() -> None:
    config = complete()
    config["network"]["database"] = {"port": 5433, "cidrs": ["10.244.0.1/32"]}
    config["supabase"]["url"] = "http://10.244.0.1:8602"
    url = SECRETS["database-admin-url"].replace(":5432", ":5433")
    run = run_program(config, {**SECRETS, "database-admin-url": url})
    backend = next(pod for pod in _pods(run) if pod.name == "backend")
    policies = _policies(run)

    def reaches(address: str, port: int) -> bool:
        return reachable(policies, HOME, backend, End("there", address), (port, "TCP"))

    assert reaches("10.244.0.1", 5433)
    assert reaches("10.244.0.1", 8602)
    assert not reaches("203.0.113.1", 5433)
    assert not reaches("203.0.113.1", 5432)
    assert not reaches("203.0.113.1", 8602)
    assert not reaches("10.244.0.2", 8602)


def _reaches(config: dict[str, Any], part: str, address: str, port: int) -> bool:
    run = run_program(config)
    pod = next(pod for pod in _pods(run) if pod.name == part)
    return reachable(_policies(run), HOME, pod, End("there", address), (port, "TCP"))


def test_the_api_server_may_listen_where_a_provider_has_it_or_only_where_the_settings_say() -> None:
    config = complete()
    asked = [("10.0.9.4", 6443), ("10.0.9.4", 443), ("203.0.113.1", 443), ("10.0.9.4", 8443)]
    assert [_reaches(config, "kube-metrics", *one) for one in asked] == [True, True, False, False]
    config["network"]["kubernetes"] = {"cidrs": ["203.0.113.1/32"], "port": 443}
    assert [_reaches(config, "kube-metrics", *one) for one in asked] == [False, False, True, False]


@pytest.mark.parametrize(
    ("edge", "cidrs", "reached"),
    [
        (None, [], ["203.0.113.1"]),
        ("203.0.113.9", [], ["203.0.113.1"]),
        ("10.1.2.3", [], ["10.1.2.3"]),
        ("10.1.2.3", ["10.1.2.4/32"], ["10.1.2.4"]),
        ("edge.example.com", [], ["203.0.113.1"]),
    ],
)
def test_the_certificates_are_looked_at_where_the_edge_is(
    edge: str | None, cidrs: list[str], reached: list[str]
) -> None:
    config = complete()
    config["edge"]["address"] = edge
    config["network"]["public"] = {"cidrs": cidrs}
    addresses = ["203.0.113.1", "10.1.2.3", "10.1.2.4"]
    assert [one for one in addresses if _reaches(config, "blackbox-exporter", one, 443)] == reached


def test_an_edge_on_the_nodes_is_named_by_its_addresses() -> None:
    config = complete()
    config["network"]["edge"] = {"namespaces": [], "cidrs": ["10.244.0.1/32"]}
    run = run_program(config)
    backend = next(pod for pod in _pods(run) if pod.name == "backend")
    node = End("node", "10.244.0.1")
    assert reachable(_policies(run), HOME, node, backend, (8000, "TCP"))
    assert not reachable(_policies(run), HOME, SOURCES_OUTSIDE[0], backend, (8000, "TCP"))


@pytest.mark.parametrize(("part", "port", "sources"), MOVED, ids=[part for part, *_ in MOVED])
def test_while_a_port_is_changed_the_pods_that_serve_are_reached_and_the_new_ones_too(
    run: Run, part: str, port: int, sources: set[str]
) -> None:
    config = complete()
    config.setdefault(part, {}).setdefault("contract", {})["port"] = port
    moved = run_program(config)
    policies = _policies(moved)
    for of, number in ((run, PORTS[part]), (moved, port)):
        pods = {pod.name: pod for pod in _pods(of)}
        assert pods[part].ports == {"http": number}
        reached = {
            source.name
            for source in [*pods.values(), *SOURCES_OUTSIDE]
            if reachable(policies, HOME, source, pods[part], (number, "TCP"))
        }
        assert reached >= sources, number
        assert not reachable(policies, HOME, SOURCES_OUTSIDE[0], pods[part], (9999, "TCP"))


def test_pods_made_by_hand_are_reached_though_their_port_has_no_name(run: Run) -> None:
    backend = next(pod for pod in _pods(run) if pod.name == "backend")
    by_hand = replace(backend, ports={})
    assert reachable(_policies(run), HOME, SOURCES_OUTSIDE[0], by_hand, (PORTS["backend"], "TCP"))


def test_an_issuer_may_answer_its_challenges_and_nothing_else() -> None:
    config = complete()
    config["edge"]["tls"]["cluster-issuer"] = "letsencrypt"
    policies = _policies(run_program(config))
    solver = End("solver", "10.0.1.50", {"acme.cert-manager.io/http01-solver": "true"}, HOME)
    controller, stranger, _ = SOURCES_OUTSIDE
    assert reachable(policies, HOME, controller, solver, (8089, "TCP"))
    assert not reachable(policies, HOME, stranger, solver, (8089, "TCP"))
    assert not reachable(policies, HOME, solver, End("internet", "203.0.113.1"), (443, "TCP"))
