"""What is watched, from when on it is an alert, and where alerts go."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from model.settings_base import DnsLabel, HttpUrl, Seconds, Strict, Text, an_address
from model.settings_resources import Resources

Percent = Annotated[int, Field(ge=1, le=100)]
HostPort = Annotated[
    str,
    Text(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?:[0-9]{1,5}", "expected HOST:PORT, no scheme and no path"),
    AfterValidator(lambda target: an_address(f"//{target}").removeprefix("//")),
]
SMALL = Resources.model_validate(
    {"cpu-request": "10m", "memory-request": "32Mi", "memory-limit": "128Mi"},
)


def _not_the_rest_address(url: str) -> str:
    if url.startswith("https://api.pagerduty.com"):
        message = "is PagerDuty's REST API, which takes no events; its Events API is events.pagerduty.com"
        raise ValueError(message)
    return url


class Thresholds(Strict):
    """From when on it is an alert. Times that follow from the cron jobs' schedules are not among them."""

    health_seconds: Seconds = 300
    error_percent: Percent = 5
    error_seconds: Seconds = 300
    requests_per_minute: int = Field(default=6, ge=0)
    """Below this much traffic no share of errors and no latency says anything."""
    latency_ms: int = Field(default=500, ge=1)
    latency_elevated_ms: int = Field(default=200, ge=1)
    availability_percent: float | None = Field(default=99.9, ge=95, lt=100)
    """Of the requests in 30 days so many shall succeed; None: nobody promised anything."""
    pod_seconds: Seconds = 600
    certificate_warn_days: int = Field(default=14, ge=1)
    certificate_page_days: int = Field(default=3, ge=1)
    redis_memory_percent: Percent = 90
    database_connections_percent: Percent = 90
    database_growth_gb_per_day: int = Field(default=10, ge=1)
    database_growth_page_gb_per_day: int = Field(default=20, ge=1)
    log_buffer_percent: Percent = 90
    quota_percent: Percent = 90
    cron_job_margin_seconds: Seconds = 600
    """How much later than its schedule says a cron job may succeed."""

    @model_validator(mode="after")
    def _warns_before_it_pages(self) -> Self:
        for lower, higher in (
            ("certificate-page-days", "certificate-warn-days"),
            ("latency-elevated-ms", "latency-ms"),
            ("database-growth-gb-per-day", "database-growth-page-gb-per-day"),
        ):
            if getattr(self, lower.replace("-", "_")) >= getattr(self, higher.replace("-", "_")):
                message = f"`{lower}` must be below `{higher}`"
                raise ValueError(message)
        return self


class EdgeMetrics(Strict):
    """Whose counters say how many requests failed; without `targets` nobody's."""

    source: Literal["ingress-nginx", "traefik", "caddy"] = "ingress-nginx"
    targets: tuple[HostPort, ...] = ()


class Operator(Strict):
    """Where a Prometheus operator works: its namespace, and the labels by which it finds objects."""

    namespace: DnsLabel = "monitoring"
    labels: dict[str, str] = Field(default_factory=lambda: {"release": "kube-prometheus-stack"})


class Monitoring(Strict):
    """Prometheus and Alertmanager in the stack, or what an operator makes them of, or nothing."""

    mode: Literal["standalone", "operator", "none"] = "standalone"
    retention: Annotated[str, Text(r"[0-9]+[hdw]", "expected a time like 12h, 7d or 2w")] = "7d"
    scrape_interval_seconds: Seconds = 30
    clock_divisor: int = Field(default=1, ge=1, le=60)
    """For rehearsals: every wait and window of the alerts is so many times shorter."""
    backend_metrics: bool = True
    """Off for an application that serves no /metrics."""
    edge_metrics: EdgeMetrics = EdgeMetrics()
    thresholds: Thresholds = Thresholds()
    pagerduty_url: Annotated[HttpUrl, AfterValidator(_not_the_rest_address)] = (
        "https://events.pagerduty.com/v2/enqueue"
    )
    watchdog_url: HttpUrl | None = None
    """Told at every turn that alerting lives; who is not told for a while must raise the alarm."""
    runbook_url: HttpUrl = "https://github.com/orka-ppm/staging/blob/main/docs/runbook.md"
    team: DnsLabel = "orka-ppm"
    """Whose the alerts are, for who routes those of many teams."""
    operator: Operator = Operator()
    resources: Resources = Resources.model_validate({"memory-request": "256Mi", "memory-limit": "1Gi"})
