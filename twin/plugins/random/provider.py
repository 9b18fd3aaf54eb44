"""The one kind of the plugin `random` that the program uses: passwords."""

from __future__ import annotations

import base64
import secrets
import string
from typing import TYPE_CHECKING, Any

from twin.plugins import wire
from twin.plugins.bridged import BridgedProvider, Change, Kind, Schema
from twin.plugins.provider import Properties, ProviderError

if TYPE_CHECKING:
    from collections.abc import Mapping

SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
BCRYPT_ROUNDS_LOG2 = 10
LONGEST_BCRYPT_BYTES = 72
COUNTS = ("minLower", "minNumeric", "minSpecial", "minUpper")
CLASSES = ("lower", "numeric", "special", "upper")


class RandomPassword:
    """A password, which is never updated: every changed input takes a new one. Its id is no secret."""

    schema = Schema(
        inputs=frozenset(
            {
                "length",
                "keepers",
                "lower",
                "upper",
                "number",
                "numeric",
                "special",
                "overrideSpecial",
                *COUNTS,
            }
        ),
        required=frozenset({"length"}),
        secret_outputs=frozenset({"bcryptHash", "result"}),
    )

    def create(self, inputs: Properties, *, preview: bool) -> tuple[str, Properties]:
        """Make it; a preview knows its shape only."""
        allowed = {
            name: bool(inputs.get(name, inputs.get("number", True) if name == "numeric" else True))
            for name in CLASSES
        }
        least = {name: int(inputs.get(name, 0)) for name in COUNTS}
        outputs: Properties = {**inputs, **allowed, **least, "number": allowed["numeric"]}
        if preview:
            return "", {**outputs, "id": wire.UNKNOWN, "bcryptHash": wire.UNKNOWN, "result": wire.UNKNOWN}
        result = _password(int(inputs["length"]), allowed, least, inputs.get("overrideSpecial"))
        outputs |= {"id": "none", "result": result, "bcryptHash": _bcrypt(result)}
        return "none", {**outputs, "__meta": '{"schema_version":"3"}'}

    def diff(self, _olds: Properties, old_inputs: Properties, news: Properties) -> Change:
        """Every change replaces it."""
        changed = tuple(
            sorted(key for key in old_inputs.keys() | news.keys() if old_inputs.get(key) != news.get(key))
        )
        return Change(changed=changed, replaces=changed)

    def read(self, _resource_id: str, properties: Properties) -> Properties | None:
        """It lives in the state only."""
        return properties

    def update(self, _olds: Properties, _news: Properties, *, preview: bool) -> Properties:
        """Never asked for."""
        raise ProviderError(f"a random value is never updated (preview: {preview})")

    def delete(self, _resource_id: str, _properties: Properties) -> None:
        """Nothing to do."""


class RandomProvider(BridgedProvider):
    """The provider; it has no configuration."""

    version = "4.21.4"
    handshake_refusal = "Handshake is not yet implemented"
    accepts_resources = True

    def kinds(self) -> Mapping[str, Kind]:
        """The kind by its type token."""
        return {
            "random:index/randomPassword:RandomPassword": RandomPassword(),
        }


def _password(length: int, allowed: Mapping[str, bool], least: Mapping[str, int], special: Any) -> str:
    letters = {
        "lower": string.ascii_lowercase,
        "numeric": string.digits,
        "special": str(special or SPECIAL),
        "upper": string.ascii_uppercase,
    }
    usable = "".join(letters[name] for name in CLASSES if allowed[name])
    forced = [
        secrets.choice(letters[name]) for name in CLASSES for _ in range(least[f"min{name.capitalize()}"])
    ]
    if not usable or len(forced) > length:
        raise ProviderError("length is too short for the minimums, or no class of characters is allowed")
    chosen = [*forced, *(secrets.choice(usable) for _ in range(length - len(forced)))]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)


def _bcrypt(password: str) -> str:
    """The bcrypt hash by the C library, where it has one; empty elsewhere: the program does not use it."""
    try:
        import crypt  # noqa: PLC0415 - gone from Python 3.13 on
    except ImportError:
        return ""
    salt = base64.b64encode(secrets.token_bytes(16), altchars=b"./").decode()[:22]
    shortened = password.encode()[:LONGEST_BCRYPT_BYTES].decode(errors="ignore")
    return crypt.crypt(shortened, f"$2a${BCRYPT_ROUNDS_LOG2}${salt}") or ""
