"""The API: two pods by default, which know their release by the digest of their own image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import naming
from components.server import Server

if TYPE_CHECKING:
    import pulumi

    from components.place import Place
    from model.settings import Settings


def application_env(settings: Settings, image: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
    """The variables that backend and cron jobs share, under the guide's names; none of them is secret."""
    backend, features = settings.backend, settings.backend.features
    env: dict[str, pulumi.Input[str]] = {
        "SUPABASE_URL": settings.supabase.url,
        "REDIS_URL": settings.redis.url,
        "OPENAI_BASE_URL": settings.openai.base_url,
        "JWT_ALGORITHM": backend.jwt_algorithm,
        "CORS_ORIGINS": ",".join(backend.cors_origins),
        "ENABLE_AUDIT_TRAIL": _flag(value=features.audit_trail),
        "ENABLE_ANOMALY_DETECTION": _flag(value=features.anomaly_detection),
        "ENABLE_RAG_SEARCH": _flag(value=features.rag_search),
        "ENABLE_ML_CLASSIFICATION": _flag(value=features.ml_classification),
        "LOG_LEVEL": backend.log_level,
        # Of the image alone: a release id made of all settings would roll every pod at every change.
        "ORKA_RELEASE": image.apply(lambda reference: reference.rpartition("@")[2]),
    }
    if settings.openai.organization:
        env["OPENAI_ORG_ID"] = settings.openai.organization
    return {**env, **backend.env}


def _flag(*, value: bool) -> str:
    return "true" if value else "false"


class Backend(Server):
    """The Deployment and Service `backend`.

    It waits for the migration by `depends_on`: no value of the migration flows into it, and a data dependency
    would show the backend as changed in every preview.
    """

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        image: pulumi.Output[str],
        secret: pulumi.Input[str],
        migration: pulumi.Resource,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        settings = place.settings
        super().__init__(
            name,
            namespace=place.namespace,
            image=image,
            port=naming.BACKEND_PORT,
            replicas=settings.backend.replicas,
            resources=settings.backend.resources,
            rollout=settings.backend.rollout,
            live="/",
            ready="/",
            pull_secrets=place.pull_secrets,
            env=application_env(settings, image),
            env_from=[{"secret_ref": {"name": secret}}],
            after=[migration],
            autoscaling=settings.backend.autoscaling,
            opts=opts,
        )
