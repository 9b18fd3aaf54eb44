"""Who reaches whom: one way in, which is encrypted, and no connection that nobody named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.objects import At, whole
from policy.rule import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.rule import Manifest

# Whose services are hosted elsewhere, at addresses that nobody can list.
OPEN_EGRESS = (
    *("backend", "checker", "cron-jobs", "migration", "verification"),
    *("alertmanager", "announcement", "blackbox-exporter", "fluentd", "postgres-exporter", "redis-exporter"),
)
# What an address outside must not mean: other pods, the nodes, and the cloud's own metadata.
PRIVATE = {
    "0.0.0.0/0": {"10.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16"},
    "::/0": {"fc00::/7", "fe80::/10"},
}


def _spec(manifest: Manifest, kind: str) -> Iterator[At]:
    if manifest.get("kind") == kind:
        yield whole(manifest).part("spec")


def service_inside(manifest: Manifest) -> Iterator[Fault]:
    """A Service is reached from the cluster alone."""
    for spec in _spec(manifest, "Service"):
        if spec.get("type") not in (None, "ClusterIP"):
            yield Fault(spec.below("type"), "not ClusterIP")
        if spec.get("externalIPs"):
            yield Fault(spec.below("externalIPs"), "set")


def ingress_tls(manifest: Manifest) -> Iterator[Fault]:
    """Every host has its certificate."""
    for spec in _spec(manifest, "Ingress"):
        covered = {
            host
            for entry in spec.parts("tls")
            if entry.get("secretName")
            for host in entry.get("hosts") or []
        }
        for rule in spec.parts("rules"):
            if rule.get("host") and rule.get("host") not in covered:
                yield Fault(spec.below("tls"), "lacks a host of the rules, or its Secret")


def ingress_host(manifest: Manifest) -> Iterator[Fault]:
    """Every rule is for one host, so that no other name leads here."""
    for spec in _spec(manifest, "Ingress"):
        if spec.get("defaultBackend"):
            yield Fault(spec.below("defaultBackend"), "answers for every host")
        for rule in spec.parts("rules"):
            host = str(rule.get("host") or "*")
            if "*" in host:
                yield Fault(rule.below("host"), "unset or a wildcard")


def no_snippets(manifest: Manifest) -> Iterator[Fault]:
    """No annotation writes into the controller's configuration, with which it reads every Secret."""
    if manifest.get("kind") == "Ingress":
        for key in whole(manifest).part("metadata", "annotations").value:
            if key.endswith("-snippet"):
                yield Fault(f"metadata.annotations[{key}]", "a snippet")


def _rules(manifest: Manifest) -> Iterator[tuple[str, At]]:
    """Each rule of a network policy, with the key under which its peers stand."""
    for spec in _spec(manifest, "NetworkPolicy"):
        for rule in spec.parts("ingress"):
            yield "from", rule
        for rule in spec.parts("egress"):
            yield "to", rule


def no_open_policy(manifest: Manifest) -> Iterator[Fault]:
    """A rule names who and on which ports; one that leaves it out allows everybody everything."""
    for key, rule in _rules(manifest):
        if not rule.get(key):
            yield Fault(rule.below(key), "names nobody, which allows everybody")
        if not rule.get("ports"):
            yield Fault(rule.below("ports"), "names none, which allows all")
        for peer in rule.parts(key):
            if peer.get("namespaceSelector") == {} or peer.get("podSelector") == {}:
                yield Fault(peer.path, "an empty selector, which picks everybody")
            if key == "from" and peer.get("ipBlock", "cidr") in PRIVATE:
                yield Fault(peer.below("ipBlock", "cidr"), "every address")


def egress(manifest: Manifest) -> Iterator[Fault]:
    """Only the parts that use hosted services reach addresses outside, and by these nothing inside."""
    named = whole(manifest).get("metadata", "name") in OPEN_EGRESS
    for key, rule in _rules(manifest):
        for peer in rule.parts("to") if key == "to" else ():
            block = peer.part("ipBlock")
            private = PRIVATE.get(str(block.get("cidr")))
            if private is not None and not named:
                yield Fault(block.below("cidr"), "every address, for a part that is not named in OPEN_EGRESS")
            elif private is not None and not private <= set(block.get("except") or []):
                yield Fault(block.below("except"), "lacks a private range")
