"""Answers as Supabase auth does for a password grant: two seeded users of two tenants."""

from __future__ import annotations

import hmac
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from fastapi.middleware.cors import CORSMiddleware

from twin import secrets
from twin.paths import BRIDGE_ADDRESS
from twin.standins.asked import Asked

if TYPE_CHECKING:
    from twin.secrets import Secrets, User

PORT = 8602
LIFETIME_S = 3600


def _user(user: User) -> dict[str, Any]:
    return {
        "id": user.user_id,
        "aud": "authenticated",
        "role": "authenticated",
        "email": user.email,
        "app_metadata": {"provider": "email", "tenant_id": user.tenant_id},
    }


def make(known: Secrets) -> FastAPI:
    """The application, for the users that the twin's secrets name."""
    app = FastAPI(openapi_url=None)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"])
    asked = Asked(app)

    @app.post("/auth/v1/token")
    def token(
        grant_type: str, body: dict[str, str], apikey: Annotated[str | None, Header()] = None
    ) -> dict[str, Any]:
        if not hmac.compare_digest((apikey or "").encode(), known.supabase_key.encode()):
            raise HTTPException(401, {"message": "Invalid API key"})
        if grant_type != "password":
            raise HTTPException(400, {"error": "unsupported_grant_type"})
        email, password = body.get("email", ""), body.get("password", "")
        user = next((one for one in known.users if one.email == email), None)
        good = user is not None and hmac.compare_digest(user.password.encode(), password.encode())
        asked.note(path="/auth/v1/token", email=email, granted=good)
        if user is None or not good:
            raise HTTPException(400, {"code": "invalid_credentials", "msg": "Invalid login credentials"})
        now = int(time.time())
        claims = {"sub": user.user_id, "iat": now, "exp": now + LIFETIME_S, **_user(user)}
        return {
            "access_token": secrets.mint(known.jwt_secret, claims),
            "token_type": "bearer",
            "expires_in": LIFETIME_S,
            "user": _user(user),
        }

    @app.get("/auth/v1/health")
    def health() -> dict[str, str]:
        return {"name": "GoTrue", "description": "a stand-in"}

    return app


if __name__ == "__main__":
    secrets_of_the_twin = secrets.read(Path(sys.argv[1]))
    uvicorn.run(make(secrets_of_the_twin), host=BRIDGE_ADDRESS, port=PORT, log_level="warning")
