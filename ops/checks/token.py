"""The bearer token of the functional calls: given, or got from Supabase auth with e-mail and password."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from model.checks import FunctionalCall, JsonAssertion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.checks import TokenSource


class NoTokenSourceError(ValueError):
    """Nothing says where a token comes from; the message names what to set."""


@dataclass(frozen=True, repr=False)
class GivenToken:
    """A token that the environment holds."""

    token: str


@dataclass(frozen=True, repr=False)
class PasswordGrant:
    """A request that yields a token. Everything but the URL is secret and appears in no message."""

    supabase_url: str
    anon_key: str
    email: str
    password: str

    def call(self) -> FunctionalCall:
        """Return the grant as a call, judged like any other: its failure means that nobody can log in."""
        return FunctionalCall(
            name="authentication",
            method="POST",
            url=f"{self.supabase_url.rstrip('/')}/auth/v1/token?grant_type=password",
            body={"email": self.email, "password": self.password},
            auth=False,
            assertions=(JsonAssertion(field="access_token", type="string"),),
        )


def resolve(source: TokenSource, environment: Mapping[str, str]) -> GivenToken | PasswordGrant:
    """Find the token's origin in the environment.

    Raises:
        NoTokenSourceError: neither a token nor all parts of a password grant are there.
    """
    token = environment.get(source.token_env, "").strip()
    if token:
        return GivenToken(token)
    names = (source.anon_key_env, source.email_env, source.password_env)
    values = [environment.get(name, "").strip() for name in names]
    missing = [name for name, value in zip(names, values, strict=True) if not value]
    if source.supabase_url is None:
        missing.insert(
            0, "the address of Supabase (SUPABASE_URL, --supabase-url or token.supabase_url in the file)"
        )
    if source.supabase_url is None or missing:
        raise NoTokenSourceError(
            f"no bearer token: set {source.token_env}, or for a password grant also: {', '.join(missing)}"
        )
    return PasswordGrant(source.supabase_url, *values)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text without the secrets, the longest first: one may contain another."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def access_token(body: bytes) -> str:
    """Return the token of a successful grant's answer."""
    return str(json.loads(body)["access_token"])


def secrets_of(origin: GivenToken | PasswordGrant) -> tuple[str, ...]:
    """Return the values that no output may show."""
    if isinstance(origin, GivenToken):
        return (origin.token,)
    return (origin.password, origin.anon_key, origin.email)
