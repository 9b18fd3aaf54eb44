"""The secrets the stack is given: their keys, the guide's names for them, and the rule each must pass.

A rule sees the value and answers with what is wrong, never with the value.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from model import sentry
from model.database_url import admin_url_fault
from model.settings_base import an_address, inside

if TYPE_CHECKING:
    from collections.abc import Callable

SHORTEST_KEY_BYTES = 32
SHORTEST_SALT_BYTES = 16
JWT_PARTS = 3


@dataclass(frozen=True, kw_only=True)
class SecretSpec:
    """One secret: its key in the stack file, the guide's variable, its rule, and when it is needed."""

    key: str
    variable: str
    rule: Callable[[str], str | None]
    required: bool = True
    purpose: str


def jwt_role(value: str) -> str | None:
    """The role that a JWT claims, an empty text where it claims none; None where the value is no JWT."""
    parts = value.split(".")
    if len(parts) != JWT_PARTS or not value.startswith("eyJ") or not all(parts):
        return None
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (binascii.Error, ValueError, RecursionError):
        return None
    return str(claims.get("role", "")) if isinstance(claims, dict) else None


def _jwt(role: str) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        found = jwt_role(value)
        if found is None:
            return "is not a JWT (three parts, beginning with eyJ); the guide's `eyJ…...` is a placeholder"
        if found != role:
            return f"is a key of another role: expected a JWT whose role is {role}"
        return None

    return rule


def _key(placeholder: str, shortest: int) -> Callable[[str], str | None]:
    def rule(value: str) -> str | None:
        if value == placeholder:
            return "is the guide's placeholder; `ops secrets generate` makes a good one"
        if len(value.encode(errors="surrogatepass")) < shortest:
            return f"is shorter than {shortest} bytes; `ops secrets generate` makes a good one"
        return None

    return rule


def _openai_key(value: str) -> str | None:
    if value.startswith("sk-staging-.") or value.endswith("..."):
        return "is the guide's placeholder"
    return None if re.fullmatch(r"sk-\S{16,}", value) else "expected a key that begins with sk-"


def _redis_password(value: str) -> str | None:
    if value == "staging_redis_password":
        return "is the guide's placeholder; give the real password"
    return None if value else "is empty"


def _slack_webhook(value: str) -> str | None:
    if "YOUR" in value or value.endswith("..."):
        return "is a placeholder; give the URL that Slack shows for the incoming webhook"
    try:
        parts = urlsplit(an_address(value))
    except ValueError:
        return "is not a URL; expected https://hooks.slack.com/services/T…/B…/…"
    if not parts.path.startswith("/services/") or len(parts.path.split("/")) != SLACK_PATH_PARTS:
        return "expected https://hooks.slack.com/services/T…/B…/…"
    if parts.scheme == "https" and parts.hostname in SLACK_HOSTS:
        return None
    # A rehearsal has something in Slack's place.
    if parts.scheme == "http" and inside(parts.hostname or ""):
        return None
    return "is not an address of Slack: expected https://hooks.slack.com/services/T…/B…/…"


def _pagerduty_key(value: str) -> str | None:
    if re.fullmatch(r"[0-9a-zA-Z]{32}", value):
        return None
    if re.fullmatch(r"[-+_0-9a-zA-Z]{18,22}", value):
        return (
            "is a key of PagerDuty's REST API, which cannot send events; give the 32 characters of an "
            "integration `Events API v2` of the service that shall be paged"
        )
    return "expected the 32 letters and digits of a PagerDuty integration `Events API v2`"


def _given(value: str) -> str | None:
    return None if value.strip() else "is empty"


SLACK_HOSTS = ("hooks.slack.com", "hooks.slack-gov.com")
SLACK_PATH_PARTS = 5
SECRETS: tuple[SecretSpec, ...] = (
    SecretSpec(
        key="database-admin-url",
        variable="DATABASE_URL",
        rule=admin_url_fault,
        purpose="for the migration and the login roles; the backend gets a role of its own",
    ),
    SecretSpec(key="supabase-key", variable="SUPABASE_KEY", rule=_jwt("anon"), purpose="the public anon key"),
    SecretSpec(
        key="supabase-service-key",
        variable="SUPABASE_SERVICE_KEY",
        rule=_jwt("service_role"),
        purpose="the service key, for the backend and the jobs",
    ),
    SecretSpec(
        key="redis-password", variable="REDIS_PASSWORD", rule=_redis_password, purpose="of the hosted Redis"
    ),
    SecretSpec(key="openai-api-key", variable="OPENAI_API_KEY", rule=_openai_key, purpose="of OpenAI"),
    SecretSpec(
        key="encryption-key",
        variable="ENCRYPTION_KEY",
        rule=_key("staging_encryption_key_32_bytes_long", SHORTEST_KEY_BYTES),
        purpose="audit data depends on it: keep a copy outside the stack",
    ),
    SecretSpec(
        key="encryption-salt",
        variable="ENCRYPTION_SALT",
        rule=_key("staging_salt_16_bytes", SHORTEST_SALT_BYTES),
        purpose="audit data depends on it: keep a copy outside the stack",
    ),
    SecretSpec(
        key="jwt-secret",
        variable="JWT_SECRET",
        rule=_key("staging_jwt_secret_key", SHORTEST_KEY_BYTES),
        purpose="signs the users' tokens; Supabase's JWT secret",
    ),
    SecretSpec(
        key="sentry-dsn",
        variable="SENTRY_DSN",
        rule=sentry.dsn_fault,
        required=False,
        purpose="error tracking, where it is used",
    ),
    SecretSpec(
        key="slack-webhook-url",
        variable="SLACK_WEBHOOK_URL",
        rule=_slack_webhook,
        required=False,
        purpose="where alerts and the message after a deployment are shown",
    ),
    SecretSpec(
        key="pagerduty-api-key",
        variable="PAGERDUTY_API_KEY",
        rule=_pagerduty_key,
        required=False,
        purpose="the routing key (Events API v2) of the service that critical alerts page",
    ),
    SecretSpec(
        key="fluentd-shared-key",
        variable="FLUENTD_SHARED_KEY",
        rule=_given,
        required=False,
        purpose="which the agents on the nodes share with the aggregator of logs",
    ),
    SecretSpec(
        key="elasticsearch-password",
        variable="ELASTICSEARCH_PASSWORD",
        rule=_given,
        required=False,
        purpose="of the user logging.user",
    ),
    SecretSpec(
        key="splunk-hec-token",
        variable="SPLUNK_HEC_TOKEN",
        rule=_given,
        required=False,
        purpose="of Splunk's HTTP event collector",
    ),
    SecretSpec(
        key="registry-password",
        variable="REGISTRY_PASSWORD",
        rule=_given,
        required=False,
        purpose="pushes and pulls the application's images, where registry.username is set",
    ),
    SecretSpec(
        key="check-email",
        variable="ORKA_CHECK_EMAIL",
        rule=_given,
        required=False,
        purpose="of the user the verification gate signs in as",
    ),
    SecretSpec(
        key="check-password",
        variable="ORKA_CHECK_PASSWORD",
        rule=_given,
        required=False,
        purpose="of the user the verification gate signs in as",
    ),
)
SECRET_KEYS = frozenset(spec.key for spec in SECRETS)
