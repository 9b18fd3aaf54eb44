"""Every refusal of the configuration, with its message; all of them at once, and never a value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from components.naming import parts
from components.network import policies
from model import time_zone
from model.faults import SettingsError, read_settings
from model.reachability import outside
from model.secrets import SECRET_KEYS
from tests.unit.given import SECRETS, committed, complete
from tests.unit.harness import run_program
from tests.unit.other_settings import OTHER_SETTINGS, OtherSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from model.settings import Settings


def _settings(config: dict[str, Any], secrets: Mapping[str, str | None]) -> Settings:
    raw = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    return read_settings(raw, secrets)


def _read(config: dict[str, Any], secrets: Mapping[str, str | None] = SECRETS) -> list[str]:
    """The faults; where there are none, policies are made of the settings, which take every URL apart."""
    try:
        policies(_settings(config, secrets))
    except SettingsError as error:
        return list(error.faults)
    return []


def _set(config: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    *groups, last = path.split(".")
    place = config
    for group in groups:
        place = place[group]
    place[last] = value
    return config


def test_a_complete_configuration_is_accepted() -> None:
    assert _read(complete()) == []


def test_the_committed_file_alone_lists_all_that_is_missing_with_the_command_for_each() -> None:
    run = run_program(committed(), {})
    assert run.error is not None
    message = str(run.error)
    for image in ("backend", "frontend", "ops"):
        assert f"pulumi config set --path 'orka-ppm:images.{image}.digest' sha256:…" in message
    for key in SECRETS:
        assert f"pulumi config set --secret orka-ppm:{key}" in message
    assert "13 faults; nothing was changed" in message
    assert [r for r in run.resources if r.custom] == []


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("backend.replicas", 0, "orka-ppm:backend.replicas: input should be greater than or equal to 1"),
        ("backend.replicas", "2", "orka-ppm:backend.replicas: input should be a valid integer"),
        ("backend.replicaz", 2, "pulumi config rm --path 'orka-ppm:backend.replicaz'"),
        ("backend.log-level", "LOUD", "orka-ppm:backend.log-level: input should be 'DEBUG', 'INFO'"),
        ("backend.cors-origins", ["*"], "never *, which lets all in"),
        ("backend.cors-origins", ["http://staging.orka-ppm.example.com"], "expected an origin like https://"),
        ("backend.cors-origins", [], "lacks the frontend's own origin"),
        ("backend.cors-origins", ["https://other.example.com"], "add https://staging.orka-ppm.example.com"),
        ("backend.jwt-algorithm", "none", "orka-ppm:backend.jwt-algorithm: input should be 'HS256'"),
        ("backend.profile", "other", "orka-ppm:backend.profile: input should be 'guide' or 'orka-ppm'"),
        ("backend.contract", {"uid": 1000}, "orka-ppm:backend.contract.uid: input should be greater than"),
        ("backend.contract", {"writable": ["storage"]}, "expected an absolute path"),
        ("backend.contract", {"writable": ["/tmp/"]}, "is writable in every pod: leave it"),  # noqa: S108
        ("backend.contract", {"writable": ["/app/.."]}, "would lie over the whole image: name the folders"),
        ("frontend.contract", {"writable": ["/a", "/b", "/a/"]}, "names a path twice, which no pod may"),
        ("backend.contract", {"aliases": {"DB_URL": "DATABASE"}}, "no variable is called DATABASE: name one"),
        ("backend.autoscaling", {"max-replicas": 2}, "must be above `replicas`"),
        ("backend.resources", {"memory-request": "1Gi", "memory-limit": "512Mi"}, "more than `memory-limit`"),
        ("backend.resources", {"memory-limit": "512m"}, "expected an amount of memory like 512Mi"),
        ("backend.resources", {"memory-request": "256m"}, "expected an amount of memory like 512Mi"),
        ("backend.resources", {"cpu-request": "half"}, "expected a quantity like 250m"),
        ("backend.env", {"LOG_LEVEL": "INFO"}, "backend.env.LOG_LEVEL is set by the stack itself: remove it"),
        ("backend.env", {"JWT_SECRET": "x"}, "backend.env.JWT_SECRET is set by the stack itself"),
        ("backend.env", {"HOOK": "https://hooks.example.org/x"}, "names the host hooks.example.org"),
        ("backend.env", {"HOOK": "http://[2001:db8::1]:80/x"}, "names the host 2001:db8::1"),
        ("backend.env", {"OTHER_DB": "postgresql://a:hidden@db.svc/x"}, "looks like a secret"),
        ("backend.env", {"KEY": "sk-hidden-0123456789abcdef"}, "looks like a secret"),
        ("backend.env", {"ANON": SECRETS["supabase-key"]}, "a JWT of the role anon"),
        ("frontend.env", {"KEY": SECRETS["supabase-service-key"]}, "a JWT of the role service_role"),
        ("frontend.env", {"AUTH": f"Bearer {SECRETS['supabase-service-key']}"}, "role service_role"),
        (
            "backend.env",
            {"NOTE": f"is {SECRETS['encryption-salt']}"},
            "looks like a secret (it holds encryption-salt)",
        ),
        ("backend.env", {"PASSWORD": "canary-admin"}, "looks like a secret (it holds database-admin-url)"),
        (
            "backend.contract",
            {"env": {"KEY": SECRETS["jwt-secret"]}},
            "backend.contract.env.KEY looks like a",
        ),
        (
            "backend.contract",
            {"aliases": {"OTHER": "JWT_SECRET"}, "env": {"OTHER": "x"}},
            "OTHER is set by the",
        ),
        ("frontend.env", {"CODED": "Y2FuYXJ5LXJlZGlz"}, "looks like a secret (it holds redis-password)"),
        (
            "frontend.env",
            {"JWT_SECRET": "x"},
            "JWT_SECRET is the name of a secret, and the frontend is given",
        ),
        ("frontend.env", {"DATABASE_URL": "x"}, "DATABASE_URL is the name of a secret, and the frontend is"),
        ("frontend.env", {"API": "https://foreign.supabase.co"}, "names the host foreign.supabase.co"),
        ("frontend.contract", {"port": 0}, "orka-ppm:frontend.contract.port: input should be greater"),
        ("images.frontend", None, "images.frontend is missing: give its repository, or set frontend.target"),
        ("images.backend", {"repository": "r/x"}, "give either `digest` (sha256:…, as `ops images pin`"),
        ("edge.frontend-host", None, "edge.frontend-host is missing: give its host, or set frontend.target"),
        (
            "edge.api-host",
            "staging.orka-ppm.example.com",
            "edge.frontend-host is that of the API: two Ingresses would claim /api of the same host",
        ),
        ("logging.url", "https://logs.example.com", "`url` is for the sinks elasticsearch and splunk"),
        ("logging.buffer-megabytes", 63, "orka-ppm:logging.buffer-megabytes: input should be greater than"),
        ("logging.buffer-megabytes", 3073, "orka-ppm:logging.buffer-megabytes: input should be less than"),
        ("openai.organization", "acme", "expected org-…"),
        ("openai.base-url", "http://api.openai.com/v1", "use https://"),
        ("supabase.url", "ftp://staging.supabase.co", "expected https://HOST"),
        ("redis.url", "http://host", "expected redis://HOST:PORT"),
        ("redis.url", "redis://host:99999", "names no host, or a port that is not between 1 and 65535"),
        ("supabase.url", "https://staging.supabase.co:99999", "names no host, or a port that is not"),
        ("supabase.url", "https://staging.supabase.co:abc", "names no host, or a port that is not"),
        ("supabase.url", "https://[", "names no host, or a port that is not"),
        ("openai.base-url", "https://:443/v1", "names no host, or a port that is not"),
        ("openai.base-url", "https://api.openai.com:0/v1", "names no host, or a port that is not"),
        ("backend.cors-origins", ["https://staging.orka-ppm.example.com:65536"], "names no host, or a port"),
        ("monitoring.edge-metrics", {"targets": ["edge:70000"]}, "names no host, or a port that is not"),
        ("backend.env", {"HALF": "\ud800"}, "orka-ppm:backend holds half of a character"),
        ("network.database", {"port": 6000}, "no pod could reach the database; give both the same port"),
        ("network.edge", {"namespaces": [], "cidrs": []}, "names nobody: give `namespaces`, or `cidrs`"),
        ("network.redis", {"cidrs": ["10.0.0.1/8"]}, "its host bits zero"),
        ("cron-jobs.model-training.schedule", "0 24 * * *", "the hour of a cron schedule lies between 0"),
        ("cron-jobs.model-training.schedule", "0 0 * * SUN", "the weekday of a cron schedule is a number"),
        ("cron-jobs.model-training.schedule", "0 0 * * 7", "between 0 and 6, Sunday is 0, the smaller"),
        ("cron-jobs.model-training.schedule", "0 0 * * 5-7", "between 0 and 6, Sunday is 0, the smaller"),
        ("cron-jobs.time-zone", "Europe/Zurih", "is no time zone of this machine's list"),
        ("cron-jobs.time-zone", "Local", "means whatever is set on some machine"),
        ("cron-jobs.anomaly-detection.deadline-seconds", 3600, "must be below 3600"),
        ("cron-jobs.time-zone", "Europe Zurich", "expected the name of a time zone"),
        ("verification.log-allow", ["ERROR (known"], "no regular expression: missing )"),
        ("verification.log-allow", ["(ERROR)?"], "matches every line"),
        ("cron-jobs.model-training.schedule", "0 0 31 2 *", "hardly ever come"),
        ("monitoring.retention", "7 days", "expected a time like 12h"),
        ("monitoring.thresholds", {"certificate-page-days": 20}, "must be below `certificate-warn-days`"),
        ("monitoring.edge-metrics", {"targets": ["http://edge:1"]}, "expected HOST:PORT"),
        ("monitoring.pagerduty-url", "https://api.pagerduty.com/incidents", "Events API is events.pagerduty"),
        ("backend.env", {"not a name": "x"}, "orka-ppm:backend.env.not a name"),
        ("edge.api-host", "API_HOST", "expected a host name like api.example.com"),
        ("redis.url", "redis://:secret@host:6379", "without the password, which is a secret"),
        ("supabase.url", "https://staging.supabase.co/", "leave out the slash at the end"),
        ("cron-jobs.model-training.schedule", "@weekly", "a cron schedule has five fields"),
        ("images.backend.repository", "registry.example.com/app:staging", "a tag can be moved"),
        ("images.backend.digest", "latest", "expected sha256: and 64 hex digits"),
        ("images.prometheus.digest", "v3", "orka-ppm:images.prometheus.digest"),
        ("cluster.namespace", "Staging", "orka-ppm:cluster.namespace"),
        ("cluster.selector-labels", {"redis": {"app": "redis"}}, "should be 'backend', 'frontend'"),
        ("cluster.selector-labels", {"backend": {}}, "at least 1 item"),
        ("cluster.selector-labels", {"backend": {"app": "a b"}}, "expected the value of a label"),
        ("cluster.selector-labels", {"backend": {"a b": "c"}}, "expected the key of a label"),
        (
            "cluster.selector-labels",
            {"backend": {"app.kubernetes.io/name": "api"}},
            "backend: app.kubernetes.io/name is how the commands find the pods of a part",
        ),
        (
            "cluster.selector-labels",
            {"backend": {"app.kubernetes.io/part-of": "orka-ppm"}},
            "name one that only backend has",
        ),
        (
            "cluster.selector-labels",
            {"backend": {"app": "orka"}, "frontend": {"app": "orka", "tier": "web"}},
            "backend: these labels select the pods of frontend too",
        ),
    ],
)
def test_a_malformed_setting_is_named_with_its_remedy(path: str, value: Any, expected: str) -> None:
    faults = _read(_set(complete(), path, value))
    assert len(faults) == 1, faults
    assert expected in faults[0]
    assert faults[0].startswith("orka-ppm:")
    assert "hidden" not in faults[0]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("supabase.url", "http://10.244.0.1:8602"),
        ("openai.base-url", "http://gateway.ai.svc.cluster.local/v1"),
        ("frontend.env", {"ANON": SECRETS["supabase-key"]}),
        ("frontend.env", {"SUPABASE_KEY": SECRETS["supabase-key"], "LOG_LEVEL": "info"}),
        ("backend.env", {"CONTACT": f"mailto:{SECRETS['check-email']}"}),
        (
            "backend.env",
            {"CACHE": "http://cache.tools.svc.cluster.local:8080", "NEAR": "http://cache.tools.svc"},
        ),
        ("backend.env", {"SELF": "https://api-staging.orka-ppm.example.com/api"}),
        ("backend.env", {"TEXT": "time: 10:30, mail a@b.example"}),
        ("cron-jobs.embedding-generation.schedule", "15,45 0-6/2 1 */3 1-5"),
        ("cron-jobs.time-zone", "Europe/Zurich"),
        ("cron-jobs.time-zone", "US/Pacific"),
        ("network.openai", {"cidrs": ["203.0.113.0/24", "2001:db8::/32"]}),
    ],
)
def test_what_is_right_is_accepted(path: str, value: Any) -> None:
    assert _read(_set(complete(), path, value)) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("pagerduty-api-key", "0123456789abcdef0123456789ABCDEF"),
        ("slack-webhook-url", "https://hooks.slack.com/services/T0/B0/abc"),
        ("slack-webhook-url", "http://10.244.0.1:8603/services/T0/B0/abc"),
    ],
)
def test_a_channel_for_alerts_is_accepted(key: str, value: str) -> None:
    assert _read(complete(), {**SECRETS, key: value}) == []


def test_a_machine_without_the_old_names_judges_no_time_zone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time_zone, "_known", lambda: frozenset({"Europe/Zurich"}))
    assert _read(_set(complete(), "cron-jobs.time-zone", "US/Eastern")) == []


def test_a_host_that_the_network_is_open_for_may_be_named() -> None:
    config = _set(complete(), "backend.env", {"HOOK": "https://hooks.example.org/x"})
    config["network"]["further"] = {"hooks": {"hosts": ["hooks.example.org"]}}
    assert _read(config) == []


@pytest.mark.parametrize("other", [None, *OTHER_SETTINGS])
def test_a_further_destination_takes_no_name_that_the_stack_has_given(other: str | None) -> None:
    given = OTHER_SETTINGS[other] if other else OtherSettings(lambda _: None)
    config, secrets = given.config(), {**SECRETS, **given.secrets}
    settings = _settings(config, secrets)
    taken = {*parts(settings), *outside(settings), "edge", "operator", "log-senders"}
    listed = {"hosts": ["hooks.example.org"], "port": 8443}
    faults = _read(_set(config, "network.further", dict.fromkeys([*taken, "hooks"], listed)), secrets)
    assert sorted(fault.partition(": ")[0] for fault in faults) == [
        f"orka-ppm:network.further.{name}" for name in sorted(taken)
    ]
    assert all(fault.endswith("choose another name") for fault in faults)


def test_an_address_of_the_new_protocol_that_a_setting_names_may_be_named() -> None:
    config = _set(complete(), "supabase.url", "http://[fd00::1]:8602")
    assert _read(_set(config, "backend.env", {"AUTH": "http://[fd00::1]:8602/auth"})) == []


def test_a_missing_group_and_an_unknown_key_are_told_together() -> None:
    config = complete()
    del config["edge"]
    config["backned"] = {"replicas": 2}
    faults = _read(config)
    assert any("orka-ppm:edge is missing" in fault for fault in faults)
    assert any("orka-ppm:backned is not a setting" in fault for fault in faults)
    assert len(faults) == 2


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("database-admin-url", "postgresql://user:pass@staging-db.supabase.co:5432/postgres", "placeholder"),
        (
            "database-admin-url",
            "postgresql://admin:hidden@db.example.com:6543/postgres",
            "transaction pooler",
        ),
        (
            "database-admin-url",
            "postgresql://postgres:hidden@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
            "Supabase's pooler knows users as USER.PROJECT_REF; write that",
        ),
        ("database-admin-url", "mysql://admin:hidden@db.example.com/x", "expected postgresql://"),
        ("database-admin-url", "postgresql://db.example.com/postgres", "needs a user and a password"),
        ("database-admin-url", "postgresql://a:hidden@h:port/x", "is not a URL"),
        ("supabase-key", "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...", "is not a JWT"),
        ("pagerduty-api-key", "u+hiddenhidden-_hidd", "is a key of PagerDuty's REST API, which cannot send"),
        ("pagerduty-api-key", "hidden", "expected the 32 letters and digits"),
        ("slack-webhook-url", "https://hooks.slack.com/services/YOUR/WEBHOOK/URL", "is a placeholder"),
        ("slack-webhook-url", "https://hooks.slack.com/hidden", "expected https://hooks.slack.com/services/"),
        ("slack-webhook-url", "https://hooks.slack.com.x.org/services/T/B/hidden", "not an address of Slack"),
        ("slack-webhook-url", "http://hooks.slack.com/services/T/B/hidden", "not an address of Slack"),
        ("slack-webhook-url", "https://[hidden", "is not a URL; expected https://hooks.slack.com/services/"),
        ("slack-webhook-url", "http://10.244.0.1:99999/services/T/B/hidden", "is not a URL"),
        ("supabase-key", SECRETS["supabase-service-key"], "expected a JWT whose role is anon"),
        ("supabase-service-key", SECRETS["supabase-key"], "expected a JWT whose role is service_role"),
        ("redis-password", "staging_redis_password", "the guide's placeholder"),
        ("openai-api-key", "sk-staging-...", "the guide's placeholder"),
        ("openai-api-key", "hidden-key", "begins with sk-"),
        ("encryption-key", "staging_encryption_key_32_bytes_long", "ops secrets generate"),
        ("encryption-key", "hidden", "is shorter than 32 bytes"),
        ("encryption-salt", "staging_salt_16_bytes", "the guide's placeholder"),
        ("jwt-secret", "staging_jwt_secret_key", "the guide's placeholder"),
        ("sentry-dsn", "https://...@sentry.io/...", "has no public key before the @: expected https://KEY@"),
        ("sentry-dsn", "http://hiddenkey@sentry.io/1", "is not https"),
        ("sentry-dsn", "https://sentry.io/1", "has no public key before the @"),
        ("sentry-dsn", "https://key:hidden@sentry.io/1", "has a secret key, which Sentry asks for no more"),
        ("sentry-dsn", "https://hiddenkey@.../1", "has no host after the @"),
        ("sentry-dsn", "https://hiddenkey@sentry.io/", "does not end with the number of a project"),
        ("sentry-dsn", "https://hiddenkey@sentry.io/web", "does not end with the number of a project"),
        ("sentry-dsn", "https://hiddenkey@sentry.io/1?x=2", "has something behind the project"),
        ("sentry-dsn", "https://hiddenkey@sentry.io:x/1", "is not a URL"),
    ],
)
def test_a_malformed_secret_is_named_and_never_shown(key: str, value: str, expected: str) -> None:
    faults = _read(complete(), {**SECRETS, key: value})
    assert len(faults) == 1, faults
    assert f"orka-ppm:{key}" in faults[0]
    assert expected in faults[0]
    assert value not in faults[0]
    assert "hidden" not in faults[0]


@pytest.mark.parametrize(
    "dsn", ["https://0a1B@o1.ingest.us.sentry.io/45", "https://k@sentry.example.com/on/1"]
)
def test_an_address_of_sentry_is_taken(dsn: str) -> None:
    assert _read(complete(), {**SECRETS, "sentry-dsn": dsn}) == []


def test_the_frontend_may_be_told_where_errors_go_and_the_backend_is_told_by_the_stack() -> None:
    dsn = "https://key@sentry.example.com/1"
    config = _set(complete(), "network.further", {"sentry": {"hosts": ["sentry.example.com"]}})
    assert _read(_set(config, "frontend.env", {"SENTRY_DSN": dsn}), {**SECRETS, "sentry-dsn": dsn}) == []
    (fault,) = _read(_set(config, "backend.env", {"ERRORS_GO_TO": dsn}), {**SECRETS, "sentry-dsn": dsn})
    assert "looks like a secret (it holds sentry-dsn)" in fault


@pytest.mark.parametrize(("value", "count"), [("abc", 1), ("abcdef", 0)])
def test_a_short_password_may_be_part_of_a_word_and_not_all_of_it(value: str, count: int) -> None:
    config = _set(complete(), "backend.env", {"WORD": value})
    assert len(_read(config, {**SECRETS, "redis-password": "abc"})) == count


def test_a_sentry_that_no_pod_reaches_is_named() -> None:
    elsewhere = {**SECRETS, "sentry-dsn": "https://key@hidden.example.com:9000/1"}
    (fault,) = _read(complete(), elsewhere)
    assert "orka-ppm:network.further lacks the host of sentry-dsn" in fault
    assert "hidden" not in fault
    listed = {"hosts": ["hidden.example.com"], "port": 9000}
    assert _read(_set(complete(), "network.further", {"sentry": listed}), elsewhere) == []
    pinned = _set(complete(), "network.supabase", {"cidrs": ["203.0.113.1/32"]})
    pinned = _set(pinned, "network.openai", {"cidrs": ["203.0.113.2/32"]})
    assert "sentry-dsn" in _read(pinned, {**SECRETS, "sentry-dsn": "https://key@sentry.io/1"})[0]


@pytest.mark.parametrize(
    ("host", "cidrs", "accepted"),
    [
        ("10.20.0.5", [], False),
        ("10.20.0.5", ["10.20.0.5/32"], True),
        ("10.20.0.5", ["10.20.0.6/32"], False),
        ("[fd00::5]", [], False),
        ("[fd00::5]", ["fd00::5/128"], True),
        ("203.0.113.5", [], True),
        ("203.0.113.5", ["198.51.100.0/24"], False),
        ("db.example.com", ["198.51.100.0/24"], True),
    ],
)
def test_an_address_of_the_database_that_no_pod_reaches_is_refused_and_not_shown(
    host: str, cidrs: list[str], *, accepted: bool
) -> None:
    config = _set(complete(), "network.database", {"port": 5432, "cidrs": cidrs})
    faults = _read(config, {**SECRETS, "database-admin-url": f"postgresql://a:hidden@{host}:5432/x"})
    assert [fault.partition(" lacks")[0] for fault in faults] == (
        [] if accepted else ["orka-ppm:network.database.cidrs"]
    )
    assert not [fault for fault in faults if host in fault]


def test_a_registry_user_needs_a_password() -> None:
    faults = _read(_set(complete(), "registry.username", "robot"))
    assert len(faults) == 1
    assert "orka-ppm:registry-password is missing" in faults[0]


def test_a_registry_password_needs_a_user() -> None:
    (fault,) = _read(complete(), {**SECRETS, "registry-password": "hidden"})
    assert "orka-ppm:registry.username is missing, while registry-password is set" in fault


@pytest.mark.parametrize(
    ("host", "repository", "accepted"),
    [
        ("registry.example.com", "registry.example.com/team/x", True),
        ("https://registry.example.com/team", "registry.example.com/team/x", True),
        ("*.dkr.ecr.eu-central-1.amazonaws.com", "123.dkr.ecr.eu-central-1.amazonaws.com/x", True),
        ("registry.example.com:5000", "registry.example.com:5000/x", True),
        ("https://index.docker.io/v1/", "docker.io/orka/x", True),
        ("docker.io", "orka/x", True),
        ("ghcr.io", "registry.example.com/x", False),
        ("registry.example.com", "registry.example.com:5000/x", False),
        ("ghcr.io", "orka/x", False),
    ],
)
def test_the_login_of_a_registry_is_for_the_one_that_our_images_are_in(
    host: str, repository: str, *, accepted: bool
) -> None:
    config = _set(complete(), "registry", {"host": host, "username": "robot"})
    for name in ("backend", "frontend", "ops"):
        config["images"][name]["repository"] = repository
    faults = _read(config, {**SECRETS, "registry-password": "hidden"})
    assert [fault.split(":")[1].partition(" is ")[0] for fault in faults] == (
        [] if accepted else ["registry.host"]
    )


def test_a_registry_that_nobody_signs_in_to_may_be_any() -> None:
    assert _read(_set(complete(), "registry.host", "ghcr.io")) == []


def test_without_the_gate_its_user_is_not_needed() -> None:
    secrets = {key: value for key, value in SECRETS.items() if not key.startswith("check-")}
    assert _read(_set(complete(), "verification.enabled", value=False), secrets) == []


def test_all_faults_are_told_at_once() -> None:
    config = _set(_set(complete(), "backend.replicas", 0), "edge.api-host", "X")
    faults = _read(config, {**SECRETS, "jwt-secret": None})
    assert len(faults) == 3


def test_faults_between_settings_are_told_with_those_of_one_and_with_missing_folders() -> None:
    config = _set(complete(), "openai.organization", "acme")
    config["images"]["backend"] = {"repository": "registry.example.com/a", "build": {"context": "nowhere"}}
    config["network"]["database"] = {"port": 6000}
    config["backend"]["cors-origins"] = ["https://other.example.com"]
    run = run_program(config, {**SECRETS, "jwt-secret": "short"})
    told = str(run.error)
    for fault in (
        "openai.organization: expected org-",
        "jwt-secret is shorter",
        "network.database.port is 6000, but",
        "backend.cors-origins lacks the frontend's own origin",
        "images.backend.build.context: there is no nowhere",
        "images.backend.build.dockerfile: there is no nowhere/Dockerfile",
    ):
        assert f"- orka-ppm:{fault}" in told
    assert "6 faults" in told


def test_a_rule_between_settings_says_nothing_of_a_group_that_is_wrong_by_itself() -> None:
    config = _set(
        _set(complete(), "edge.api-host", "X"), "backend.cors-origins", ["https://other.example.com"]
    )
    faults = _read(_set(config, "network.database", {"port": 6000}))
    assert sorted(fault.partition(" ")[0] for fault in faults) == [
        "orka-ppm:edge.api-host:",
        "orka-ppm:network.database.port",
    ]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@given(group=st.sampled_from(sorted(committed())), junk=_JSON)
def test_junk_gets_messages_and_never_a_traceback(group: str, junk: Any) -> None:
    config = complete()
    config[group] = junk
    for fault in _read(config):
        assert fault.startswith("orka-ppm:")


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict) and value:
        return [leaf for key, item in value.items() for leaf in _leaves(item, (*path, key))]
    return [path]


@given(leaf=st.sampled_from(_leaves(committed())), junk=_JSON)
def test_junk_anywhere_gets_messages_that_name_the_place(leaf: tuple[Any, ...], junk: Any) -> None:
    faults = _read(_set(complete(), ".".join(leaf), junk))
    assert all(fault.startswith("orka-ppm:") for fault in faults)


_ADDRESS = st.builds(
    "{}://{}{}{}".format,
    st.sampled_from(["http", "https", "redis", "rediss", "postgresql"]),
    st.sampled_from(["", "db.example.com", "10.244.0.1", "[::1]", "u:p@h"])
    | st.text("[]:@.%\u2100a", max_size=6),
    st.sampled_from(["", ":", ":0", ":abc", ":8080", ":65536", ":99999"]),
    st.sampled_from(["", "/", "/1", "/services/T/B/x", "?", "#"]),
)
_URLS = (
    "supabase.url", "openai.base-url", "redis.url", "logging.url", "monitoring.pagerduty-url",
    "monitoring.watchdog-url", "monitoring.runbook-url", "frontend.url",
)  # fmt: skip


@given(path=st.sampled_from(_URLS), address=_ADDRESS)
def test_an_address_like_text_gets_messages_or_is_used(path: str, address: str) -> None:
    everything = OTHER_SETTINGS["everything"]
    faults = _read(_set(everything.config(), path, address), {**SECRETS, **everything.secrets})
    assert all(fault.startswith("orka-ppm:") for fault in faults)


@given(key=st.sampled_from(sorted(SECRET_KEYS)), value=st.text(max_size=60) | _ADDRESS)
@example(key="slack-webhook-url", value="https://[")
def test_any_secret_gets_a_message_or_none(key: str, value: str) -> None:
    faults = _read(complete(), {**SECRETS, key: value})
    assert all(fault.startswith("orka-ppm:") for fault in faults)


@pytest.mark.parametrize("text", ["[" * 150 + "]" * 150, "[" * 300 + "]" * 300, "[" * 9000 + "]" * 9000])
def test_lists_of_any_depth_get_a_message(text: str) -> None:
    (fault,) = _read(_set(complete(), "backend", text))
    assert fault.startswith("orka-ppm:backend")


@given(raw=st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40), max_size=4))
def test_any_raw_configuration_gets_messages(raw: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        read_settings(raw, {})
