"""Tokens that must not work, made from one that does. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model.check_kinds import Caller

GARBAGE = "not-a-token"
EXPIRED_AT = 946_684_800
"""1 January 2000: in the past whatever the clock of the other side says."""

_PARTS = 3
_DIGESTS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


class NoSuchTokenError(ValueError):
    """The token that works cannot be made into the wanted one; the message says why."""


def token_of(caller: Caller, token: str, jwt_secret: str | None) -> str:
    """Return the token that this caller shows. `token` works; `jwt_secret` signs one that has expired.

    Raises:
        NoSuchTokenError: the working token is no JWT, or its algorithm is not one of a shared secret.
    """
    if caller == "checker":
        return token
    if caller == "garbage":
        return GARBAGE
    header, payload, signature = _parts(token)
    if caller == "wrong-signature":
        # The first character: the last one of a signature may hold bits that nobody reads.
        return ".".join((header, payload, ("B" if signature[:1] == "A" else "A") + signature[1:]))
    if caller == "unsigned":
        return ".".join((_encoded({"alg": "none", "typ": "JWT"}), payload, ""))
    if caller == "expired" and jwt_secret:
        return _expired(header, payload, jwt_secret)
    raise NoSuchTokenError(f"nothing says how to make the token {caller}")


def claims_of(token: str) -> dict[str, Any]:
    """Return what a JWT says of itself, unverified; nothing for another token."""
    try:
        claims = _decoded(_parts(token)[1])
    except NoSuchTokenError:
        return {}
    return claims


def _expired(header: str, payload: str, secret: str) -> str:
    algorithm = _decoded(header).get("alg")
    if algorithm not in _DIGESTS:
        raise NoSuchTokenError(f"the token is signed by {algorithm}, which a shared secret cannot make")
    signed = f"{header}.{_encoded({**_decoded(payload), 'exp': EXPIRED_AT})}"
    digest = hmac.new(secret.encode(), signed.encode(), _DIGESTS[algorithm]).digest()
    return f"{signed}.{_base64(digest)}"


def _parts(token: str) -> tuple[str, str, str]:
    parts = token.split(".")
    if len(parts) != _PARTS:
        raise NoSuchTokenError("the token in use is no JWT")
    return parts[0], parts[1], parts[2]


def _decoded(part: str) -> dict[str, Any]:
    try:
        content = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (binascii.Error, ValueError):
        raise NoSuchTokenError("the token in use is no JWT") from None
    return content if isinstance(content, dict) else {}


def _encoded(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content, separators=(",", ":")).encode())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
