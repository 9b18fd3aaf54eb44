"""The checker: answers the guide's health addresses of database, Redis and OpenAI for an application without.

It asks with the backend's own login and keys, so that what it says is what the backend would find, and
is given no further ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from model.settings_contract import Probes
from model.settings_resources import Resources

if TYPE_CHECKING:
    import pulumi

    from components.place import Place

ROLLOUT_SECONDS = 120


class Checker(Component):
    """The Deployment and Service `checker`; the edge routes the three addresses to it."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Input[str],
        secret: pulumi.Input[str],
        after: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings = place.settings
        env: dict[str, pulumi.Input[str]] = {
            "REDIS_URL": settings.redis.url,
            "OPENAI_BASE_URL": settings.openai.base_url,
        }
        if settings.openai.organization:
            env["OPENAI_ORG_ID"] = settings.openai.organization
        made = workload.container(
            name, image, Resources(), args=["checker"], env=env, env_from=[{"secret_ref": {"name": secret}}]
        )
        self.deployment = k8s.apps.v1.Deployment(
            name,
            metadata=workload.metadata(naming.CHECKER, place.namespace),
            spec={
                "replicas": 1,
                "progress_deadline_seconds": ROLLOUT_SECONDS,
                "revision_history_limit": 3,
                "selector": {"match_labels": naming.selector(naming.CHECKER, settings.cluster)},
                "strategy": {
                    "type": "RollingUpdate",
                    "rolling_update": {"max_surge": 1, "max_unavailable": 0},
                },
                "template": workload.pod(
                    workload.serving(made, naming.CHECKER_PORT, Probes()),
                    labels=naming.labels(naming.CHECKER),
                    pull_secrets=place.pull_secrets,
                ),
            },
            opts=self.child_after(after, seconds=ROLLOUT_SECONDS + workload.ROLLOUT_MARGIN_SECONDS),
        )
        k8s.core.v1.Service(
            name,
            metadata=workload.metadata(naming.CHECKER, place.namespace, annotations=workload.SKIP_AWAIT),
            spec={
                "selector": naming.selector(naming.CHECKER, settings.cluster),
                "ports": [{"name": "http", "port": naming.SERVICE_PORT, "target_port": "http"}],
            },
            opts=self.child,
        )
        self.register_outputs({"deployment": self.deployment.metadata["name"]})
