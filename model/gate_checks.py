"""From the settings to what the gate checks: by the Services' names, not by the edge or public DNS."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from model import health
from model.check_defaults import Wanted
from model.checks import TokenSource
from model.job_effects import Task
from model.jobs import active
from model.verification_output import bundle_hosts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings


def wanted_of(settings: Settings, release: str, ran: Mapping[Task, str], contract: str) -> Wanted:
    """What the gate's checks are made from; `contract` is the path of its file, `ran` when each job began."""
    wanted = settings.verification
    own = {settings.edge.api_host, settings.edge.frontend_host}
    return Wanted(
        release_id=release,
        api_url=health.BACKEND,
        frontend_url=health.frontend_url(settings),
        token=TokenSource(supabase_url=settings.supabase.url),
        health=health.inside(settings),
        profile=wanted.profile,
        latency_ms=wanted.latency_ms.model_dump(),
        version=wanted.version,
        hosts=tuple(filter(None, {*own, *bundle_hosts(settings)})),
        checker=wanted.checker,
        provided=wanted.provided,
        own_health=wanted.health,
        own_functional=wanted.functional,
        ran=ran,
        own_effects=_effects(settings),
        contract=contract,
    )


def _effects(settings: Settings) -> dict[Task, str]:
    jobs = active(settings)
    return {task: effect for task in get_args(Task) if task in jobs and (effect := jobs[task].effect)}
