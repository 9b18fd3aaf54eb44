"""What only all objects together show: what has to exist, and what belongs to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from policy.objects import At, pod_labels, pods, selects, whole
from policy.rule import Fault, Object
from policy.rules_access import CLUSTER_WIDE
from policy.rules_workloads import replicas

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from policy.rule import Manifest

    Found = Iterator[tuple[Object, Fault]]

OUTSIDE_OF_NAMESPACES = ("Namespace", *CLUSTER_WIDE)
COUNTED = ("pods", "requests.cpu", "requests.memory", "limits.memory")


def _of(kind: str, objects: Sequence[Object], namespace: str | None = None) -> list[Object]:
    return [
        each for each in objects if each.kind == kind and (namespace is None or each.namespace == namespace)
    ]


def _missing(namespace: Object, what: str) -> tuple[Object, Fault]:
    return namespace, Fault("metadata.name", f"holds no {what}")


def one_namespace(objects: Sequence[Object]) -> Found:
    """Every object lies in a namespace of the stack, where its guards are."""
    own = {each.name for each in _of("Namespace", objects)}
    for each in objects:
        if each.kind not in OUTSIDE_OF_NAMESPACES and each.namespace not in own:
            yield each, Fault("metadata.namespace", "no namespace of this stack")


def default_deny(objects: Sequence[Object]) -> Found:
    """What no policy allows is closed, in both directions, for every pod."""
    for namespace in _of("Namespace", objects):
        policies = _of("NetworkPolicy", objects, namespace.name)
        if not any(_denies_all(each.manifest) for each in policies):
            yield _missing(namespace, "network policy that denies everything")


def _denies_all(manifest: Manifest) -> bool:
    spec = whole(manifest).part("spec")
    closed = not spec.get("ingress") and not spec.get("egress")
    both = {"Ingress", "Egress"} <= set(spec.get("policyTypes") or [])
    return closed and both and not any(spec.part("podSelector").value.values())


def quota(objects: Sequence[Object]) -> Found:
    """The stack cannot take the cluster from its neighbours."""
    for namespace in _of("Namespace", objects):
        quotas = [
            whole(each.manifest).part("spec", "hard")
            for each in _of("ResourceQuota", objects, namespace.name)
        ]
        if not any(set(COUNTED) <= set(hard.value) for hard in quotas):
            yield _missing(namespace, f"quota of {', '.join(COUNTED)}")


def limit_range(objects: Sequence[Object]) -> Found:
    """A container that asks for nothing gets what is usual, and not everything."""
    for namespace in _of("Namespace", objects):
        ranges = _of("LimitRange", objects, namespace.name)
        limits = [limit for each in ranges for limit in whole(each.manifest).parts("spec", "limits")]
        if not any(limit.get("default") and limit.get("defaultRequest") for limit in limits):
            yield _missing(namespace, "default limits of containers")


def disruption_budget(objects: Sequence[Object]) -> Found:
    """While nodes are emptied one pod serves, and a node can be emptied."""
    for each in _of("Deployment", objects):
        least, most = _scale(each, objects)
        budgets = [
            budget
            for budget in _of("PodDisruptionBudget", objects, each.namespace)
            if selects(whole(budget.manifest).part("spec", "selector").value, pod_labels(each.manifest))
        ]
        if most > 1 and not budgets:
            yield each, Fault("spec.replicas", "several pods and no disruption budget")
        for budget in budgets:
            yield from ((budget, fault) for fault in _blocks(whole(budget.manifest).part("spec"), least))


def _scale(deployment: Object, objects: Sequence[Object]) -> tuple[int, int]:
    """The fewest and the most pods, by the Deployment itself or by its autoscaler."""
    for scaler in _of("HorizontalPodAutoscaler", objects, deployment.namespace):
        spec = whole(scaler.manifest).part("spec")
        if spec.get("scaleTargetRef", "name") == deployment.name:
            return int(spec.get("minReplicas") or 1), int(spec.get("maxReplicas") or 1)
    return replicas(deployment.manifest), replicas(deployment.manifest)


def _blocks(spec: At, least: int) -> Iterator[Fault]:
    if spec.get("maxUnavailable") in (0, "0", "0%"):
        yield Fault(spec.below("maxUnavailable"), "lets no pod go")
    if _count(spec.get("minAvailable"), least) >= least:
        yield Fault(spec.below("minAvailable"), "needs every pod")


def _count(share: Any, pods_in_all: int) -> int:
    text = str(share or 0)
    # Kubernetes rounds this one up.
    return -(-int(text[:-1]) * pods_in_all // 100) if text.endswith("%") else int(text)


def accounts_exist(objects: Sequence[Object]) -> Found:
    """The account of every pod is one of the stack's, whose rights are seen here."""
    own = {(each.namespace, each.name) for each in _of("ServiceAccount", objects)}
    for each in objects:
        for pod in pods(each.manifest):
            name = pod.get("serviceAccountName")
            if name not in (None, "", "default") and (each.namespace, name) not in own:
                yield each, Fault(pod.below("serviceAccountName"), "no account of this stack")


def claimed_pods(objects: Sequence[Object]) -> Found:
    """Every pod has a network policy of its own: what it needs is written down, and nothing else is open."""
    policies = _of("NetworkPolicy", objects)
    for each in objects:
        for pod in pods(each.manifest):
            own = [
                policy
                for policy in policies
                if policy.namespace == each.namespace and _picks(policy.manifest, pod_labels(each.manifest))
            ]
            if not own:
                yield each, Fault(pod.path, "no network policy selects its labels")


def _picks(manifest: Manifest, labels: Any) -> bool:
    selector = whole(manifest).part("spec", "podSelector").value
    return any(selector.values()) and selects(selector, labels)


def routed_services(objects: Sequence[Object]) -> Found:
    """Every path of an Ingress leads to a Service of the stack, and every Service to pods of it."""
    services = {(each.namespace, each.name) for each in _of("Service", objects)}
    for each in _of("Ingress", objects):
        for rule in whole(each.manifest).parts("spec", "rules"):
            for path in rule.parts("http", "paths"):
                if (each.namespace, path.get("backend", "service", "name")) not in services:
                    yield each, Fault(path.below("backend", "service", "name"), "no Service of this stack")
    for each in _of("Service", objects):
        selector = whole(each.manifest).part("spec", "selector").value
        pods_here = [pod_labels(other.manifest) for other in objects if other.namespace == each.namespace]
        if not any(selector.items() <= labels.items() for labels in pods_here if selector):
            yield each, Fault("spec.selector", "picks no pod of this stack")
