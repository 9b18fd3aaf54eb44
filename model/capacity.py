"""How much of the cluster the stack may take: what the quota of its namespace is made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from model import monitoring_parts
from model.jobs import active
from model.quantity import amount
from model.settings_resources import Resources

if TYPE_CHECKING:
    from model.settings import Settings

MEBIBYTE = 1024**2
# While a rollout lasts, each pod may have its successor beside it.
ROLLOUT = 2


@dataclass(frozen=True)
class Capacity:
    """Numbers of pods, CPU cores, and bytes."""

    pods: int
    cpu_request: Fraction
    memory_request: Fraction
    memory_limit: Fraction


def allowed(settings: Settings) -> Capacity:
    """Everything that may run at once, each pod with its successor."""
    backend = settings.backend
    parts = [
        (backend.most_replicas, backend.resources),
        (len(active(settings)), settings.cron_jobs.resources),
        # The migration, the gate, and the message after it.
        (3, Resources()),
    ]
    if settings.frontend.target == "kubernetes":
        parts.append((settings.frontend.replicas, settings.frontend.resources))
    if settings.logging.sink != "none":
        parts.append((1, settings.logging.resources))
    watching = monitoring_parts.parts(settings)
    parts += [(1, monitoring_parts.resources(settings, part)) for part in watching]
    if settings.verification.by_checker:
        parts.append((1, Resources()))
    return Capacity(
        pods=ROLLOUT * sum(count for count, _ in parts),
        cpu_request=ROLLOUT * sum((n * amount(each.cpu_request) for n, each in parts), Fraction()),
        memory_request=ROLLOUT * sum((n * amount(each.memory_request) for n, each in parts), Fraction()),
        memory_limit=ROLLOUT * sum((n * amount(each.memory_limit) for n, each in parts), Fraction()),
    )


def quota(settings: Settings) -> dict[str, str]:
    """The hard limits of a ResourceQuota: whole cores and mebibytes, and no way in but the edge."""
    most = allowed(settings)
    # cert-manager answers an HTTP-01 challenge by a NodePort, unless its issuer says `ClusterIP`.
    doors = {} if settings.edge.tls.cluster_issuer else {"services.nodeports": "0"}
    return {
        "pods": str(most.pods),
        "requests.cpu": str(math.ceil(most.cpu_request)),
        "requests.memory": f"{math.ceil(most.memory_request / MEBIBYTE)}Mi",
        "limits.memory": f"{math.ceil(most.memory_limit / MEBIBYTE)}Mi",
        "services.loadbalancers": "0",
        **doors,
    }
