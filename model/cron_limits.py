"""What follows from a cron job's schedule: how old its last success may be, how long a run may take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.jobs import JOB_NAMES, active
from model.schedule import longest_gap_s

if TYPE_CHECKING:
    from model.settings import Settings

UTC = frozenset({"Etc/UTC", "UTC"})
CLOCK_CHANGE_S = 3600


@dataclass(frozen=True)
class Limit:
    """Seconds."""

    age_s: int
    deadline_s: int


def limits(settings: Settings) -> dict[str, Limit]:
    """The limits of each job that is there, by its name in the cluster."""
    margin = settings.monitoring.thresholds.cron_job_margin_seconds
    # A day on which clocks go back has an hour more.
    longer = 0 if settings.cron_jobs.time_zone in UTC else CLOCK_CHANGE_S
    return {
        JOB_NAMES[task]: Limit(
            age_s=longest_gap_s(job.schedule) + longer + job.deadline_seconds + margin,
            deadline_s=job.deadline_seconds + margin,
        )
        for task, job in active(settings).items()
    }


def suspended(settings: Settings) -> list[str]:
    """The jobs that the settings themselves suspend."""
    return [JOB_NAMES[task] for task, job in active(settings).items() if job.suspended]
