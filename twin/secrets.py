"""The twin's secrets: made once, kept in one file that only its owner reads.

They stand for what a person would get from Supabase, OpenAI, Redis and a registry. A `twin reset` makes
new ones; nothing else does, because data that was written under a key is lost with it.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

import jwt
from pydantic import BaseModel, ConfigDict

from twin import files

if TYPE_CHECKING:
    from pathlib import Path

    from twin.paths import Paths

JWT_ALGORITHM = "HS256"
TEN_YEARS_S = 10 * 365 * 24 * 3600
TENANTS = ("6f1c1f6e-6c5b-4a52-9d0e-0a5f3f3a0a01", "6f1c1f6e-6c5b-4a52-9d0e-0a5f3f3a0a02")


class User(BaseModel):
    """Somebody who may ask Supabase auth for a token; `tenant_id` goes into the token."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    user_id: str
    email: str
    password: str
    tenant_id: str


class Secrets(BaseModel):
    """Every secret value of one twin."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_password: str
    redis_password: str
    registry_user: str
    registry_password: str
    registry_http_secret: str
    jwt_secret: str
    supabase_key: str
    supabase_service_key: str
    openai_key: str
    openai_organization: str
    encryption_key: str
    encryption_salt: str
    users: tuple[User, ...]

    @property
    def slack_path(self) -> str:
        """The path of the incoming webhook, its secret. Made of another one: old twins have it too."""
        return f"/services/T0TWIN/B0TWIN/{self._derived('slack')[:24]}"

    @property
    def pagerduty_key(self) -> str:
        """The routing key."""
        return self._derived("pagerduty")[:32]

    def _derived(self, purpose: str) -> str:
        return hashlib.sha256(f"{purpose} {self.registry_http_secret}".encode()).hexdigest()


def of(paths: Paths) -> Secrets:
    """The secrets of this twin; made and kept (mode 0600) when it has none yet."""
    file = file_of(paths)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.write(file, json.dumps(_make().model_dump(), indent=1))
    return read(file)


def file_of(paths: Paths) -> Path:
    """Where they are kept."""
    return paths.secrets / "services.json"


def read(file: Path) -> Secrets:
    """The secrets kept in `file`."""
    return Secrets.model_validate_json(file.read_text())


def mint(secret: str, claims: dict[str, Any]) -> str:
    """A token as Supabase signs them: HS256 with the project's JWT secret."""
    return jwt.encode(claims, secret, algorithm=JWT_ALGORITHM)


def _make() -> Secrets:
    jwt_secret = secrets.token_urlsafe(48)
    return Secrets(
        database_password=_word(),
        redis_password=_word(),
        registry_user="orka",
        registry_password=_word(),
        registry_http_secret=_word(),
        jwt_secret=jwt_secret,
        supabase_key=_supabase_key(jwt_secret, "anon"),
        supabase_service_key=_supabase_key(jwt_secret, "service_role"),
        openai_key=f"sk-twin-{_word()}",
        openai_organization=f"org-twin{secrets.token_hex(8)}",
        encryption_key=_base64_bytes(32),
        encryption_salt=_base64_bytes(16),
        users=tuple(
            User(
                user_id=f"0b54a9e2-1c53-4f0e-8a44-00000000000{number}",
                email=f"auditor@tenant-{number}.example.com",
                password=_word(),
                tenant_id=tenant,
            )
            for number, tenant in enumerate(TENANTS, start=1)
        ),
    )


def _supabase_key(jwt_secret: str, role: str) -> str:
    now = int(time.time())
    return mint(
        jwt_secret,
        {"iss": "supabase", "ref": "orkatwin", "role": role, "iat": now, "exp": now + TEN_YEARS_S},
    )


def _word() -> str:
    """192 random bits in letters and digits only: the same text in a URL, a shell and a file."""
    return secrets.token_hex(24)


def _base64_bytes(count: int) -> str:
    """Random bytes in Base64 without `+/-_`, so that the plain and the URL-safe decoder agree on them."""
    while True:
        encoded = base64.b64encode(secrets.token_bytes(count)).decode()
        if encoded.rstrip("=").isalnum():
            return encoded
