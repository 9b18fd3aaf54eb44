"""Evaluates network policies as Kubernetes defines them: who can open a connection to whom. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Json = dict[str, Any]


@dataclass(frozen=True)
class End:
    """One end of a connection: a pod of the namespace, a pod of another one, or only an address."""

    name: str
    address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    namespace: str | None = None
    ports: Mapping[str, int] = field(default_factory=dict)
    """The numbers of a pod's ports that have a name, by that name."""


def reachable(policies: Sequence[Json], home: str, source: End, target: End, port: tuple[int, str]) -> bool:
    """Whether the policies of namespace `home` let `source` reach a port of `target`."""
    # In both directions a name means what the target calls so.
    called = {port, *((name, "TCP") for name, number in target.ports.items() if (number, "TCP") == port)}
    return _passes(policies, home, "Egress", source, target, called) and _passes(
        policies, home, "Ingress", target, source, called
    )


def _passes(
    policies: Iterable[Json],
    home: str,
    direction: str,
    end: End,
    other: End,
    called: set[tuple[int | str, str]],
) -> bool:
    if end.namespace != home:
        return True
    selecting = [
        policy["spec"]
        for policy in policies
        if direction in policy["spec"]["policyTypes"] and _selects(policy["spec"]["podSelector"], end.labels)
    ]
    if not selecting:
        return True
    peers = "to" if direction == "Egress" else "from"
    rules = [rule for spec in selecting for rule in spec.get(direction.lower(), [])]
    return any(
        _names(rule.get("ports"), called) and _any_peer(rule.get(peers), home, other) for rule in rules
    )


def _names(ports: list[Json] | None, called: set[tuple[int | str, str]]) -> bool:
    return not ports or any((item["port"], item.get("protocol", "TCP")) in called for item in ports)


def _any_peer(peers: list[Json] | None, home: str, other: End) -> bool:
    return not peers or any(_is(peer, home, other) for peer in peers)


def _is(peer: Json, home: str, other: End) -> bool:
    if "ipBlock" in peer:
        block, address = peer["ipBlock"], ip_address(other.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(left_out) for left_out in block.get("except", [])
        )
    if other.namespace is None:
        return False
    if "namespaceSelector" in peer:
        here = {"kubernetes.io/metadata.name": other.namespace}
        return _selects(peer["namespaceSelector"], here) and _selects(
            peer.get("podSelector", {}), other.labels
        )
    return other.namespace == home and _selects(peer["podSelector"], other.labels)


def _selects(selector: Json, labels: Mapping[str, str]) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for wanted in selector.get("matchExpressions", []):
        if wanted["operator"] != "In":
            message = f"the evaluator does not know the operator {wanted['operator']}"
            raise NotImplementedError(message)
        if labels.get(wanted["key"]) not in wanted["values"]:
            return False
    return True
