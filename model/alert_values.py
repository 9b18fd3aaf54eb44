"""What the placeholders of `manifests/alerts.yaml` stand for in a stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model import cron_limits, health, scrape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings

GIGABYTE = 1024**3
# How many times faster than allowed: within an hour 2 % of what may fail in 30 days, within six hours 5 %,
# within one day and within three days 10 %.
BURN_RATES = {"1h": 14.4, "6h": 6.0, "1d": 3.0, "3d": 1.0}


def values_of(settings: Settings) -> Mapping[str, str]:
    """What the placeholders stand for."""
    limits, namespace = settings.monitoring.thresholds, settings.cluster.namespace
    named = {key.replace("_", "-"): str(value) for key, value in limits.model_dump().items()}
    # Our own Prometheus knows nobody else, and gives its targets no namespace.
    here = f',namespace="{namespace}"' if settings.monitoring.mode == "operator" else ""
    return {
        **named,
        "namespace": namespace,
        "kubernetes": f'job="orka-kubernetes",namespace="{namespace}"',
        "here": here,
        "recorded": f'{{namespace="{namespace}"}}',
        "in-jobs": f'{{job=~"orka-.+"{here}}}',
        "missing-jobs": " or ".join(
            f'absent(up{{job="{job}"{here}}})' for job in scrape.expected_jobs(settings)
        ),
        # As Traefik calls the services of an Ingress; a namespace whose name begins as ours does has its own.
        "traefik-services": f"{namespace}-(backend|frontend)-http@kubernetes",
        "hosts": "|".join(host.replace(".", "[.]") for host in settings.edge_hosts),
        "health-targets": str(len(health.watched(settings))),
        "error-ratio": _share(limits.error_percent),
        "requests-per-second": f"{limits.requests_per_minute / 60:g}",
        "latency-seconds": f"{limits.latency_ms / 1000:g}",
        "latency-elevated-seconds": f"{limits.latency_elevated_ms / 1000:g}",
        **_burns(limits.availability_percent),
        "quota-ratio": _share(limits.quota_percent),
        "redis-memory-ratio": _share(limits.redis_memory_percent),
        "database-connections-ratio": _share(limits.database_connections_percent),
        "database-growth-bytes": str(limits.database_growth_gb_per_day * GIGABYTE),
        "database-growth-page-bytes": str(limits.database_growth_page_gb_per_day * GIGABYTE),
        "suspended-jobs": "|".join(cron_limits.suspended(settings)),
    }


def _share(percent: float) -> str:
    return f"{percent / 100:g}"


def _burns(availability_percent: float | None) -> dict[str, str]:
    """The share of errors, by window, at which a promise for 30 days is being missed."""
    if availability_percent is None:
        return {}
    may_fail = 100 - availability_percent
    return {f"burn-{window}": _share(times * may_fail) for window, times in BURN_RATES.items()}
