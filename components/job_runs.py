"""Runs jobs once after every real rollout, before the gate, which looks for their effect.

As awaited Jobs of the stack: the gate itself needs no right to make one. Their annotations are the gate's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components import naming
from components.awaited_job import awaited_job
from components.component import Component
from model.jobs import JOB_NAMES, active, run_once

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    import pulumi
    import pulumi_kubernetes as k8s
    from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict

    from components.place import Place
    from model.job_effects import Task


def _begun(status: Any) -> str:
    """What the controller noted; "unknown" in a preview, whose Job has no status, and then red in a gate."""
    return str(getattr(status, "start_time", None) or "unknown")


class JobRuns(Component):
    """`jobs` are the runs, which wait for the rollout alone: all at once. `begun` is when each began."""

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        templates: Mapping[str, PodTemplateSpecArgsDict],
        occasion: Mapping[str, pulumi.Input[str]],
        after: Collection[pulumi.Resource],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        settings = place.settings
        self.jobs: list[k8s.batch.v1.Job] = []
        self.begun: dict[Task, pulumi.Output[str]] = {}
        for task in run_once(settings):
            labels = naming.labels(JOB_NAMES[task])
            seconds = min(active(settings)[task].deadline_seconds, settings.verification.deadline_seconds)
            pod: PodTemplateSpecArgsDict = {
                **templates[task],
                "metadata": {"labels": labels, "annotations": occasion},
            }
            job = awaited_job(
                self, f"run-{task}", place.namespace, pod,
                labels=labels, seconds=seconds, after=after,
            )  # fmt: skip
            self.jobs.append(job)
            self.begun[task] = job.status.apply(_begun)
        self.register_outputs({"jobs": [job.metadata["name"] for job in self.jobs]})
