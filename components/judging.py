"""How an `up` ends: the jobs that are run once, then the gate, then what Slack is told of it.

A Job is replaced only when its pod template changes. So the templates carry the release id, the names of
the Secrets, and the generation of everything that runs the application: a way back and a healed drift are
judged too. The generation rises with the number of pods as well; where an autoscaler sets that, the revision
stands for it, which rises with a new pod template alone. Whatever makes the gate anew by these makes the
jobs' runs anew; one that is made anew alone, since it was red, looks for what those runs did, by the moment
at which they began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from components import naming
from components.announcement import Announcement
from components.job_runs import JobRuns
from components.verification import Verification
from model.release import RELEASE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pulumi

    from components.configuration import Secrets
    from components.cronjobs import CronJobs
    from components.place import Place


REVISION = "deployment.kubernetes.io/revision"
"""Written by Kubernetes when a rollout begins, so it is there when Pulumi has awaited one."""


def generation(resource: Any) -> pulumi.Output[str]:
    """`metadata.generation`, or "unknown" in a preview that had no server-side dry run."""
    made: pulumi.Output[str] = resource.metadata.apply(
        lambda metadata: str(getattr(metadata, "generation", None) or "unknown")
    )
    return made


def revision(deployment: Any) -> pulumi.Output[str]:
    """Which rollout it is; "unknown" as above."""
    made: pulumi.Output[str] = deployment.metadata.apply(
        lambda metadata: str((getattr(metadata, "annotations", None) or {}).get(REVISION, "unknown"))
    )
    return made


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
    scaled = {naming.BACKEND} if place.settings.backend.autoscaling else set[str]()
    occasion: dict[str, pulumi.Input[str]] = {
        RELEASE: release,
        **{f"orka-ppm/generation.{key}": generation(judged[key]) for key in judged if key not in scaled},
        **{f"orka-ppm/revision.{key}": revision(judged[key]) for key in judged if key in scaled},
        **{f"orka-ppm/name.{key}": value for key, value in held.items()},
    }
    runs = JobRuns(
        "job-runs", place, templates=jobs.templates, occasion=occasion, after=judged.values(), opts=opts
    )
    gate = Verification(
        "verification", place, image=image, secret=held["checks"],
        release=release, judged=judged, occasion=occasion,
        ran=runs.begun, after=[*after, *runs.jobs], opts=opts,
    )  # fmt: skip
    if place.settings.verification.announce:
        Announcement("announcement", place, image, secrets["slack-webhook-url"], gate.job, opts=opts)
