"""The checks that only the operator's shell can run: through the edge, in a browser, of the cluster."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model.check_surroundings import (
    BrowserCheck,
    CronJobsCheck,
    DnsCheck,
    LogsCheck,
    NotHere,
    PodsCheck,
    TlsCheck,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.check_kinds import Check

_HAS = "what only the operator's shell has"
_NEEDS = {
    "tls-api": ("tls", _HAS),
    "tls-frontend": ("tls", _HAS),
    "dns-api": ("dns", _HAS),
    "dns-frontend": ("dns", _HAS),
    "browser": ("browser", "a browser, and the image has none"),
    "pods": ("pods", _HAS),
    "cron-jobs": ("cron-jobs", _HAS),
    "logs": ("logs", _HAS),
}
GATE_LEAVES_OUT = tuple(
    NotHere.model_validate({"name": name, "kind": kind, "reason": f"needs {what}; run `ops checks` there"})
    for name, (kind, what) in _NEEDS.items()
)


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What should run in the cluster: references by digest by Deployment, schedules by cron job.

    `suspended` are the cron jobs that the settings themselves suspend; `time_zone` is that of the
    schedules, None where nobody says; `addresses` are those that a host's name must lead to, where known;
    `log_allow` are patterns of lines that are no faults.
    """

    namespace: str
    images: Mapping[str, str]
    cron_jobs: Mapping[str, str]
    suspended: tuple[str, ...] = ()
    time_zone: str | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    log_allow: tuple[str, ...] = ()


def shell_checks(
    api_url: str,
    frontend_url: str,
    deployed: Deployed,
    *,
    hosts: tuple[str, ...] | None,
    read: str | None,
) -> dict[str, tuple[Check, ...]]:
    """Return the checks by their key in the file. The page may ask `hosts`, and calls `read`."""
    tls: list[Check] = []
    dns: list[Check] = []
    for name, url in (("api", api_url), ("frontend", frontend_url)):
        address = host(url)
        known = deployed.addresses.get(address)
        dns.append(DnsCheck(name=f"dns-{name}", host=address, addresses=(known,) if known else ()))
        if url.startswith("https://"):
            tls.append(TlsCheck(name=f"tls-{name}", host=address, port=urlsplit(url).port or 443))
    images, place = dict(deployed.images), deployed.namespace
    schedules = dict(deployed.cron_jobs)
    jobs = CronJobsCheck(
        name="cron-jobs", namespace=place, schedules=schedules,
        time_zone=deployed.time_zone, suspended=deployed.suspended,
    )  # fmt: skip
    page = f"{frontend_url.rstrip('/')}/"
    browser = (
        ()
        if hosts is None or read is None
        else (BrowserCheck(name="browser", url=page, api=read, hosts=hosts),)
    )
    return {
        "tls": tuple(tls),
        "dns": tuple(dns),
        "browser": browser,
        "pods": (PodsCheck(name="pods", namespace=place, images=images),),
        "cron_jobs": (jobs,),
        "logs": (
            LogsCheck(name="logs", namespace=place, deployments=tuple(images), allowed=deployed.log_allow),
        ),
    }


def events(api_url: str) -> str:
    """Where the newest events are read: what the page calls, and whose time has targets."""
    return f"{api_url.rstrip('/')}/api/audit/events?limit=10"


def host(url: str) -> str:
    """The host of an address."""
    return urlsplit(url).hostname or url
