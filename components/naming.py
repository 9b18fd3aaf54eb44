"""Names and labels. The guide's names are fixed, because people type them; the rest is Pulumi's to choose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model import monitoring_parts
from model.jobs import active

if TYPE_CHECKING:
    from model.settings import Settings
    from model.settings_cluster import Cluster

WHOLE = "orka-ppm"
"""What every part is a part of, and the name of an object that is for all of them."""
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


def labels(name: str) -> dict[str, str]:
    """The labels of everything that belongs to one part of the application."""
    return {**_own(name), "app.kubernetes.io/managed-by": "pulumi"}


def selector(name: str, cluster: Cluster) -> dict[str, str]:
    """What selects the pods of a part: Deployment, Service and network policies agree on it.

    Never add to it: a Deployment's selector is immutable. For the same reason one that was made by hand keeps
    its own when it is taken over; the settings say it.
    """
    return cluster.selector_by_hand(name) or _own(name)


def pod_labels(name: str, cluster: Cluster) -> dict[str, str]:
    """The labels of the pods of a part: ours, and what its selector asks for."""
    return {**labels(name), **cluster.selector_by_hand(name)}


def _own(name: str) -> dict[str, str]:
    return {"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": WHOLE}


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
    if settings.verification.by_checker:
        found.append(CHECKER)
    return found
