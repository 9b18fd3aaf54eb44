"""What a complete stack is given: the committed stack file, digests of our own images, made-up secrets."""

from __future__ import annotations

import base64
import json
from typing import Any

import yaml

from tests.checkout import CHECKOUT

DIGESTS = {
    name: f"sha256:{letter * 64}" for name, letter in (("backend", "b"), ("frontend", "f"), ("ops", "0"))
}


def _jwt(role: str) -> str:
    def part(value: dict[str, str]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'HS256'})}.{part({'role': role})}.c2lnbmF0dXJl"


SECRETS = {
    "database-admin-url": "postgresql://admin:canary-admin@db.example.com:5432/postgres",
    "supabase-key": _jwt("anon"),
    "supabase-service-key": _jwt("service_role"),
    "redis-password": "canary-redis",
    "openai-api-key": "sk-canary-openai-000000000000",
    "encryption-key": "canary-encryption-key-0123456789abcdef",
    "encryption-salt": "canary-salt-0123456789",
    "jwt-secret": "canary-jwt-secret-0123456789abcdef",
    "check-email": "qa@example.com",
    "check-password": "canary-check",
}


def committed() -> dict[str, Any]:
    """The configuration of the committed stack file, groups as plain values."""
    config = yaml.safe_load((CHECKOUT / "Pulumi.staging.yaml").read_text())["config"]
    return {
        key.removeprefix("orka-ppm:"): value for key, value in config.items() if key.startswith("orka-ppm:")
    }


def complete() -> dict[str, Any]:
    """The committed file with digests of our own images."""
    config = committed()
    for name, digest in DIGESTS.items():
        config["images"][name]["digest"] = digest
    return config
