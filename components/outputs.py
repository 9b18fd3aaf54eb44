"""The stack's outputs: a contract with everything that comes after an `up`. Nothing secret is among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from components import naming
from model.checks import health_urls

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import CronJob, Settings

NAMES = ("namespace", "release_id", "images", "api_url", "frontend_url", "health_urls", "cron_jobs")


def export(
    settings: Settings,
    *,
    namespace: pulumi.Output[str],
    release: pulumi.Output[str],
    images: Mapping[str, pulumi.Output[str]],
) -> None:
    """Export all of them; README.md says what each is."""
    pulumi.export("namespace", namespace)
    pulumi.export("release_id", release)
    pulumi.export("images", dict(images))
    pulumi.export("api_url", settings.api_url)
    pulumi.export("frontend_url", settings.frontend_url)
    pulumi.export("health_urls", health_urls(settings.api_url, settings.frontend_url))
    pulumi.export("cron_jobs", _schedules(settings))


def _schedules(settings: Settings) -> dict[str, str]:
    jobs: dict[str, CronJob] = {
        name: getattr(settings.cron_jobs, task.replace("-", "_")) for task, name in naming.CRON_JOBS.items()
    }
    return {name: job.schedule for name, job in jobs.items()}
