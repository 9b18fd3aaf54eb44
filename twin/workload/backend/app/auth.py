"""Bearer tokens: verified, never merely decoded; the tenant comes from `app_metadata` alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import jwt
from fastapi import HTTPException

if TYPE_CHECKING:
    from .settings import Settings

AUDIENCE = "authenticated"


@dataclass(frozen=True)
class Caller:
    """Who calls: the token's claims, the tenant, and the user where the token names one."""

    claims: dict[str, Any]
    tenant_id: UUID
    user_id: UUID | None


def caller_of(authorization: str | None, settings: Settings) -> Caller:
    """Return the caller that an Authorization header proves.

    Raises:
        HTTPException: 401 without a valid token, 403 when the token names no tenant.
    """
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise _unauthorized("a bearer token is required")
    try:
        claims = jwt.decode(
            token.strip(),
            settings.jwt_secret,
            algorithms=[settings.jwt_algorithm],
            audience=AUDIENCE,
            options={"require": ["exp", "aud"]},
        )
    except jwt.InvalidTokenError as error:
        raise _unauthorized("the token is not valid") from error
    metadata = claims.get("app_metadata")
    tenant = _uuid(metadata.get("tenant_id") if isinstance(metadata, dict) else None)
    if tenant is None:
        raise HTTPException(403, "the token names no tenant")
    return Caller(claims, tenant, _uuid(claims.get("sub")))


def _unauthorized(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"www-authenticate": "Bearer"})


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
