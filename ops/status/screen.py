"""Puts the screen together: what should run beside what does, and every fault by name. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from ops.checks import gate_job
from ops.cluster import objects
from ops.counted import counted
from ops.status import drift, jobs, missing
from ops.status.ages import age

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from model.verification_output import Told

SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Service:
    """One Deployment and its pods; `matches` is None where nobody says which image it should be."""

    name: str
    ready: int
    wanted: int
    restarts: int
    digest: str
    matches: bool | None
    age: str
    waiting: tuple[str, ...]

    @property
    def fault(self) -> str | None:
        """What is wrong with it."""
        if self.waiting:
            return f"{self.name}: {self.waiting[0]}"
        if self.ready != self.wanted:
            return f"{self.name} has {counted(self.ready, 'ready pod')}, expected {self.wanted}"
        return f"{self.name} runs another image than the release" if self.matches is False else None


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What runs now. `checks` is how the last gate ended, `certificates` say their state by host.

    `missing` are faults too: of what should be there and is not.
    """

    release_id: str
    services: tuple[Service, ...]
    jobs: tuple[jobs.CronJob, ...]
    checks: str | None
    certificates: Mapping[str, str] = field(default_factory=dict)
    drift: tuple[drift.Drift, ...] = ()
    missing: tuple[str, ...] = ()

    def faults(self) -> list[str]:
        """Everything that is not as it should be."""
        faults = (*(part.fault for part in self.services), *(job.fault for job in self.jobs))
        found = [*self.missing, *(fault for fault in faults if fault)]
        if self.checks and self.checks.startswith("failed"):
            found.append(f"the last verification {self.checks}")
        found += [f"{host}: {state}" for host, state in self.certificates.items() if state != "good"]
        return found + [f"drift: {entry}" for entry in self.drift]

    def json(self) -> dict[str, Any]:
        """The screen as data, schema version 1."""
        return {"schema_version": SCHEMA, **asdict(self), "faults": self.faults()}


def read(
    items: Iterable[Mapping[str, Any]],
    outputs: Mapping[str, Any],
    told: Told,
    certificates: Mapping[str, str],
    now: datetime,
) -> Screen:
    """Return the screen of these documents beside the stack's outputs and what they tell of its settings."""
    found = list(items)
    images = outputs.get("images") or {}
    images = {**images, **told.references(images)}
    newest = next(iter(gate_job.awaited(found, gate_job.GATE)), None)
    checks = jobs.ended(newest)
    return Screen(
        release_id=str(outputs.get("release_id", "unknown")),
        services=tuple(_service(item, found, images, now) for item in objects.of(found, "Deployment")),
        jobs=tuple(jobs.read(found, now, told.suspended_cron_jobs)),
        checks=checks,
        certificates=dict(certificates),
        drift=tuple(drift.foreign(found)),
        missing=(
            *missing.deployments(found, outputs, told),
            *missing.cron_jobs(found, outputs),
            *missing.gate(checks, told),
        ),
    )


def _service(
    item: Mapping[str, Any], items: list[Mapping[str, Any]], images: Mapping[str, str], now: datetime
) -> Service:
    name = objects.name(item)
    pods = objects.pods_of(items, name)
    running = {image for pod in pods for image in objects.images(pod)}
    return Service(
        name=name,
        ready=sum(objects.is_ready(pod) for pod in pods),
        wanted=int(item.get("spec", {}).get("replicas", 1)),
        restarts=sum(objects.restarts(pod) for pod in pods),
        digest=", ".join(sorted(image.rpartition("@")[2][:19] for image in running)) or "-",
        matches=running <= {images[name]} if name in images else None,
        age=age(objects.moment(item["metadata"].get("creationTimestamp")), now),
        waiting=tuple(
            f"pod {objects.name(pod)} does not run: {reason}"
            for pod in pods
            if (reason := objects.waiting_reason(pod))
        ),
    )


def text(screen: Screen) -> str:
    """Return the screen as lines."""
    rows: list[tuple[str, ...]] = [("SERVICE", "READY", "RESTARTS", "IMAGE", "AGE")]
    rows += [(s.name, f"{s.ready}/{s.wanted}", str(s.restarts), s.digest, s.age) for s in screen.services]
    certificates = [f"certificate  {host}: {state}" for host, state in screen.certificates.items()]
    faults = screen.faults()
    return "\n".join(
        [
            f"release      {screen.release_id}",
            f"last checks  {screen.checks or 'none'}",
            *certificates,
            "",
            jobs.aligned(rows),
            "",
            jobs.table(screen.jobs),
            "",
            *(f"! {fault}" for fault in faults),
            counted(len(faults), "fault") if faults else "all as it should be",
        ]
    )
