"""Names and labels. The guide's names are fixed, because people type them; the rest is Pulumi's to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model import monitoring_parts
from model.jobs import active

if TYPE_CHECKING:
    from model.settings import Settings

APPLICATION = "orka-ppm"
BACKEND = "backend"
FRONTEND = "frontend"
MIGRATION = "migration"
VERIFICATION = "verification"
ANNOUNCEMENT = "announcement"
FLUENTD = "fluentd"
CHECKER = "checker"
JOBS = "cron-jobs"
CHECKER_PORT = 8080
SERVICE_PORT = 80


def selector(name: str) -> dict[str, str]:
    """What a Service and a Deployment select by. Never add to it: a Deployment's selector is immutable."""
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": APPLICATION}


def labels(name: str) -> dict[str, str]:
    """The labels of everything that belongs to one part of the application."""
    return {**selector(name), "app.kubernetes.io/managed-by": "pulumi"}


def parts(settings: Settings) -> list[str]:
    """Every part of the stack that has pods under these settings."""
    found = [BACKEND, MIGRATION]
    if settings.frontend.target == "kubernetes":
        found.append(FRONTEND)
    if active(settings):
        found.append(JOBS)
    found += monitoring_parts.parts(settings)
    if settings.logging.sink != "none":
        found.append(FLUENTD)
    if settings.verification.enabled:
        found.append(VERIFICATION)
        if settings.verification.announce:
            found.append(ANNOUNCEMENT)
    if settings.verification.checker:
        found.append(CHECKER)
    return found
