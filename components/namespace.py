"""The namespace and what guards it: hardened pods only, an account for each part, a quota, closed doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from components.network import NetworkPolicies
from model.capacity import quota
from model.settings_resources import Resources

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.settings import Settings


class StagingNamespace(Component):
    """`name` is the namespace's name once it exists and is guarded: no pod is there before the doors are."""

    def __init__(self, name: str, settings: Settings, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        modes = ("enforce", "audit", "warn")
        restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in modes}
        namespace = k8s.core.v1.Namespace(
            name,
            metadata={"name": settings.cluster.namespace, "labels": restricted},
            # With it would go the claim that the backups lie in, which has to outlive the stack.
            opts=pulumi.ResourceOptions(parent=self, protect=settings.migration.backup is not None),
        )
        inside = namespace.metadata["name"]
        accounts = ServiceAccounts("accounts", inside, naming.parts(settings), self.child)
        limits = Limits("limits", inside, quota(settings), self.child)
        network = NetworkPolicies("network", inside, settings, self.child)
        guards = [*accounts.names, *limits.names, *network.names]
        self.name: pulumi.Output[str] = pulumi.Output.all(inside, *guards).apply(lambda made: str(made[0]))
        self.register_outputs({"name": self.name})


class ServiceAccounts(Component):
    """An account for each part, with no token and no role: nothing here talks to the API server."""

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        parts: Iterable[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.names = [
            k8s.core.v1.ServiceAccount(
                part,
                metadata=workload.metadata(part, namespace),
                automount_service_account_token=False,
                opts=self.child,
            ).metadata["name"]
            for part in parts
        ]
        self.register_outputs({"names": self.names})


class Limits(Component):
    """What the namespace may take of the cluster, and what a container gets that asks for nothing."""

    def __init__(
        self,
        name: str,
        namespace: pulumi.Input[str],
        hard: Mapping[str, str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        usual = Resources()
        metadata = workload.metadata(naming.WHOLE, namespace)
        made = k8s.core.v1.ResourceQuota(name, metadata=metadata, spec={"hard": hard}, opts=self.child)
        defaults = k8s.core.v1.LimitRange(
            name,
            metadata=metadata,
            spec={
                "limits": [
                    {
                        "type": "Container",
                        "default": {"memory": usual.memory_limit},
                        "default_request": {"cpu": usual.cpu_request, "memory": usual.memory_request},
                    }
                ]
            },
            opts=self.child,
        )
        self.names = [made.metadata["name"], defaults.metadata["name"]]
        self.register_outputs({"names": self.names})
