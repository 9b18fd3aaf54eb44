"""Network policies: everything is denied in both directions, and each part gets the connections it needs.

Each connection of `model.reachability` becomes a rule at both ends, so that neither is forgotten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from model import fluentd, monitoring_parts
from model.jobs import JOB_NAMES
from model.reachability import EDGE, OPERATOR, SENDERS, Destination, connections, outside
from model.settings_network import Peers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pulumi
    from pulumi_kubernetes.meta.v1 import LabelSelectorArgsDict
    from pulumi_kubernetes.networking.v1 import (
        NetworkPolicyEgressRuleArgsDict,
        NetworkPolicyIngressRuleArgsDict,
        NetworkPolicyPeerArgsDict,
        NetworkPolicyPortArgsDict,
        NetworkPolicySpecArgsDict,
    )

    from model.settings import Settings

# The pods with which cert-manager answers an HTTP-01 challenge lie in this namespace too.
ACME_SOLVER = "acme.cert-manager.io/http01-solver"
ACME_PORT = 8089
# Their ports are the settings' to change. Pods that serve listen on the one before, by the same name.
RENUMBERED = (naming.BACKEND, naming.FRONTEND)


class NetworkPolicies(Component):
    """One policy that denies, one for DNS, and one for each part of the stack."""

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        settings: Settings,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        made = policies(settings)
        self.names = [
            k8s.networking.v1.NetworkPolicy(
                policy,
                metadata=workload.metadata(policy, namespace),
                spec=spec,
                opts=self.child,
            ).metadata["name"]
            for policy, spec in made.items()
        ]
        self.register_outputs({"policies": list(made)})


def policies(settings: Settings) -> dict[str, NetworkPolicySpecArgsDict]:
    """The policies by name."""
    both = ["Ingress", "Egress"]
    found: dict[str, NetworkPolicySpecArgsDict] = {
        "default-deny": {"pod_selector": {}, "policy_types": both},
        "allow-dns": {
            "pod_selector": {},
            "policy_types": ["Egress"],
            "egress": [
                {
                    "to": _peers(settings.network.dns),
                    "ports": [{"port": 53, "protocol": protocol} for protocol in ("UDP", "TCP")],
                }
            ],
        },
    }
    needed, destinations = connections(settings), outside(settings)
    parts = {end for ends in needed for end in ends} - {EDGE, OPERATOR, SENDERS, *destinations}
    for part in sorted(parts):
        spec: NetworkPolicySpecArgsDict = {"pod_selector": _pods(part, settings), "policy_types": both}
        # A direction without a rule is left out: the API server drops an empty list, and every refresh would
        # show that as a change. It is closed all the same, by the policy's types.
        if rules := [_from(source, part, settings) for source, target in needed if target == part]:
            spec["ingress"] = rules
        if allowed := [
            _to(source, target, destinations, settings) for source, target in needed if source == part
        ]:
            spec["egress"] = allowed
        found[part] = spec
    if settings.edge.tls.cluster_issuer:
        found["acme-solver"] = {
            "pod_selector": {"match_labels": {ACME_SOLVER: "true"}},
            "policy_types": ["Ingress"],
            "ingress": [{"from_": _peers(settings.network.edge), "ports": [_port(ACME_PORT)]}],
        }
    return found


def _pods(part: str, settings: Settings) -> LabelSelectorArgsDict:
    if part == naming.JOBS:
        names = sorted(JOB_NAMES.values())
        return {
            "match_expressions": [{"key": "app.kubernetes.io/name", "operator": "In", "values": names}],
        }
    return {"match_labels": naming.selector(part, settings.cluster)}


def _from(source: str, part: str, settings: Settings) -> NetworkPolicyIngressRuleArgsDict:
    if source == EDGE:
        peers = _peers(settings.network.edge)
    elif source == OPERATOR:
        peers = _peers(Peers(namespaces=(settings.monitoring.operator.namespace,)))
    elif source == SENDERS:
        peers = _peers(settings.logging.senders)
    else:
        peers = [_peer(source, settings)]
    return {"from_": peers, "ports": _ports(source, part, settings)}


def _to(
    source: str, target: str, destinations: Mapping[str, Destination], settings: Settings
) -> NetworkPolicyEgressRuleArgsDict:
    destination = destinations.get(target)
    if target == EDGE:
        ports = {int(address.rpartition(":")[2]) for address in settings.monitoring.edge_metrics.targets}
        return {"to": _peers(settings.network.edge), "ports": [_port(port) for port in sorted(ports)]}
    if destination is None:
        return {"to": [_peer(target, settings)], "ports": _ports(source, target, settings)}
    return {
        "to": [_addresses(cidr, without) for cidr, without in destination.ranges.items()],
        "ports": [_port(port) for port in destination.ports],
    }


def _ports(source: str, part: str, settings: Settings) -> list[NetworkPolicyPortArgsDict]:
    """Where `part` listens for `source`. The number beside the name is for pods made by hand without it."""
    number = _port(_listens(source, part, settings))
    return [_port(workload.PORT_NAME), number] if part in RENUMBERED else [number]


def _listens(source: str, part: str, settings: Settings) -> int:
    if part == naming.FLUENTD and source != SENDERS:
        return fluentd.METRICS_PORT
    ports = {
        naming.BACKEND: settings.backend.contract.port,
        naming.FRONTEND: settings.frontend.contract.port,
        naming.CHECKER: naming.CHECKER_PORT,
        naming.FLUENTD: fluentd.FORWARD_PORT,
        **monitoring_parts.PORTS,
    }
    return ports[part]


def _peer(part: str, settings: Settings) -> NetworkPolicyPeerArgsDict:
    return {"pod_selector": _pods(part, settings)}


def _peers(peers: Peers) -> list[NetworkPolicyPeerArgsDict]:
    named: list[NetworkPolicyPeerArgsDict] = [
        {"namespace_selector": {"match_labels": {"kubernetes.io/metadata.name": namespace}}}
        for namespace in peers.namespaces
    ]
    return named + [_addresses(cidr, ()) for cidr in peers.cidrs]


def _addresses(cidr: str, without: tuple[str, ...]) -> NetworkPolicyPeerArgsDict:
    return {"ip_block": {"cidr": cidr, "except_": list(without)} if without else {"cidr": cidr}}


def _port(port: int | str) -> NetworkPolicyPortArgsDict:
    return {"port": port, "protocol": "TCP"}
