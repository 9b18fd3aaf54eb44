"""How an `up` ends: the jobs that are run once, then the gate, then what Slack is told of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.announcement import Announcement
from components.job_runs import JobRuns
from components.verification import Verification

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi

    from components.configuration import Secrets
    from components.cronjobs import CronJobs
    from components.place import Place


def judge(
    place: Place,
    image: pulumi.Output[str],
    secrets: Secrets,
    held: Mapping[str, pulumi.Output[str]],
    jobs: CronJobs,
    *,
    release: pulumi.Output[str],
    judged: Mapping[str, pulumi.CustomResource],
    after: Sequence[pulumi.Resource],
    opts: pulumi.ResourceOptions,
) -> None:
    """Judge the parts in `judged`, once they and what else is named are there; `held` are their Secrets."""
    runs = JobRuns(
        "job-runs", place, templates=jobs.templates, release=release, judged=judged, opts=opts
    ).jobs
    gate = Verification(
        "verification", place, image=image, secret=held["checks"],
        release=release, judged=judged, names=held, after=[*after, *runs], opts=opts,
    )  # fmt: skip
    if place.settings.verification.announce:
        Announcement("announcement", place, image, secrets["slack-webhook-url"], gate.job, opts=opts)
