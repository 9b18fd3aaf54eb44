"""What else can be checked, as data: the address, the page, the database's rows, what runs in the cluster."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, JsonValue, StringConstraints

from model.check_kinds import Captured, Check, ChecksModel, EnvName, Kind, Name, Pattern, Url

Host = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.-]+$")]
Port = Annotated[int, Field(ge=1, le=65_535)]

MIN_CERTIFICATE_DAYS = 14
RESTART_WINDOW_S = 3_600
FAULTS_IN_LOGS = (
    r"Traceback \(most recent call last\)",
    r"\b(CRITICAL|FATAL)\b",
    r"\bERROR\b",
    r"^panic:",
    r"UnhandledPromiseRejection",
)
BROWSER_NAMESPACES = ("www.w3.org", "react.dev", "reactjs.org", "nextjs.org")
"""Hosts that stand in bundles as names of namespaces and of explanations, and are never called."""


class TlsCheck(Check):
    """The certificate: its chain, its name, and how many days it is still valid."""

    host: Host
    port: Port = 443
    min_days: int = Field(default=MIN_CERTIFICATE_DAYS, ge=0)


class DnsCheck(Check):
    """The name resolves; where `addresses` are given, to nothing but them."""

    host: Host
    addresses: tuple[str, ...] = ()


class AssetsCheck(Check):
    """Everything that the page names on its own origin is there and of the type it should be."""

    url: Url


class BundleCheck(Check):
    """The page and its scripts name no hosts but these: a bundle made for another environment calls it."""

    url: Url
    hosts: tuple[str, ...]


class BrowserCheck(Check):
    """A real browser loads the page, and calls `api` from it with the checker's token.

    The page's own requests are answered well and go to `hosts` alone; its console stays without errors.
    """

    url: Url
    api: Url
    hosts: tuple[str, ...]


class PodsCheck(Check):
    """The Deployments are complete, their pods run these images, and none has restarted lately.

    `images` are references by digest, by the Deployment's name; `window_s` is how far back a restart counts.
    """

    namespace: Name
    images: dict[str, str]
    window_s: int = Field(default=RESTART_WINDOW_S, ge=1)


class CronJobsCheck(Check):
    """Exactly these cron jobs, with these schedules in this time zone, and no last run that failed.

    Suspended are those that the settings suspend, and no others.
    """

    namespace: Name
    schedules: dict[str, str]
    time_zone: str | None = None
    suspended: tuple[Name, ...] = ()


class LogsCheck(Check):
    """No line of these Deployments' pods matches one of `faults`, unless it matches one of `allowed`."""

    namespace: Name
    deployments: tuple[Name, ...]
    faults: tuple[Pattern, ...] = FAULTS_IN_LOGS
    allowed: tuple[Pattern, ...] = ()


class RowCheck(Check):
    """A query that gives one row, and what its columns must be. Read only, as the checker's tenant.

    `parameters` fill the query's `%(name)s`; they and `expect` may name what calls captured. `since` is a
    moment by the cluster's clock: `%(age_s)s` is how long ago it was, so that the database's may differ.
    """

    query: str
    parameters: dict[Captured, str] = Field(default_factory=dict)
    since: str | None = None
    expect: dict[str, JsonValue]


class CatalogCheck(Check):
    """Every object that the contract of the migrations names is in the database, and protects as it says.

    `contract` is the path of its file, where the check runs.
    """

    contract: str


class KeyCheck(Check):
    """A key is taken by the service that gave it out, as the header `apikey` of a GET.

    `secret` is its name among the stack's secrets, `key_env` the variable that holds it.
    """

    url: Url
    secret: Name
    key_env: EnvName


class NotHere(ChecksModel):
    """A check that this place cannot run, and why: it is listed, so that nobody takes it for passed."""

    name: Name
    kind: Kind
    reason: str
