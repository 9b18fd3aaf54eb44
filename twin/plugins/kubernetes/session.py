"""What every verb needs: the cluster, the display, and whether the engine has cancelled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from twin.plugins.kubernetes import await_job, await_network, await_workloads, awaiting, objects
from twin.plugins.kubernetes.errors import ApiError, UnreachableError

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from twin.plugins.engine_log import EngineLog
    from twin.plugins.kubernetes.awaiting import Sight
    from twin.plugins.kubernetes.client import Client
    from twin.plugins.kubernetes.cluster import Cluster
    from twin.plugins.kubernetes.config import ProviderConfig
    from twin.plugins.kubernetes.kinds import Kind

LOOKS: dict[str, Callable[[Client, Kind, objects.Object], Sight]] = {
    "Deployment": await_workloads.look_at_deployment,
    "StatefulSet": await_workloads.look_at_stateful_set,
    "Job": await_job.look,
    "Service": await_network.look_at_service,
    "Ingress": await_network.look_at_ingress,
    "PersistentVolumeClaim": await_network.look_at_claim,
}


@dataclass(frozen=True)
class Resource:
    """One resource that the engine speaks of; `timeout` is its custom timeout in seconds, 0 for none."""

    urn: str
    kind: Kind
    timeout: float = 0


@dataclass(frozen=True)
class Session:
    """One configured provider."""

    cluster: Cluster
    log: EngineLog
    cancelled: threading.Event

    @property
    def config(self) -> ProviderConfig:
        """The provider's inputs."""
        return self.cluster.config

    def force(self, inputs: objects.Object) -> bool:
        """Whether to take fields from other managers instead of reporting a conflict."""
        return self.config.flag("enablePatchForce") or objects.switched_on(inputs, objects.PATCH_FORCE)

    def wait(self, client: Client, resource: Resource, inputs: objects.Object, live: objects.Object) -> None:
        """Wait until the object is ready, where its kind and its annotations ask for that."""
        look = LOOKS.get(resource.kind.name)
        if look is None or objects.switched_on(inputs, objects.SKIP_AWAIT):
            return
        awaiting.until_ready(
            client,
            resource.kind,
            live,
            look,
            timeout=awaiting.seconds(inputs, resource.timeout),
            cancelled=self.cancelled,
            progress=self.log.for_resource(resource.urn),
        )


def live_before(client: Client, resource: Resource, olds: objects.Object) -> objects.Object:
    """The live object that the state speaks of."""
    meta = objects.metadata(olds)
    return client.get(resource.kind, str(meta.get("namespace", "")), str(meta["name"]))


def latest(client: Client, resource: Resource, live: objects.Object) -> objects.Object:
    """The object as it is now; as last seen when it cannot be read (it exists, the state must know)."""
    meta = live["metadata"]
    try:
        return client.get(resource.kind, meta.get("namespace", ""), meta["name"])
    except (ApiError, UnreachableError):
        return live
