"""One pod and its Service: nothing of it is reachable from outside the namespace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from model import monitoring_parts
from model.settings_contract import Probes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi
    from pulumi_kubernetes.core.v1 import VolumeArgsDict, VolumeMountArgsDict

    from components.place import Place
    from model.settings_resources import Resources

ROLLOUT_SECONDS = 150
DATA = "data"


class Watcher(Component):
    """What watches or gathers, one pod under a fixed name. A new pod is ready before the old one goes."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Input[str],
        probe: str,
        args: Sequence[pulumi.Input[str]] = (),
        env: Mapping[str, pulumi.Input[str]] | None = None,
        files: Mapping[str, VolumeArgsDict] | None = None,
        data: str | None = None,
        port: int | None = None,
        resources: Resources | None = None,
        annotations: Mapping[str, pulumi.Input[str]] | None = None,
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        """Register its Deployment and its Service.

        Args:
            name: of the part, its pods and its Service.
            place: where it is deployed.
            image: by digest.
            probe: the path that says that it runs.
            args: of the container.
            env: variables that are no secrets.
            files: volumes that are mounted read only, by path.
            data: a path that it may write to; empty in a new pod.
            port: where it answers; may be left out of a part of monitoring, whose port is known.
            resources: what it may use; likewise.
            annotations: of the Deployment, not of its pods.
            after: what its pods wait for.
            opts: of the component.
        """
        super().__init__(name, opts)
        port = port or monitoring_parts.PORTS[name]
        mounts, volumes = _volumes(files or {}, data)
        made = workload.container(
            name,
            image,
            resources or monitoring_parts.resources(place.settings, name),
            args=args or None,
            env=env,
            mounts=mounts,
        )
        asked = {"path": probe}
        probes = Probes.model_validate({"startup": asked, "readiness": asked, "liveness": asked})
        self.deployment = k8s.apps.v1.Deployment(
            name,
            metadata=workload.metadata(name, place.namespace, annotations=annotations),
            spec={
                "replicas": 1,
                "progress_deadline_seconds": ROLLOUT_SECONDS,
                "revision_history_limit": 3,
                "selector": {"match_labels": naming.selector(name, place.settings.cluster)},
                "template": workload.pod(
                    workload.serving(made, port, probes),
                    labels=naming.pod_labels(name, place.settings.cluster),
                    pull_secrets=place.pull_secrets,
                    volumes=volumes,
                ),
            },
            opts=self.child_after(*after, seconds=ROLLOUT_SECONDS + workload.ROLLOUT_MARGIN_SECONDS),
        )
        k8s.core.v1.Service(
            name,
            metadata=workload.metadata(name, place.namespace, annotations=workload.SKIP_AWAIT),
            spec={
                "selector": naming.selector(name, place.settings.cluster),
                "ports": [{"name": "http", "port": port, "target_port": "http"}],
            },
            opts=self.child,
        )
        self.register_outputs({"deployment": self.deployment.metadata["name"]})


def configuration(
    owner: Component,
    name: str,
    place: Place,
    data: Mapping[str, pulumi.Input[str]],
    *,
    volume: str = "configuration",
) -> VolumeArgsDict:
    """For `files`. They are immutable: changed ones are another pod's, and never half loaded."""
    made = k8s.core.v1.ConfigMap(
        name,
        metadata={"namespace": place.namespace},
        immutable=True,
        data=dict(data),
        opts=owner.child,
    )
    return {"name": volume, "config_map": {"name": made.metadata["name"]}}


def _volumes(
    files: Mapping[str, VolumeArgsDict], data: str | None
) -> tuple[list[VolumeMountArgsDict], list[VolumeArgsDict]]:
    mounts: list[VolumeMountArgsDict] = [
        {"name": volume["name"], "mount_path": path, "read_only": True} for path, volume in files.items()
    ]
    volumes = list(files.values())
    if data is not None:
        mounts.append({"name": DATA, "mount_path": data})
        volumes.append({"name": DATA, "empty_dir": {"size_limit": "4Gi"}})
    return mounts, volumes
