"""The variables of backend and jobs that are no secrets, under the guide's names."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.settings import Settings

SETTING_OF = {
    "SUPABASE_URL": "supabase.url",
    "OPENAI_BASE_URL": "openai.base-url",
    "OPENAI_ORG_ID": "openai.organization",
    "REDIS_URL": "redis.url",
    "JWT_ALGORITHM": "backend.jwt-algorithm",
    "CORS_ORIGINS": "backend.cors-origins",
    "ENABLE_AUDIT_TRAIL": "backend.features.audit-trail",
    "ENABLE_ANOMALY_DETECTION": "backend.features.anomaly-detection",
    "ENABLE_RAG_SEARCH": "backend.features.rag-search",
    "ENABLE_ML_CLASSIFICATION": "backend.features.ml-classification",
    "LOG_LEVEL": "backend.log-level",
    "SENTRY_ENVIRONMENT": "cluster.namespace",
    "NEXT_PUBLIC_API_URL": "edge.api-host",
    "NEXT_PUBLIC_SUPABASE_URL": "supabase.url",
    "NEXT_PUBLIC_SUPABASE_ANON_KEY": "the secret supabase-key",
    "NEXT_PUBLIC_ENVIRONMENT": "cluster.namespace",
}
"""By a variable of the pods or of the page, the setting that it comes from."""


def plain(settings: Settings) -> dict[str, str]:
    """What the settings themselves say; nothing of an image, and nothing that a setting adds by name."""
    backend, features = settings.backend, settings.backend.features
    found = {
        "SUPABASE_URL": settings.supabase.url,
        "OPENAI_BASE_URL": settings.openai.base_url,
        "JWT_ALGORITHM": backend.jwt_algorithm,
        "CORS_ORIGINS": ",".join(backend.cors_origins),
        "ENABLE_AUDIT_TRAIL": _flag(value=features.audit_trail),
        "ENABLE_ANOMALY_DETECTION": _flag(value=features.anomaly_detection),
        "ENABLE_RAG_SEARCH": _flag(value=features.rag_search),
        "ENABLE_ML_CLASSIFICATION": _flag(value=features.ml_classification),
        "LOG_LEVEL": backend.log_level,
        # As alerts call it. Sentry's library reads it by itself, and nothing else does.
        "SENTRY_ENVIRONMENT": settings.cluster.namespace,
    }
    if settings.openai.organization:
        found["OPENAI_ORG_ID"] = settings.openai.organization
    if not backend.contract.redis_password_in_url:
        found["REDIS_URL"] = settings.redis.url
    return found


def _flag(*, value: bool) -> str:
    return "true" if value else "false"
