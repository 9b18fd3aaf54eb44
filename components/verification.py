"""The gate: a Job that runs `ops checks` inside the cluster after every real rollout.

When it fails, the **new** version serves and the `up` is red.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
import pulumi_kubernetes as k8s

from components import naming, workload
from components.awaited_job import awaited_job
from components.component import Component
from components.migration import SQL
from model.check_defaults import default_checks
from model.checks import render
from model.gate_checks import wanted_of
from model.plan import CONTRACT
from model.settings_resources import Resources

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from components.place import Place
    from model.job_effects import Task
    from model.settings import Settings

CHECKS_MOUNT = "/checks"
# Of the Job's time: for a place on a node, the pull of the image, and the reason that is written at the end.
AROUND_THE_CHECKS_SECONDS = 60


def run_seconds(whole: int) -> float:
    """How long the checks may take of the Job's time, so that they end by themselves and say what was red."""
    return max(whole - AROUND_THE_CHECKS_SECONDS, whole / 2)


def checks_file(settings: Settings, release: str, ran: Mapping[Task, str] | None = None) -> str:
    """The checks as JSON."""
    return render(default_checks(wanted_of(settings, release, ran or {}, f"{CHECKS_MOUNT}/{CONTRACT}")))


class Verification(Component):
    """The gate's Job and the ConfigMap of its checks."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Input[str],
        secret: pulumi.Input[str],
        release: pulumi.Output[str],
        judged: Mapping[str, pulumi.CustomResource],
        occasion: Mapping[str, pulumi.Input[str]],
        ran: Mapping[Task, pulumi.Output[str]],
        after: Sequence[pulumi.Resource] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings, namespace, pull_secrets = place.settings, place.namespace, place.pull_secrets
        seconds = settings.verification.deadline_seconds
        checks = k8s.core.v1.ConfigMap(
            name,
            metadata={"namespace": namespace},
            immutable=True,
            data={
                "checks.json": pulumi.Output.all(release=release, ran=dict(ran)).apply(
                    lambda known: checks_file(settings, known["release"], known["ran"])
                ),
                CONTRACT: (SQL / CONTRACT).read_text(encoding="utf-8"),
            },
            opts=self.child,
        )
        run = workload.container(
            "checks",
            image,
            Resources(),
            args=[
                "checks",
                "--from-file",
                f"{CHECKS_MOUNT}/checks.json",
                "--deadline",
                f"{run_seconds(seconds):g}",
            ],
            env_from=[{"secret_ref": {"name": secret}}],
            mounts=[{"name": "checks", "mount_path": CHECKS_MOUNT, "read_only": True}],
        )
        labels = naming.labels(name)
        pod = workload.pod(
            run,
            labels=labels,
            annotations=occasion,
            pull_secrets=pull_secrets,
            restart_policy="Never",
            volumes=[{"name": "checks", "config_map": {"name": checks.metadata["name"]}}],
        )
        self.job = awaited_job(
            self, name, namespace, pod, labels=labels, seconds=seconds, after=[*judged.values(), *after]
        )
        self.register_outputs({"job": self.job.metadata["name"]})
