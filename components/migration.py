"""The migration: an awaited Job that runs `ops migrate apply`.

Auto-named and replaced when image, SQL or address changes. It ends by its own deadline, since nothing else
ends a Job whose image cannot be pulled; a failed one is replaced by the next `up`, not waited for again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from components import naming, workload
from components.awaited_job import awaited_job
from components.component import Component
from components.secrets import AppSecret
from model.plan import Plan, PlanError, load_plan
from model.review import load_review
from model.settings_resources import Resources

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulumi_kubernetes.core.v1 import VolumeArgsDict, VolumeMountArgsDict

    from components.place import Place

SQL = Path(__file__).parents[1] / "sql"
SQL_MOUNT = "/sql"
BACKUP_MOUNT = "/backup"


@dataclass(frozen=True)
class Sql:
    """The migrations, and a line about each by its version."""

    plan: Plan
    review: Mapping[str, str]


def read_sql(folder: Path) -> Sql:
    """The migrations in a folder.

    Raises:
        pulumi.RunError: the folder is not in order.
    """
    try:
        plan = load_plan(folder)
        return Sql(plan, load_review(folder, plan))
    except PlanError as error:
        raise pulumi.RunError(f"{folder.name}: {error}; nothing was changed") from None


class DatabaseMigration(Component):
    """`job` is what everything that uses the schema waits for."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Input[str],
        admin_url: pulumi.Output[str],
        sql: Sql,
        after: pulumi.Resource | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings, namespace, pull_secrets = place.settings, place.namespace, place.pull_secrets
        deadline = settings.migration.deadline_seconds
        # The runner checks that pgvector is there; no value of the extension flows into the Job.
        first = [after] if after is not None else []
        secret = AppSecret(f"{name}-database", namespace, {"DATABASE_URL": admin_url}, self.child)
        files = k8s.core.v1.ConfigMap(
            f"{name}-sql",
            metadata={
                "namespace": namespace,
                # For the reader of a preview: what will be applied, without a connection.
                "annotations": {
                    f"orka-ppm/migration.{version}": line for version, line in sql.review.items()
                },
            },
            immutable=True,
            data=sql.plan.config_map_data,
            opts=self.child,
        )
        # Half of the time for locks, so that the runner ends first and says who held them.
        args = ["migrate", "apply", "--sql-dir", SQL_MOUNT, "--lock-budget", str(deadline // 2)]
        if settings.database.adopt:
            args.append("--adopt")
        mounts: list[VolumeMountArgsDict] = [{"name": "sql", "mount_path": SQL_MOUNT, "read_only": True}]
        volumes: list[VolumeArgsDict] = [_sql_volume(files, sql.plan)]
        if settings.migration.backup is not None:
            # Somebody else's claim: a backup must outlive the stack.
            args += ["--backup-dir", BACKUP_MOUNT]
            mounts.append({"name": "backup", "mount_path": BACKUP_MOUNT})
            claim = settings.migration.backup.claim
            volumes.append({"name": "backup", "persistent_volume_claim": {"claim_name": claim}})
        run = workload.container(
            "migrate",
            image,
            Resources(),
            args=args,
            env_from=[{"secret_ref": {"name": secret.name}}],
            mounts=mounts,
        )
        labels = naming.labels(name)
        pod = workload.pod(
            run, labels=labels, pull_secrets=pull_secrets, restart_policy="Never", volumes=volumes
        )
        self.job = awaited_job(self, name, namespace, pod, labels=labels, seconds=deadline, after=first)
        self.register_outputs({"job": self.job.metadata["name"]})


def _sql_volume(files: k8s.core.v1.ConfigMap, plan: Plan) -> VolumeArgsDict:
    """The SQL, laid out in its folders again."""
    return {
        "name": "sql",
        "config_map": {
            "name": files.metadata["name"],
            "items": [{"key": item["key"], "path": item["path"]} for item in plan.config_map_items],
        },
    }
