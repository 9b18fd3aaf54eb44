"""The kinds of objects that the stack is made of, as kubectl and rights name them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# Everything that the program may register, whatever the settings are; a test compares.
REGISTERED = (
    "namespaces",
    "resourcequotas",
    "limitranges",
    "serviceaccounts",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "networkpolicies.networking.k8s.io",
    "deployments.apps",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "services",
    "configmaps",
    "secrets",
    "jobs.batch",
    "cronjobs.batch",
    "ingresses.networking.k8s.io",
)
# With `monitoring.mode: operator` alone: other clusters do not know them.
OPERATORS = (
    "servicemonitors.monitoring.coreos.com",
    "probes.monitoring.coreos.com",
    "prometheusrules.monitoring.coreos.com",
    "alertmanagerconfigs.monitoring.coreos.com",
)
IN_A_NAMESPACE = tuple(kind for kind in REGISTERED if kind != "namespaces")

UNKNOWN = re.compile(r'the server doesn\'t have a resource type "([\w-]+)"')
"""How kubectl says, of the first such kind, that nobody told the cluster of it; the group stands apart."""


def of_operators(manifests: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return those of OPERATORS that these objects are of."""
    found = {
        f"{str(made.get('kind')).lower()}s.{str(made.get('apiVersion')).partition('/')[0]}"
        for made in manifests
    }
    return tuple(kind for kind in OPERATORS if kind in found)
