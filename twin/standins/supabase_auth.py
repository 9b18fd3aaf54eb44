"""Stands in for Supabase auth: a password grant for the seeded users of two tenants.

Tokens are those of Supabase: HS256 with the project's JWT secret, the tenant in `app_metadata`.
"""

from __future__ import annotations

import hmac
import json
import time
from secrets import token_urlsafe
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.secrets import JWT_ALGORITHM, Secrets, User, mint
from twin.standins import server
from twin.standins.asked import Asked

if TYPE_CHECKING:
    from starlette.requests import Request

PORT = 8602
ISSUER = "https://staging.supabase.co/auth/v1"
AUDIENCE = "authenticated"
KEY_ROLES = ("anon", "service_role")
TOKEN_LIFETIME_S = 3600


def application(known: Secrets) -> Starlette:
    """The stand-in as an ASGI application."""
    asked = Asked()
    users = {user.email: user for user in known.users}

    async def token(request: Request) -> Response:
        grant = request.query_params.get("grant_type")
        given = _object(await request.body())
        email, password = str(given.get("email", "")).lower(), str(given.get("password", ""))
        user = users.get(email)
        if not _has_key(request, known):
            answer = JSONResponse({"message": "No API key found in request"}, status_code=401)
        elif grant != "password":
            answer = _refusal(400, "unsupported_grant_type", f"unsupported grant type: {grant}")
        elif user is None or not hmac.compare_digest(password.encode(), user.password.encode()):
            answer = _refusal(400, "invalid_credentials", "Invalid login credentials")
        else:
            answer = JSONResponse(_session(known, user))
        asked.note(request, answer.status_code, grant_type=grant, email=email)
        return answer

    async def current_user(request: Request) -> Response:
        user = _bearer(request, known, users) if _has_key(request, known) else None
        answer = (
            JSONResponse(_described(user))
            if user
            else _refusal(401, "bad_jwt", "invalid JWT or no API key: unable to tell who asks")
        )
        asked.note(request, answer.status_code, email=user.email if user else None)
        return answer

    async def settings(request: Request) -> Response:
        role = _role(request, known)
        answer = (
            JSONResponse({"external": {"email": True}, "disable_signup": True})
            if role
            else JSONResponse({"message": "Invalid API key"}, status_code=401)
        )
        asked.note(request, answer.status_code, role=role)
        return answer

    async def health(_: Request) -> Response:
        return JSONResponse({"name": "GoTrue", "version": "orka-twin", "description": "a stand-in"})

    async def key_set(_: Request) -> Response:
        return JSONResponse({"keys": []})  # as with every project that signs with a shared secret

    return Starlette(
        routes=[
            Route("/auth/v1/token", token, methods=["POST"]),
            Route("/auth/v1/user", current_user),
            Route("/auth/v1/settings", settings),
            Route("/auth/v1/health", health),
            Route("/auth/v1/.well-known/jwks.json", key_set),
            asked.route(),
        ],
        # The frontend's page asks from its own origin.
        middleware=[
            Middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
        ],
    )


def access_token(known: Secrets, user: User, lifetime_s: int = TOKEN_LIFETIME_S) -> str:
    """A token for a user; a negative lifetime gives one that is over already."""
    now = int(time.time())
    return mint(
        known.jwt_secret,
        {
            "iss": ISSUER,
            "sub": user.user_id,
            "aud": AUDIENCE,
            "role": AUDIENCE,
            "email": user.email,
            "iat": now,
            "exp": now + lifetime_s,
            "session_id": str(uuid4()),
            "app_metadata": {"provider": "email", "tenant_id": user.tenant_id},
            "user_metadata": {},
        },
    )


def _session(known: Secrets, user: User) -> dict[str, Any]:
    return {
        "access_token": access_token(known, user),
        "token_type": "bearer",
        "expires_in": TOKEN_LIFETIME_S,
        "expires_at": int(time.time()) + TOKEN_LIFETIME_S,
        "refresh_token": token_urlsafe(16),
        "user": _described(user),
    }


def _described(user: User) -> dict[str, Any]:
    return {
        "id": user.user_id,
        "aud": AUDIENCE,
        "role": AUDIENCE,
        "email": user.email,
        "app_metadata": {"provider": "email", "tenant_id": user.tenant_id},
        "user_metadata": {},
    }


def _bearer(request: Request, known: Secrets, users: dict[str, User]) -> User | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return None
    try:
        claims = jwt.decode(token, known.jwt_secret, algorithms=[JWT_ALGORITHM], audience=AUDIENCE)
    except jwt.PyJWTError:
        return None
    return users.get(str(claims.get("email")))


def _has_key(request: Request, known: Secrets) -> bool:
    given = request.headers.get("apikey", "").encode()
    keys = (known.supabase_key, known.supabase_service_key)
    return any(hmac.compare_digest(given, key.encode()) for key in keys)


def _role(request: Request, known: Secrets) -> str | None:
    """The role of a key of this project, whenever it was made; None of any other text."""
    try:
        claims = jwt.decode(request.headers.get("apikey", ""), known.jwt_secret, algorithms=[JWT_ALGORITHM])
    except jwt.PyJWTError:
        return None
    return claims.get("role") if claims.get("role") in KEY_ROLES else None


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": status, "error_code": code, "msg": message}, status_code=status)


if __name__ == "__main__":
    server.serve(application, PORT)
