"""The cron jobs as the guide's table, and how the last run of each ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.cluster import objects
from ops.status.ages import age

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

HEAD = ("NAME", "SCHEDULE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE", "LAST RUN")


@dataclass(frozen=True, kw_only=True)
class CronJob:
    """One cron job; `last_run` is `succeeded`, `running`, `failed: <reason>` or None before the first."""

    name: str
    schedule: str
    suspended: bool
    active: int
    last_schedule: str
    age: str
    last_run: str | None

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        if self.suspended:
            return f"{self.name} is suspended"
        failed = self.last_run is not None and self.last_run.startswith("failed")
        return f"the last run of {self.name} {self.last_run}" if failed else None


def read(items: Iterable[Mapping[str, Any]], now: datetime) -> list[CronJob]:
    """Return the cron jobs of these documents, by name."""
    found = list(items)
    return [
        CronJob(
            name=objects.name(item),
            schedule=str(item.get("spec", {}).get("schedule", "")),
            suspended=bool(item.get("spec", {}).get("suspend", False)),
            active=len(item.get("status", {}).get("active") or []),
            last_schedule=age(objects.moment(item.get("status", {}).get("lastScheduleTime")), now),
            age=age(objects.moment(item["metadata"].get("creationTimestamp")), now),
            last_run=ended(next(iter(objects.jobs_of(found, objects.name(item))), None)),
        )
        for item in objects.of(found, "CronJob")
    ]


def ended(job: Mapping[str, Any] | None) -> str | None:
    """Return how a Job ended, None where there is none."""
    if job is None:
        return None
    if failed := objects.condition(job, "Failed"):
        return f"failed: {failed.get('reason', 'no reason')}"
    return "succeeded" if objects.condition(job, "Complete") else "running"


def table(jobs: Iterable[CronJob]) -> str:
    """Return the guide's table, and the last run beside it."""
    rows = [
        (
            job.name,
            job.schedule,
            str(job.suspended),
            str(job.active),
            job.last_schedule,
            job.age,
            job.last_run or "-",
        )
        for job in jobs
    ]
    return aligned([HEAD, *rows])


def aligned(rows: list[tuple[str, ...]]) -> str:
    """Return rows as columns with three blanks between, as kubectl does."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
