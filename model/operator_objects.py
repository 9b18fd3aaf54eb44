"""The objects that a Prometheus operator understands: the same rules, routes and targets in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model import alertmanager, scrape
from model.alert_routes import GROUP_BY, INHIBITIONS, ROOT, ROUTES, Channels, Inhibition, Route
from model.alertmanager import PAGERDUTY_FILE, SLACK_FILE
from model.monitoring_parts import BLACKBOX, PORTS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from model.alert_routes import Matcher
    from model.settings import Settings

Json = dict[str, Any]


def service_monitors(settings: Settings) -> dict[str, Json]:
    """What is asked through a Service, by the job's name."""
    services = {**scrape.EXPORTERS, f"orka-{BLACKBOX}": BLACKBOX}
    if settings.monitoring.backend_metrics:
        services[scrape.BACKEND_JOB] = scrape.BACKEND_PODS
    if settings.logging.sink != "none":
        services[scrape.LOGS_JOB] = scrape.LOGS_SERVICE
    return {
        job: {
            "selector": {"matchLabels": {"app.kubernetes.io/name": service}},
            "endpoints": [
                {
                    "port": "http",
                    "interval": f"{settings.monitoring.scrape_interval_seconds}s",
                    # What is measured has a namespace of its own, which is not the exporter's.
                    "honorLabels": True,
                    "relabelings": [{"targetLabel": "job", "replacement": job}],
                }
            ],
        }
        for job, service in services.items()
    }


def probes(settings: Settings) -> dict[str, Json]:
    """What is asked through the blackbox exporter, by the name of the object."""
    asked = {
        scrape.HEALTH_JOB: scrape.health_probes(settings),
        scrape.CERTIFICATES_JOB: scrape.certificate_probes(settings),
    }

    def labels(target: str) -> Json:
        return {"target": target, "namespace": settings.cluster.namespace}

    prober = f"{BLACKBOX}.{settings.cluster.namespace}.svc:{PORTS[BLACKBOX]}"
    return {
        f"{job}-{name.replace('.', '-')}": {
            "jobName": job,
            "prober": {"url": prober},
            "module": module,
            "interval": f"{settings.monitoring.scrape_interval_seconds}s",
            "targets": {"staticConfig": {"static": [address], "labels": labels(name)}},
        }
        for job, targets in asked.items()
        for name, (address, module) in targets.items()
    }


def alertmanager_config(settings: Settings, channels: Channels, secret: str) -> Json:
    """The spec of an AlertmanagerConfig; `secret` is the name of the Secret that has the channels' keys."""
    divisor = settings.monitoring.clock_divisor
    return {
        "route": {
            **_route(ROOT, divisor),
            "groupBy": list(GROUP_BY),
            "routes": [_route(route, divisor) for route in ROUTES],
        },
        "receivers": [_receiver(one, secret) for one in alertmanager.receivers(settings, channels)],
        "inhibitRules": [_inhibition(rule) for rule in INHIBITIONS],
    }


def _route(route: Route, divisor: int) -> Json:
    made = alertmanager.route(route, divisor)
    if route.matchers:
        made["matchers"] = _matchers(route.matchers)
    return {_camel(key): value for key, value in made.items()}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def _matchers(matchers: Sequence[Matcher]) -> list[Json]:
    return [{"name": one.label, "matchType": one.operator, "value": one.value} for one in matchers]


def _inhibition(rule: Inhibition) -> Json:
    return {
        "sourceMatch": _matchers(rule.cause),
        "targetMatch": _matchers(rule.symptom),
        "equal": list(rule.equal),
    }


def _receiver(receiver: Json, secret: str) -> Json:
    """The same receiver, its secrets by name of Secret and key instead of by file."""
    found: Json = {"name": receiver["name"]}
    for slack in receiver.get("slack_configs", ()):
        found["slackConfigs"] = [
            {
                "apiURL": {"name": secret, "key": SLACK_FILE},
                "sendResolved": True,
                "title": slack["title"],
                "titleLink": slack["title_link"],
                "text": slack["text"],
            }
        ]
    for pager in receiver.get("pagerduty_configs", ()):
        details = [{"key": key, "value": value} for key, value in pager["details"].items()]
        links = [{"href": link["href"], "alt": link["text"]} for link in pager["links"]]
        same = {key: pager[key] for key in ("url", "severity", "description", "class", "component", "group")}
        found["pagerdutyConfigs"] = [
            {
                **same,
                "routingKey": {"name": secret, "key": PAGERDUTY_FILE},
                "sendResolved": True,
                "details": details,
                "pagerDutyLinkConfigs": links,
            }
        ]
    for webhook in receiver.get("webhook_configs", ()):
        found["webhookConfigs"] = [{"url": webhook["url"], "sendResolved": False}]
    return found
