"""The namespace, whose admission accepts hardened pods only, and the account that the pods run as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components.component import Component

if TYPE_CHECKING:
    import pulumi

    from model.settings import Cluster


class StagingNamespace(Component):
    """`name` is the namespace's name once it exists."""

    def __init__(self, name: str, cluster: Cluster, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, opts)
        restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
        namespace = k8s.core.v1.Namespace(
            name,
            metadata={"name": cluster.namespace, "labels": restricted},
            opts=self.child,
        )
        self.name = namespace.metadata["name"]
        self.register_outputs({"name": self.name})
