"""What Prometheus asks, and how: its own configuration, for the one in the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from model import health
from model.fluentd import METRICS_PORT
from model.monitoring_parts import ALERTMANAGER, BLACKBOX, KUBE_METRICS, PORTS, POSTGRES, PROMETHEUS, REDIS
from model.reachability import DEFAULT_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.settings import Settings

Json = dict[str, Any]
RULES_FILE = "/etc/orka-prometheus/rules.yaml"
BACKEND_PODS = "backend-pods"
"""The Service without an address of its own, whose name answers with every pod."""
LONGEST_ANSWER_S = 10
CONNECTS_IN_A_ROW = 2
"""The exporter of PostgreSQL, before it gives up."""
# Who is asked under which name of a job; the rules know the jobs.
EXPORTERS = {"orka-redis": REDIS, "orka-database": POSTGRES, "orka-kubernetes": KUBE_METRICS}
HEALTH_JOB, CERTIFICATES_JOB, BACKEND_JOB = "orka-health", "orka-certificates", "orka-backend"
LOGS_JOB, LOGS_SERVICE = "orka-logs", "fluentd-metrics"
JSON_MODULE, PAGE_MODULE, TLS_MODULE = "health_json", "page", "certificate"
DEEPEST_ANSWER = 6
"""So many objects in each other may stand before the field."""


def configuration(settings: Settings) -> Json:
    """The whole file."""
    interval = settings.monitoring.scrape_interval_seconds
    own = {f"orka-{name}": _place(name) for name in (ALERTMANAGER, BLACKBOX)}
    exporters = {job: _place(name) for job, name in EXPORTERS.items()}
    static = {f"orka-{PROMETHEUS}": f"localhost:{PORTS[PROMETHEUS]}", **own, **exporters}
    jobs = [_static(job, [address]) for job, address in static.items()]
    if settings.monitoring.edge_metrics.targets:
        jobs.append(_static("orka-edge", settings.monitoring.edge_metrics.targets))
    if settings.monitoring.backend_metrics:
        jobs.append(_backend(settings))
    if settings.logging.sink != "none":
        jobs.append(_static(LOGS_JOB, [f"{LOGS_SERVICE}:{METRICS_PORT}"]))
    jobs += [
        _probes(HEALTH_JOB, health_probes(settings)),
        _probes(CERTIFICATES_JOB, certificate_probes(settings)),
    ]
    return {
        "global": {
            "scrape_interval": f"{interval}s",
            "scrape_timeout": f"{_patience_s(settings)}s",
            "evaluation_interval": f"{interval}s",
            "external_labels": {"environment": settings.cluster.namespace},
        },
        "rule_files": [RULES_FILE],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [_place(ALERTMANAGER)]}]}]},
        "scrape_configs": jobs,
    }


def _patience_s(settings: Settings) -> int:
    return min(settings.monitoring.scrape_interval_seconds, LONGEST_ANSWER_S)


def connect_within_s(settings: Settings) -> int:
    """For how long an exporter may wait for a connection, to say in time that it got none.

    Packets that are dropped are answered by nobody: an exporter that waits as long as Prometheus is taken
    for away itself, and of what it asks nothing is said.
    """
    return max(1, _patience_s(settings) // (CONNECTS_IN_A_ROW + 1))


def expected_jobs(settings: Settings) -> tuple[str, ...]:
    """Whose answers the rules need in either mode; of the health addresses each is missed by its own name."""
    return (
        *EXPORTERS,
        f"orka-{BLACKBOX}",
        *([CERTIFICATES_JOB] if certificate_probes(settings) else []),
        *([LOGS_JOB] if settings.logging.sink != "none" else []),
    )


def health_probes(settings: Settings) -> dict[str, tuple[str, str]]:
    """What is asked and how it is judged, by the name that alerts call it."""
    return {
        name: (url, PAGE_MODULE if name == health.PAGE else JSON_MODULE)
        for name, url in health.watched(settings).items()
    }


def certificate_probes(settings: Settings) -> dict[str, tuple[str, str]]:
    """The edge's hosts as the world reaches them, and the page's own where that is hosted elsewhere."""
    places = dict.fromkeys(settings.edge_hosts, DEFAULT_PORTS["https"])
    if settings.frontend.target == "external":
        page = urlsplit(settings.frontend_url)
        places[page.hostname or ""] = page.port or DEFAULT_PORTS["https"]
    return {host: (f"{host}:{port}", TLS_MODULE) for host, port in places.items()}


def blackbox() -> Json:
    """The modules of the blackbox exporter. Of a certificate the end counts; the checks judge its trust."""
    get = {"method": "GET", "preferred_ip_protocol": "ip4", "follow_redirects": False}
    return {
        "modules": {
            JSON_MODULE: {
                "prober": "http",
                "timeout": f"{LONGEST_ANSWER_S}s",
                # The application answers 200 in any state: the field tells.
                "http": {**get, "fail_if_body_not_matches_regexp": [_healthy()]},
            },
            PAGE_MODULE: {"prober": "http", "timeout": f"{LONGEST_ANSWER_S}s", "http": get},
            TLS_MODULE: {
                "prober": "tcp",
                "timeout": f"{LONGEST_ANSWER_S}s",
                "tcp": {
                    "preferred_ip_protocol": "ip4",
                    "tls": True,
                    "tls_config": {"insecure_skip_verify": True},
                },
            },
        }
    }


def _healthy() -> str:
    """An object whose own `status` is `healthy`, whatever the objects in it say of a part."""
    text = r'"(?:[^"\\]|\\.)*"'
    fields = rf'(?:[^{{}}"]|{text})*'
    for _ in range(DEEPEST_ANSWER):
        fields = rf'(?:[^{{}}"]|{text}|\{{{fields}\}})*'
    return rf'^\s*\{{{fields}"status"\s*:\s*"healthy"'


def _place(name: str) -> str:
    return f"{name}:{PORTS[name]}"


def _static(job: str, targets: Iterable[str]) -> Json:
    return {"job_name": job, "static_configs": [{"targets": list(targets)}]}


def _backend(settings: Settings) -> Json:
    port = settings.backend.contract.port
    found = {"names": [BACKEND_PODS], "type": "A", "port": port, "refresh_interval": "15s"}
    return {"job_name": BACKEND_JOB, "dns_sd_configs": [found]}


def _probes(job: str, probes: Mapping[str, tuple[str, str]]) -> Json:
    return {
        "job_name": job,
        "metrics_path": "/probe",
        "static_configs": [
            {"targets": [address], "labels": {"target": name, "__param_module": module}}
            for name, (address, module) in probes.items()
        ],
        "relabel_configs": [
            {"source_labels": ["__address__"], "target_label": "__param_target"},
            {"source_labels": ["__param_target"], "target_label": "instance"},
            {"target_label": "__address__", "replacement": _place(BLACKBOX)},
        ],
    }
