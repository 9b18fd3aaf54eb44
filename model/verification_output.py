"""What the stack tells the operator's shell of its settings: the output `verification`. Nothing secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

from model import cron_limits, monitoring_parts
from model.check_defaults import Profile  # noqa: TC001 - pydantic reads the annotations
from model.check_kinds import Pattern  # noqa: TC001
from model.settings_checks import OwnCall, OwnHealth  # noqa: TC001

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings


class Told(BaseModel):
    """That output; each default is what is assumed of an older stack, which does not say it.

    `gate` says whether every rollout ends with one. `deployments` are all that there should be, each with
    its image's name in the output `images`; `bundle_hosts` are those that the page may name beside its own
    and the API's; `suspended_cron_jobs` are those that the settings themselves suspend;
    `operator` says whether there are objects for an operator of monitoring among the stack's;
    `time_zone` is that of all their schedules; `log_allow` are patterns of lines of logs that are no faults;
    `provided` are the addresses of which they say who answers, `health` and `functional` their own checks.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    gate: bool = False
    profile: Profile = "guide"
    checker: bool = True
    provided: tuple[str, ...] = ()
    version: str | None = None
    bundle_hosts: tuple[str, ...] | None = None
    latency_ms: dict[str, int] = Field(default_factory=dict)
    deployments: dict[str, str] = {"backend": "backend", "frontend": "frontend"}
    suspended_cron_jobs: tuple[str, ...] = ()
    operator: bool = False
    time_zone: str | None = None
    log_allow: tuple[Pattern, ...] = ()
    health: tuple[OwnHealth, ...] = ()
    functional: tuple[OwnCall, ...] = ()

    def references(self, images: Mapping[str, str]) -> dict[str, str]:
        """By Deployment the image that it should run, where the stack has one."""
        return {name: images[image] for name, image in self.deployments.items() if image in images}

    def output(self) -> dict[str, Any]:
        """The same as it is exported."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def told(settings: Settings) -> Told:
    """What these settings make of it."""
    wanted = settings.verification
    return Told(
        gate=wanted.enabled,
        profile=wanted.profile,
        checker=wanted.checker,
        provided=tuple(sorted(wanted.provided)),
        version=wanted.version,
        bundle_hosts=bundle_hosts(settings),
        latency_ms=wanted.latency_ms.model_dump(),
        deployments=_deployments(settings),
        suspended_cron_jobs=tuple(cron_limits.suspended(settings)),
        operator=settings.monitoring.mode == "operator",
        time_zone=settings.cron_jobs.time_zone,
        log_allow=wanted.log_allow,
        health=wanted.health,
        functional=wanted.functional,
    )


def bundle_hosts(settings: Settings) -> tuple[str, ...]:
    """What the page may name beside its own host and the API's."""
    supabase = urlsplit(settings.supabase.url).hostname or ""
    return tuple(sorted({supabase, *settings.verification.bundle_hosts}))


def _deployments(settings: Settings) -> dict[str, str]:
    found = {"backend": "backend"}
    if settings.frontend.target == "kubernetes":
        found["frontend"] = "frontend"
    found |= {part: part for part in monitoring_parts.parts(settings)}
    if monitoring_parts.KUBE_METRICS in found:
        found[monitoring_parts.KUBE_METRICS] = "ops"
    if settings.logging.sink != "none":
        found["fluentd"] = "fluentd"
    if settings.verification.by_checker:
        found["checker"] = "ops"
    return found
