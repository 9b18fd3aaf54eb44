"""The bearer token of the functional calls: given, or got from Supabase auth with e-mail and password."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from model.checks import FunctionalCall, JsonAssertion

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from model.checks import TokenSource


_SENDABLE = re.compile(r"[!-~]+")


class NoTokenSourceError(ValueError):
    """Nothing says where a token comes from, or not a whole one; the message names what to set."""


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
    name: str = "authentication"

    def call(self) -> FunctionalCall:
        """Return the grant as a call, judged like any other: its failure means that nobody can log in."""
        return FunctionalCall(
            name=self.name,
            method="POST",
            url=f"{self.supabase_url.rstrip('/')}/auth/v1/token?grant_type=password",
            body={"email": self.email, "password": self.password},
            auth=False,
            assertions=(JsonAssertion(field="access_token", type="string"),),
            capture={"access_token": "access_token"},
        )


@dataclass(frozen=True, repr=False, kw_only=True)
class Credentials:
    """Everything secret that a run may use. What is None was not given."""

    checker: GivenToken | PasswordGrant | None = None
    other: PasswordGrant | None = None
    jwt_secret: str | None = None
    database_url: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys of services, by the variables that hold them."""

    def secrets(self) -> set[str]:
        """The values that no output may show."""
        origins = [origin for origin in (self.checker, self.other) if origin is not None]
        values = {value for origin in origins for value in secrets_of(origin)}
        return values | {
            value for value in (self.jwt_secret, self.database_url, *self.keys.values()) if value
        }


def credentials(
    source: TokenSource,
    environment: Mapping[str, str],
    *,
    needs_token: bool = True,
    key_envs: Iterable[str] = (),
) -> Credentials:
    """Find everything that the environment gives.

    Raises:
        NoTokenSourceError: a token is needed and there is no origin of one.
    """
    email, password, key, secret, database = (
        environment.get(name, "").strip()
        for name in (
            source.other_email_env,
            source.other_password_env,
            source.anon_key_env,
            source.jwt_secret_env,
            source.database_url_env,
        )
    )
    other = (
        PasswordGrant(source.supabase_url, key, email, password, name="authentication-other")
        if source.supabase_url and key and email and password
        else None
    )
    return Credentials(
        checker=resolve(source, environment) if needs_token else None,
        other=other,
        jwt_secret=secret or None,
        database_url=database or None,
        keys={name: text for name in key_envs if (text := environment.get(name, "").strip())},
    )


def resolve(source: TokenSource, environment: Mapping[str, str]) -> GivenToken | PasswordGrant:
    """Find the token's origin in the environment.

    Raises:
        NoTokenSourceError: neither a token nor all parts of a password grant are there, or the token is one
            that no header can hold.
    """
    token = environment.get(source.token_env, "").strip()
    if token:
        if not _SENDABLE.fullmatch(token):
            # What it holds is not said: it is a secret all the same.
            raise NoTokenSourceError(
                f"the token in {source.token_env} holds a space, a line break or what is not ASCII:"
                " set it anew, in one piece"
            )
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


def secrets_of(origin: GivenToken | PasswordGrant) -> tuple[str, ...]:
    """Return the values that no output may show."""
    if isinstance(origin, GivenToken):
        return (origin.token,)
    return (origin.password, origin.anon_key, origin.email)
