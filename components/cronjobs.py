"""The guide's four cron jobs, run with the backend's image under the jobs' own database role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi_kubernetes as k8s

from components import naming, workload
from components.backend import application_env
from components.component import Component
from model.jobs import JOB_NAMES, active

if TYPE_CHECKING:
    import pulumi
    from pulumi_kubernetes.batch.v1 import CronJobSpecArgsDict
    from pulumi_kubernetes.core.v1 import PodTemplateSpecArgsDict

    from components.place import Place
    from model.job_effects import Task
    from model.settings import CronJob

HISTORY = 3
LATE_START_SECONDS = 200


class CronJobs(Component):
    """`jobs` are the resources by the guide's names, `templates` their pods by the settings' names.

    A job goes when its feature is switched off. They wait for the backend's rollout, and with it for the
    migration: one that does not gets the new image though the release has failed.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        image: pulumi.Output[str],
        secret: pulumi.Input[str],
        *,
        backend: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self.jobs: dict[str, k8s.batch.v1.CronJob] = {}
        self.templates: dict[str, PodTemplateSpecArgsDict] = {}
        time_zone = place.settings.cron_jobs.time_zone
        for task, one in active(place.settings).items():
            job_name = JOB_NAMES[task]
            self.templates[task] = job_template(place, task, one, image, secret)
            self.jobs[job_name] = k8s.batch.v1.CronJob(
                job_name,
                metadata=workload.metadata(job_name, place.namespace),
                spec=cron_job_spec(one, time_zone, self.templates[task]),
                opts=self.child_after(backend),
            )
        self.register_outputs({"jobs": list(self.jobs)})


def job_template(
    place: Place, task: Task, one: CronJob, image: pulumi.Output[str], secret: pulumi.Input[str]
) -> PodTemplateSpecArgsDict:
    """The pod of one run. It has the backend's image and variables, and an account of the jobs' own."""
    settings, contract = place.settings, place.settings.backend.contract
    run = workload.container(
        "job",
        image,
        settings.cron_jobs.resources,
        command=one.command,
        args=[*contract.job_command, task] if one.args is None else one.args,
        writable=contract.writable,
        uid=contract.uid,
        gid=contract.gid,
        env={**application_env(settings, image), **one.env},
        env_from=[{"secret_ref": {"name": secret}}],
    )
    return workload.pod(
        run,
        labels=naming.labels(JOB_NAMES[task]),
        pull_secrets=place.pull_secrets,
        restart_policy="Never",
        account=naming.JOBS,
        writable=contract.writable,
        gid=contract.gid or contract.uid,
    )


def cron_job_spec(one: CronJob, time_zone: str, template: PodTemplateSpecArgsDict) -> CronJobSpecArgsDict:
    """When it runs: never beside itself, tried twice, ended by its deadline."""
    return {
        "schedule": one.schedule,
        "time_zone": time_zone,
        "suspend": one.suspended,
        "concurrency_policy": "Forbid",
        "starting_deadline_seconds": LATE_START_SECONDS,
        "successful_jobs_history_limit": HISTORY,
        "failed_jobs_history_limit": HISTORY,
        "job_template": {
            "spec": {
                "backoff_limit": 1,
                # Below the period: a pod whose Secret is gone must not block every later run.
                "active_deadline_seconds": one.deadline_seconds,
                "template": template,
            }
        },
    }
