"""The cron jobs as the guide's table, and how the last run of each ended. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ops.checks.workloads import suspension_fault
from ops.cluster import objects
from ops.status.ages import age

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import datetime

HEAD = ("NAME", "SCHEDULE", "SUSPEND", "ACTIVE", "LAST SCHEDULE", "AGE", "LAST RUN")


@dataclass(frozen=True, kw_only=True)
class CronJob:
    """One cron job; `last_run` is `succeeded` or `failed: <reason>`; `running` the first time, None before.

    A run under way is counted by `active`, and does not hide how the one before it ended.
    `meant_to_rest` says whether the settings suspend it.
    """

    name: str
    schedule: str
    suspended: bool
    active: int
    last_schedule: str
    age: str
    last_run: str | None
    meant_to_rest: bool = False

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        if fault := suspension_fault(self.name, is_so=self.suspended, meant=self.meant_to_rest):
            return fault
        if self.meant_to_rest or self.last_run is None or not self.last_run.startswith("failed"):
            return None
        return f"the last run of {self.name} {self.last_run}"


def read(items: Iterable[Mapping[str, Any]], now: datetime, resting: Collection[str]) -> list[CronJob]:
    """Return the cron jobs of these documents, by name; `resting` are those that the settings suspend."""
    found = list(items)
    return [
        CronJob(
            name=objects.name(item),
            schedule=str(item.get("spec", {}).get("schedule", "")),
            suspended=bool(item.get("spec", {}).get("suspend", False)),
            active=len(item.get("status", {}).get("active") or []),
            last_schedule=age(objects.moment(item.get("status", {}).get("lastScheduleTime")), now),
            age=age(objects.moment(item["metadata"].get("creationTimestamp")), now),
            last_run=_last_run(found, objects.name(item)),
            meant_to_rest=objects.name(item) in resting,
        )
        for item in objects.of(found, "CronJob")
    ]


def _last_run(items: list[Mapping[str, Any]], name: str) -> str | None:
    newest = next(iter(objects.jobs_of(items, name)), None)
    return ended(objects.last_ended(items, name) or newest)


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
