"""Who may ask the API server for what, and what an object has to say of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from policy.objects import POD_AT, At, whole
from policy.rule import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from policy.rule import Manifest

# What gives its holder everything else: credentials, a shell in a pod, further rights.
POWERFUL = {
    "resources": {"secrets", "pods/exec", "pods/attach", "pods/ephemeralcontainers", "serviceaccounts/token"},
    "verbs": {"escalate", "bind", "impersonate"},
}
ENFORCE = "pod-security.kubernetes.io/enforce"
LABELS = tuple(f"app.kubernetes.io/{key}" for key in ("name", "part-of", "managed-by"))
# Pulumi names these two itself, after the part that they belong to; a namespace holds every part.
WITHOUT_LABELS = ("Namespace", "Secret", "ConfigMap")
CLUSTER_WIDE = ("ClusterRole", "ClusterRoleBinding")
# What an operator in the cluster makes monitoring of; it starts no pod of ours and gives no right.
OF_MONITORING = ("AlertmanagerConfig", "Probe", "PrometheusRule", "ServiceMonitor")
KNOWN = {
    *POD_AT,
    *WITHOUT_LABELS,
    *CLUSTER_WIDE,
    *OF_MONITORING,
    "HorizontalPodAutoscaler",
    "Ingress",
    "LimitRange",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "ResourceQuota",
    "Role",
    "RoleBinding",
    "Service",
    "ServiceAccount",
}


def _rules(manifest: Manifest) -> Iterator[At]:
    if manifest.get("kind") in ("Role", "ClusterRole"):
        yield from whole(manifest).parts("rules")


def no_wildcards(manifest: Manifest) -> Iterator[Fault]:
    """A role names what it allows."""
    for rule in _rules(manifest):
        for key in ("apiGroups", "resources", "verbs"):
            if any("*" in item for item in rule.get(key) or []):
                yield Fault(rule.below(key), "a wildcard")


def no_powerful_rights(manifest: Manifest) -> Iterator[Fault]:
    """No role leads to credentials, into pods, or to further rights."""
    for rule in _rules(manifest):
        for key, powerful in POWERFUL.items():
            for item in sorted(powerful & set(rule.get(key) or [])):
                yield Fault(rule.below(key), item)


def no_cluster_wide_rights(manifest: Manifest) -> Iterator[Fault]:
    """The stack gives no right beyond its namespace."""
    if manifest.get("kind") in CLUSTER_WIDE:
        yield Fault("kind", "holds for every namespace")
    if manifest.get("kind") == "RoleBinding" and whole(manifest).get("roleRef", "kind") == "ClusterRole":
        yield Fault("roleRef.kind", "a ClusterRole, whose rights are decided elsewhere")


def namespace_restricted(manifest: Manifest) -> Iterator[Fault]:
    """The API server itself refuses a pod that is not hardened, whoever sends it."""
    labels = whole(manifest).part("metadata", "labels").value
    if manifest.get("kind") == "Namespace" and labels.get(ENFORCE) != "restricted":
        yield Fault(f"metadata.labels[{ENFORCE}]", "not restricted")


def labelled(manifest: Manifest) -> Iterator[Fault]:
    """Every object says which part it belongs to, and who made it."""
    labels = whole(manifest).part("metadata", "labels").value
    for label in LABELS if manifest.get("kind") not in WITHOUT_LABELS else ():
        if not labels.get(label):
            yield Fault(f"metadata.labels[{label}]", "unset")


def known_kind(manifest: Manifest) -> Iterator[Fault]:
    """No object passes because nobody thought of its kind."""
    if manifest.get("kind") not in KNOWN:
        yield Fault("kind", "not a kind that these rules know")
