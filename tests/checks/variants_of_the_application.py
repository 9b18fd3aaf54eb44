"""Releases whose backend, database, Redis, OpenAI or tokens are broken."""

from __future__ import annotations

from tests.checks import breaking
from tests.checks.variant import Variant

NOWHERE = "127.0.0.1:9"


def _without_event(**first: str) -> dict[str, str]:
    needs = dict.fromkeys(("read-events", "other-tenant", "event-row"), "needs event_")
    return {**first, **needs}


_NO_TOKEN = dict.fromkeys(
    ("create-event", "read-anomalies", "semantic-search", "garbage-token", "forged-token",
     "unsigned-token", "expired-token", "browser", "api-latency"),
    "there is no token to call with",
)  # fmt: skip
_SIGNED_OUT = {
    **_NO_TOKEN,
    "read-events": "needs event_",
    "other-tenant": "needs event_id",
    "event-row": "no token",
    "embeddings-current": "no token",
}
_500 = dict.fromkeys(
    ("database", "redis", "openai", "backend", "create-event", "read-anomalies", "semantic-search",
     "no-token", "garbage-token", "forged-token", "unsigned-token", "expired-token", "browser"),
    "answered 500",
)  # fmt: skip
_SLOW = dict.fromkeys(("backend", "database", "redis"), "allowed are 1000 ms")

VARIANTS = (
    Variant(
        name="Redis degraded with code 200",
        backend={"ORKA_FAIL_DEGRADED": "redis"},
        red={"redis": "field 'status' is \"degraded\"", "backend": "field 'status' is \"degraded\""},
    ),
    Variant(
        name="database degraded with code 200",
        backend={"ORKA_FAIL_DEGRADED": "db"},
        red={"database": "field 'status' is \"degraded\"", "backend": "field 'status' is \"degraded\""},
    ),
    Variant(
        name="Redis refuses the password",
        backend={"REDIS_PASSWORD": "wrong"},
        red={"redis": "field 'status' is \"degraded\"", "backend": "field 'status' is \"degraded\""},
    ),
    Variant(
        name="Redis away",
        backend={"REDIS_URL": f"redis://{NOWHERE}"},
        red={"redis": "field 'status' is \"degraded\"", "backend": "field 'status' is \"degraded\""},
    ),
    Variant(
        name="OpenAI away",
        backend={"OPENAI_BASE_URL": f"http://{NOWHERE}/v1"},
        red={
            "openai": "field 'status' is \"degraded\"",
            "backend": "explained by openai",
            "semantic-search": "explained by openai",
        },
        verdict="passed",
    ),
    Variant(
        name="slow database",
        backend={},
        database="slow",
        hurried=True,
        red={"database": "1000", "backend": "allowed are 1000 ms", "api-latency": "the target is"},
    ),
    Variant(
        name="every answer slow",
        backend={"ORKA_FAIL_SLOW_MS": "1300"},
        hurried=True,
        red={**_SLOW, "api-latency": "p50 is"},
    ),
    Variant(
        name="every answer an error",
        backend={"ORKA_FAIL_ERRORS": "1"},
        red={**_500, **_without_event(), "api-latency": "answered 500"},
    ),
    Variant(
        name="wrong version",
        api=lambda _: breaking.edits("/health", lambda answer: answer.update(version="0.9.0")),
        red={"backend": 'field \'version\' is "0.9.0", expected "1.0.0"'},
    ),
    Variant(
        name="version missing",
        api=lambda _: breaking.edits("/health", lambda answer: answer.pop("version")),
        red={"backend": "field 'version' is missing"},
    ),
    Variant(
        name="a proxy's page in place of JSON",
        api=lambda _: breaking.answers("/health", 200, b"<html>sign in</html>", "text/html"),
        red={"backend": "the answer is HTML, not JSON"},
    ),
    Variant(
        name="a redirect to sign in",
        api=lambda _: breaking.answers("/health/db", 302, b"", location="https://login.example.com/"),
        red={"database": "answered 302 (a redirect to https://login.example.com/)"},
    ),
    Variant(
        name="events refused by the database",
        sql=("REVOKE INSERT ON public.roche_audit_logs FROM orka_app",),
        red={
            **_without_event(**{"create-event": "answered 500"}),
            "catalog": "grant INSERT on public.roche_audit_logs to orka_app is missing",
        },
    ),
    Variant(
        name="lost events",
        api=lambda _: breaking.edits(breaking.EVENTS, breaking.lose_newest),
        red={"read-events": "none of the"},
    ),
    Variant(
        name="events accepted and never stored",
        api=lambda _: breaking.accept_and_forget(),
        red={"read-events": "none of the", "event-row": "there is no such row"},
    ),
    Variant(
        name="another hash than the stored one",
        api=lambda _: breaking.edits(
            breaking.EVENTS, lambda answer: answer.update(hash="0" * 64), method="POST"
        ),
        red={"read-events": "none of the", "event-row": "column hash is"},
    ),
    Variant(
        name="other tenants visible",
        backend={},
        database="superuser",
        red={"read-events": 'lack {"tenant_id":', "other-tenant": "which none may have"},
    ),
    Variant(
        name="anonymous access",
        api=breaking.let_strangers_in,
        red={"no-token": "answered 200, expected 401"},
    ),
    Variant(
        name="signatures not verified",
        api=breaking.read_without_verifying,
        red={"forged-token": "answered 200, expected 401", "unsigned-token": "answered 200, expected 401"},
    ),
    Variant(
        name="tokens never expire",
        api=breaking.never_expire,
        red={"expired-token": "answered 200, expected 401"},
    ),
    Variant(
        name="nobody can sign in",
        user={"ORKA_CHECK_PASSWORD": "wrong"},
        red={
            "authentication": "answered 400, expected 200",
            **_SIGNED_OUT,
        },
    ),
    Variant(
        name="a policy that was dropped",
        sql=("DROP POLICY tenant_isolation_update_audit_anomalies ON public.audit_anomalies",),
        red={"catalog": "policy public.audit_anomalies.tenant_isolation_update_audit_anomalies is missing"},
    ),
    Variant(
        name="a trigger that was disabled",
        sql=("ALTER TABLE public.roche_audit_logs DISABLE TRIGGER roche_audit_logs_refuse_row",),
        red={"catalog": "trigger public.roche_audit_logs.roche_audit_logs_refuse_row is different"},
    ),
    Variant(
        name="row security that binds its owner no more",
        sql=("ALTER TABLE public.audit_anomalies NO FORCE ROW LEVEL SECURITY",),
        red={"catalog": "row security of public.audit_anomalies is different"},
    ),
    Variant(
        name="another project's service key",
        user={"SUPABASE_SERVICE_KEY": "wrong"},
        red={"supabase-service-key": "the secret supabase-service-key is refused (401): set the key"},
    ),
    Variant(
        name="another project's anon key",
        user={"SUPABASE_KEY": "wrong"},
        red={
            "supabase-key": "the secret supabase-key is refused (401): set the key",
            "authentication": "answered 401, expected 200",
            "authentication-other": "answered 401, expected 200",
            **_SIGNED_OUT,
        },
    ),
    Variant(
        name="a job that exits 0 and writes nothing",
        sql=(
            (
                "INSERT INTO public.roche_audit_logs"
                " (tenant_id, event_type, entity_type, severity, action_details, timestamp) VALUES"
                " ('@TENANT@', 'test_event', 'test', 'info', '{}', now() - interval '1 hour')"
            ),
        ),
        red={"embeddings-current": "column waiting is 1, expected 0"},
        verdict="passed",
    ),
)
