"""The checks of a release as one file: what is asked, what must come back, and where the token comes from.

The stack renders a :class:`ChecksFile` into a ConfigMap, the gate's Job and the operator's shell run it: both
mean the same by "healthy". Nothing here does input or output, and nothing here is secret: a token source
names environment variables, never values.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal, Self

from pydantic import model_validator

from model.check_kinds import (
    Check,
    ChecksModel,
    EnvName,
    FunctionalCall,
    HealthCheck,
    JsonAssertion,
    Kind,
    LatencyCheck,
    Url,
)
from model.check_surroundings import (
    AssetsCheck,
    BrowserCheck,
    BundleCheck,
    CatalogCheck,
    CronJobsCheck,
    DnsCheck,
    KeyCheck,
    LogsCheck,
    NotHere,
    PodsCheck,
    RowCheck,
    TlsCheck,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ChecksFile",
    "FunctionalCall",
    "HealthCheck",
    "JsonAssertion",
    "TokenSource",
    "render",
]

CHECKS_SCHEMA: Literal[1] = 1
"""Version of the file's format. A runner refuses one it does not know."""

KIND_OF: Mapping[type[Check], Kind] = {
    HealthCheck: "health",
    FunctionalCall: "functional",
    TlsCheck: "tls",
    DnsCheck: "dns",
    AssetsCheck: "assets",
    BundleCheck: "bundle",
    BrowserCheck: "browser",
    LatencyCheck: "latency",
    PodsCheck: "pods",
    CronJobsCheck: "cron-jobs",
    LogsCheck: "logs",
    CatalogCheck: "catalog",
    RowCheck: "database",
    KeyCheck: "key",
}
"""The kind of a check; with `-` as `_`, it is also the key of its list in the file."""


class TokenSource(ChecksModel):
    """Where the bearer token comes from: `token_env`, or a password grant at Supabase auth.

    The grant is used where `token_env` is unset: POST `{supabase_url}/auth/v1/token?grant_type=password`.
    All `*_env` are names of environment variables. The last ones are optional: a user of another tenant, the
    secret that signs tokens (to make one that has expired), and an address of the database to read rows from.
    """

    token_env: EnvName = "ORKA_TOKEN"  # noqa: S105 - the name of a variable
    supabase_url: Url | None = None
    anon_key_env: EnvName = "SUPABASE_KEY"
    service_key_env: EnvName = "SUPABASE_SERVICE_KEY"
    email_env: EnvName = "ORKA_CHECK_EMAIL"
    password_env: EnvName = "ORKA_CHECK_PASSWORD"  # noqa: S105 - the name of a variable
    other_email_env: EnvName = "ORKA_CHECK_OTHER_EMAIL"
    other_password_env: EnvName = "ORKA_CHECK_OTHER_PASSWORD"  # noqa: S105 - the name of a variable
    jwt_secret_env: EnvName = "ORKA_CHECK_JWT_SECRET"  # noqa: S105 - the name of a variable
    database_url_env: EnvName = "ORKA_CHECK_DATABASE_URL"


class ChecksFile(ChecksModel):
    """All checks of one release. What needs nothing before it runs side by side, calls run in their order."""

    schema_version: Literal[1] = CHECKS_SCHEMA
    release_id: str
    token: TokenSource = TokenSource()
    health: tuple[HealthCheck, ...] = ()
    functional: tuple[FunctionalCall, ...] = ()
    tls: tuple[TlsCheck, ...] = ()
    dns: tuple[DnsCheck, ...] = ()
    assets: tuple[AssetsCheck, ...] = ()
    bundle: tuple[BundleCheck, ...] = ()
    browser: tuple[BrowserCheck, ...] = ()
    latency: tuple[LatencyCheck, ...] = ()
    pods: tuple[PodsCheck, ...] = ()
    cron_jobs: tuple[CronJobsCheck, ...] = ()
    logs: tuple[LogsCheck, ...] = ()
    catalog: tuple[CatalogCheck, ...] = ()
    database: tuple[RowCheck, ...] = ()
    key: tuple[KeyCheck, ...] = ()
    not_here: tuple[NotHere, ...] = ()

    def all(self) -> tuple[Check, ...]:
        """Every check, health first."""
        return tuple(check for kind in KIND_OF.values() for check in getattr(self, kind.replace("-", "_")))

    @property
    def needs_token(self) -> bool:
        """Whether a check calls as somebody."""
        called = any(call.auth for call in self.functional)
        return called or bool(self.latency or self.database or self.browser)

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        checks = self.all()
        names = [check.name for check in checks]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise ValueError(f"two checks share a name: {', '.join(double)}")
        if not names:
            raise ValueError("a file without checks proves nothing")
        critical = {check.name for check in checks if check.critical}
        wrong = sorted({name for check in checks for name in check.excused_by if name in critical})
        if wrong:
            raise ValueError(f"a critical check excuses no other: {', '.join(wrong)}")
        return self


def kind_of(check: Check) -> Kind:
    """Return the word for what a check is."""
    return KIND_OF[type(check)]


def render(checks: ChecksFile) -> str:
    """Return the canonical JSON: same checks, same bytes. `ChecksFile.model_validate_json` reads it."""
    document = checks.model_dump(mode="json", exclude_defaults=True)
    document["schema_version"] = checks.schema_version
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
