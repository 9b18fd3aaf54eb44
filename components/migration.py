"""The migration: an awaited Job that runs `ops migrate apply`.

Auto-named and replaced when image, SQL or address changes. It ends by its own deadline, since nothing else
ends a Job whose image cannot be pulled; a failed one is replaced by the next `up`, not waited for again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.component import Component
from components.secrets import AppSecret
from model.settings import Resources

if TYPE_CHECKING:
    import pulumi

    from components.place import Place
    from model.plan import Plan

SQL_MOUNT = "/sql"
# Pulumi waits a little longer than the Job may take, so that the Job's own reason is what fails the `up`.
MARGIN_SECONDS = 60


class DatabaseMigration(Component):
    """`job` is what everything that uses the schema waits for."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Input[str],
        admin_url: pulumi.Output[str],
        plan: Plan,
        after: pulumi.Resource | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings, namespace, pull_secrets = place.settings, place.namespace, place.pull_secrets
        deadline = settings.migration.deadline_seconds
        # Half of it for locks, so that the runner ends first and says who held them.
        limits = ["--lock-budget", str(deadline // 2)]
        adopt = ["--adopt"] if settings.database.adopt else []
        # The runner checks that pgvector is there; no value of the extension flows into the Job.
        first = [after] if after is not None else []
        secret = AppSecret(f"{name}-database", namespace, {"DATABASE_URL": admin_url}, self.child)
        files = k8s.core.v1.ConfigMap(
            f"{name}-sql",
            metadata={"namespace": namespace},
            immutable=True,
            data=plan.config_map_data,
            opts=self.child,
        )
        run = workload.container(
            "migrate",
            image,
            Resources(),
            args=["migrate", "apply", "--sql-dir", SQL_MOUNT, *limits, *adopt],
            env_from=[{"secret_ref": {"name": secret.name}}],
            mounts=[{"name": "sql", "mount_path": SQL_MOUNT, "read_only": True}],
        )
        self.job = k8s.batch.v1.Job(
            name,
            metadata={
                "namespace": namespace,
                "labels": naming.labels(name),
                "annotations": {"pulumi.com/replaceUnready": "true"},
            },
            spec={
                "backoff_limit": 0,
                "active_deadline_seconds": deadline,
                "template": workload.pod(
                    run,
                    labels=naming.labels(name),
                    pull_secrets=pull_secrets,
                    restart_policy="Never",
                    volumes=[
                        {
                            "name": "sql",
                            "config_map": {
                                "name": files.metadata["name"],
                                "items": [
                                    {"key": item["key"], "path": item["path"]}
                                    for item in plan.config_map_items
                                ],
                            },
                        }
                    ],
                ),
            },
            opts=self.child_after(*first, seconds=deadline + MARGIN_SECONDS),
        )
        self.register_outputs({"job": self.job.metadata["name"]})
