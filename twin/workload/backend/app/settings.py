"""The backend's settings: the guide's variable names, read once from the environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

HMAC_ALGORITHMS = ("HS256", "HS384", "HS512")
COMPONENTS = ("db", "redis", "openai")


class SettingsError(ValueError):
    """The environment cannot be used; the message names every fault and no value."""


@dataclass(frozen=True, repr=False)
class Failures:
    """Faults on demand, so that a deployment's own defences can be seen at work.

    `slow_ms` delays and `errors` (a share, 0 to 1) breaks every answer but those of `/` and `/metrics`, so that
    the kubelet sees a well process; `degraded` names components whose health is reported so; `crash_after_s`
    ends the process.
    """

    slow_ms: float = 0.0
    errors: float = 0.0
    degraded: frozenset[str] = frozenset()
    crash_after_s: float | None = None


@dataclass(frozen=True, repr=False)
class Settings:
    """What the backend and its jobs run with. Holds secrets: it has no repr."""

    database_url: str
    redis_url: str
    redis_password: str | None
    jwt_secret: str
    jwt_algorithm: str
    openai_api_key: str
    openai_org_id: str | None
    openai_base_url: str | None
    openai_embedding_model: str
    cors_origins: tuple[str, ...]
    log_level: str
    release: str
    audit_trail: bool
    anomaly_detection: bool
    rag_search: bool
    ml_classification: bool
    failures: Failures = field(default_factory=Failures)

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Read the environment.

        Raises:
            SettingsError: a required variable is missing or a value is malformed; all faults in one message.
        """
        faults = [
            f"{name} is not set"
            for name in ("DATABASE_URL", "REDIS_URL", "JWT_SECRET", "OPENAI_API_KEY")
            if not env.get(name)
        ]
        algorithm = env.get("JWT_ALGORITHM", "HS256")
        if algorithm not in HMAC_ALGORITHMS:
            faults.append(f"JWT_ALGORITHM must be one of {', '.join(HMAC_ALGORITHMS)}")
        try:
            failures = _failures(env)
        except ValueError as error:
            faults.append(str(error))
        if faults:
            raise SettingsError("; ".join(faults))
        return cls(
            database_url=env["DATABASE_URL"],
            redis_url=env["REDIS_URL"],
            redis_password=env.get("REDIS_PASSWORD") or None,
            jwt_secret=env["JWT_SECRET"],
            jwt_algorithm=algorithm,
            openai_api_key=env["OPENAI_API_KEY"],
            openai_org_id=env.get("OPENAI_ORG_ID") or None,
            openai_base_url=env.get("OPENAI_BASE_URL") or None,
            openai_embedding_model=env.get("OPENAI_EMBEDDING_MODEL") or "text-embedding-ada-002",
            cors_origins=tuple(
                part.strip() for part in env.get("CORS_ORIGINS", "").split(",") if part.strip()
            ),
            log_level=env.get("LOG_LEVEL", "INFO").upper(),
            release=env.get("ORKA_RELEASE", "unknown"),
            audit_trail=_flag(env, "ENABLE_AUDIT_TRAIL"),
            anomaly_detection=_flag(env, "ENABLE_ANOMALY_DETECTION"),
            rag_search=_flag(env, "ENABLE_RAG_SEARCH"),
            ml_classification=_flag(env, "ENABLE_ML_CLASSIFICATION"),
            failures=failures,
        )


def _flag(env: Mapping[str, str], name: str) -> bool:
    return env.get(name, "true").lower() in ("true", "1", "yes")


def _failures(env: Mapping[str, str]) -> Failures:
    degraded = env.get("ORKA_FAIL_DEGRADED", "").lower()
    named = frozenset(COMPONENTS if degraded in ("1", "true", "all") else filter(None, degraded.split(",")))
    if unknown := named - set(COMPONENTS):
        raise ValueError(f"ORKA_FAIL_DEGRADED names unknown components: {', '.join(sorted(unknown))}")
    crash = _number(env, "ORKA_FAIL_CRASH_AFTER_S")
    share = _number(env, "ORKA_FAIL_ERRORS") or 0.0
    if not 0 <= share <= 1:
        raise ValueError("ORKA_FAIL_ERRORS must be a share from 0 to 1")
    return Failures(_number(env, "ORKA_FAIL_SLOW_MS") or 0.0, share, named, crash)


def _number(env: Mapping[str, str], name: str) -> float | None:
    text = env.get(name, "")
    try:
        return float(text) if text else None
    except ValueError:
        raise ValueError(f"{name} must be a number") from None
