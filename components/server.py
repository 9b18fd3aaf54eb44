"""A Deployment and its Service under the guide's name: what backend and frontend have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi
    from pulumi_kubernetes.apps.v1 import DeploymentSpecArgsDict
    from pulumi_kubernetes.autoscaling.v2 import HorizontalPodAutoscalerSpecArgsDict
    from pulumi_kubernetes.core.v1 import EnvFromSourceArgsDict, PodTemplateSpecArgsDict

    from components.place import Place
    from model.settings import Autoscaling, Served
    from model.settings_cluster import Cluster


class Server(Component):
    """Replicas behind a Service, rolled without a gap: a new pod is ready before an old one goes."""

    def __init__(
        self,
        name: str,
        place: Place,
        served: Served,
        *,
        image: pulumi.Input[str],
        env: Mapping[str, pulumi.Input[str]] | None = None,
        env_from: Sequence[EnvFromSourceArgsDict] = (),
        after: Sequence[pulumi.Resource] = (),
        autoscaling: Autoscaling | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        cluster, namespace = place.settings.cluster, place.namespace
        template = pod_template(name, place, served, image=image, env=env, env_from=env_from)
        self.deployment = k8s.apps.v1.Deployment(
            name,
            metadata=workload.metadata(name, namespace),
            spec=deployment_spec(name, cluster, served, template),
            opts=self.child_after(
                *after,
                seconds=served.rollout.deadline_seconds + workload.ROLLOUT_MARGIN_SECONDS,
                # Or each `up` would undo what the autoscaler did. Nor may the number be left out: a field
                # that was ours would fall back to one pod, until the autoscaler looks again.
                left_alone=("spec.replicas",) if autoscaling else (),
            ),
        )
        # Not awaited: Pulumi would add ten seconds to every `up`, and the gate asks through it anyway.
        # After the rollout: pods made by hand may lack the named port, and serve until it is done.
        self.service = k8s.core.v1.Service(
            name,
            metadata=workload.metadata(name, namespace, annotations=workload.SKIP_AWAIT),
            spec={
                "selector": naming.selector(name, cluster),
                "ports": [{"name": "http", "port": naming.SERVICE_PORT, "target_port": "http"}],
            },
            opts=self.child_after(self.deployment),
        )
        if served.replicas > 1 or autoscaling:
            k8s.policy.v1.PodDisruptionBudget(
                name,
                metadata=workload.metadata(name, namespace),
                spec={
                    "max_unavailable": 1,
                    "selector": {"match_labels": naming.selector(name, cluster)},
                    # A pod that does not even run must not hold up the draining of its node.
                    "unhealthy_pod_eviction_policy": "AlwaysAllow",
                },
                opts=self.child,
            )
        if autoscaling:
            k8s.autoscaling.v2.HorizontalPodAutoscaler(
                name,
                metadata=workload.metadata(name, namespace, annotations=workload.SKIP_AWAIT),
                spec=_autoscaler(name, served.replicas, autoscaling),
                opts=self.child,
            )
        self.register_outputs({"deployment": self.deployment.metadata["name"]})


def pod_template(
    name: str,
    place: Place,
    served: Served,
    *,
    image: pulumi.Input[str],
    env: Mapping[str, pulumi.Input[str]] | None,
    env_from: Sequence[EnvFromSourceArgsDict],
) -> PodTemplateSpecArgsDict:
    """One replica, by the image's contract."""
    contract = served.contract
    made = workload.container(
        name,
        image,
        served.resources,
        command=contract.command,
        args=contract.args or None,
        env=env,
        env_from=env_from,
        writable=contract.writable,
        uid=contract.uid,
        gid=contract.gid,
    )
    return workload.pod(
        workload.serving(made, contract.port, contract.probes),
        labels=naming.pod_labels(name, place.settings.cluster),
        pull_secrets=place.pull_secrets,
        spread=True,
        writable=contract.writable,
        gid=contract.gid or contract.uid,
    )


def deployment_spec(
    name: str, cluster: Cluster, served: Served, template: PodTemplateSpecArgsDict
) -> DeploymentSpecArgsDict:
    """How many replicas there are, and how they are rolled."""
    return {
        "replicas": served.replicas,
        "progress_deadline_seconds": served.rollout.deadline_seconds,
        "revision_history_limit": 3,
        "selector": {"match_labels": naming.selector(name, cluster)},
        "strategy": {
            "type": "RollingUpdate",
            "rolling_update": {"max_surge": 1, "max_unavailable": 0},
        },
        "template": template,
    }


def _autoscaler(name: str, replicas: int, autoscaling: Autoscaling) -> HorizontalPodAutoscalerSpecArgsDict:
    return {
        "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": name},
        "min_replicas": replicas,
        "max_replicas": autoscaling.max_replicas,
        "metrics": [
            {
                "type": "Resource",
                "resource": {
                    "name": "cpu",
                    "target": {"type": "Utilization", "average_utilization": autoscaling.cpu_percent},
                },
            }
        ],
    }
