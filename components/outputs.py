"""The stack's outputs: a contract with everything that comes after an `up`. Nothing secret is among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi

from model.health import health_urls
from model.jobs import JOB_NAMES, active
from model.settings_edge import record_type
from model.verification_output import told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings

NAMES = (
    "namespace",
    "release_id",
    "images",
    "api_url",
    "frontend_url",
    "health_urls",
    "cron_jobs",
    "dns_records",
    "verification",
)


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
    pulumi.export("dns_records", _dns_records(settings))
    pulumi.export("verification", told(settings).output())


def _schedules(settings: Settings) -> dict[str, str]:
    return {JOB_NAMES[task]: job.schedule for task, job in active(settings).items()}


def _dns_records(settings: Settings) -> dict[str, str]:
    """By host what its name has to lead to: the address where it is known, or words that say which."""
    address, hosts = settings.edge.address, settings.edge_hosts
    if address is None:
        return dict.fromkeys(hosts, "the address of the ingress controller; edge.address is not set")
    return {host: f"{record_type(address)} {address}" for host in hosts}
