"""What a pod's variable may be called and may hold: nothing of the stack's, no secret, no foreign host."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from model.jobs import active
from model.secrets import SECRETS, jwt_role
from model.variables import SETTING_OF, plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from model.settings import Build, Settings

SECRET_VARIABLES = {spec.variable for spec in SECRETS}
OWN_VARIABLES = SECRET_VARIABLES | {"REDIS_URL", "ORKA_RELEASE", "SENTRY_RELEASE"}
PUBLIC_KEYS = {"supabase-key", "sentry-dsn"}
"""What a page in a browser may know: they identify the stack and open nothing."""
NOT_HIDDEN = "check-email"
SHORTEST_PART = 8
"""A secret shorter than that may stand in a longer text by chance."""
_FRONTEND = "frontend.env"
_BUILD = ".build.args"
_PUBLIC = (_FRONTEND, f"images.frontend{_BUILD}")
_BUILT_IN = {name for name in SETTING_OF if name.startswith("NEXT_PUBLIC_")} | {"BASE_IMAGE"}
_HOST = re.compile(r"[a-z][a-z0-9+.-]*://(?:[^/\s@]*@)?(?P<host>\[[^\]\s]*\]|[^/\s:?#,;'\"]+)", re.IGNORECASE)
_JWT = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
_SECRET = re.compile(
    r"\bsk-[A-Za-z0-9_-]{16,}|://[^/\s:@]*:[^/\s@]+@|-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|hooks\.slack\.com/services/"
)


def variable_faults(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    """Every fault, by the path of the variable; no value is in a message."""
    backend = settings.backend
    yield from _of_secrets(settings, secrets)
    for path, variables in (
        ("backend.env", backend.env),
        ("backend.contract.env", backend.contract.env),
        (_FRONTEND, settings.frontend.env),
        *((f"cron-jobs.{task}.env", job.env) for task, job in active(settings).items()),
        # What is built into an image everybody reads who pulls it.
        *((path, build.args) for path, build in _builds(settings)),
    ):
        for name, value in variables.items():
            at = f"{path}.{name}"
            if problem := _reserved(path, name, settings):
                yield f"{at} {problem}"
            elif kind := secret_kind(value, secrets, public=path in _PUBLIC):
                yield (
                    f"{at} looks like a secret ({kind}), and everybody reads the variables of this file: "
                    "remove it; what the stack knows as a secret reaches the pods by itself"
                )
            # A mirror that an image is built from is nothing the application calls.
            asked = not path.endswith(_BUILD) or path in _PUBLIC
            for host in sorted(_foreign(value, settings) if asked else ()):
                yield (
                    f"{at} names the host {host}, which is none of this stack's: correct it, or list it "
                    "under network.further"
                )


def _builds(settings: Settings) -> Iterator[tuple[str, Build]]:
    images = settings.images
    for name, image in (("backend", images.backend), ("frontend", images.frontend), ("ops", images.ops)):
        if image is not None and image.build is not None:
            yield f"images.{name}{_BUILD}", image.build


def _of_secrets(settings: Settings, secrets: Mapping[str, str | None]) -> Iterator[str]:
    contract = settings.backend.contract
    for name, key in contract.secret_env.items():
        at = f"backend.contract.secret-env.{name}"
        if name in SECRET_VARIABLES | OWN_VARIABLES | set(plain(settings)) | set(contract.aliases):
            yield f"{at} is set by the stack itself: remove it here, or choose another name"
        if secrets.get(key) is None:
            yield f"{at}: the secret {key} is not set: pulumi config set --secret orka-ppm:{key}"


def _reserved(path: str, name: str, settings: Settings) -> str | None:
    contract = settings.backend.contract
    aliases, given = contract.aliases, contract.secret_env
    secret = (
        SECRET_VARIABLES | {alias for alias, of in aliases.items() if of in SECRET_VARIABLES} | set(given)
    )
    public = {spec.variable for spec in SECRETS if spec.key in PUBLIC_KEYS}
    public |= {name for name, key in given.items() if key in PUBLIC_KEYS}
    hidden = name in secret and name not in public and aliases.get(name) not in public
    if path.endswith(_BUILD):
        if name in _BUILT_IN:
            return "is set by the stack itself: remove it here, and set the key that it comes from"
        return (
            "is the name of a secret, and an image tells what it was built with: remove it"
            if hidden
            else None
        )
    if path == _FRONTEND:
        return "is the name of a secret, and the frontend is given none: remove it" if hidden else None
    if name in secret | OWN_VARIABLES | set(plain(settings)):
        return "is set by the stack itself: remove it here, and set the key that it comes from"
    return None


def secret_kind(value: str, secrets: Mapping[str, str | None], *, public: bool) -> str | None:
    """What the value looks like; the anon key and the address of Sentry may be public."""
    for match in _JWT.finditer(value):
        role = jwt_role(match[0])
        if role is not None and not (public and role == "anon"):
            return f"a JWT of the role {role or 'nobody'}"
    if _SECRET.search(value):
        return "a key, or an address with a password"
    without = {NOT_HIDDEN, *(PUBLIC_KEYS if public else ())}
    held = (key for key, text in _texts(secrets) if key not in without and _holds(value, text))
    return next((f"it holds {key}" for key in held), None)


def _texts(secrets: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    for key, value in secrets.items():
        if value:
            yield key, value
    try:
        password = urlsplit(secrets.get("database-admin-url") or "").password
    except ValueError:
        return
    if password:
        yield "database-admin-url", unquote(password)


def _holds(value: str, secret: str) -> bool:
    if len(secret) < SHORTEST_PART:
        return value == secret
    encoded = secret.encode(errors="surrogatepass")
    return any(
        form in value for form in (secret, quote(encoded, safe=""), base64.b64encode(encoded).decode())
    )


def _foreign(value: str, settings: Settings) -> set[str]:
    """Hosts that the stack was not told of: an application must not fall back to someone else's service."""
    known = {settings.edge.api_host, urlsplit(settings.frontend_url).hostname or ""}
    known |= {host for each in settings.network.further.values() for host in each.hosts}
    urls = (settings.supabase.url, settings.openai.base_url, settings.redis.url)
    known |= {urlsplit(url).hostname or "" for url in urls}
    named = {match["host"].lower().strip("[]") for match in _HOST.finditer(value)}
    return {host for host in named if host not in known and _is_elsewhere(host)}


def _is_elsewhere(host: str) -> bool:
    """Not the name of a pod's own neighbours, as `redis` or `name.namespace.svc.cluster.local`."""
    return ":" in host or ("." in host and not host.endswith((".svc", ".svc.cluster.local")))
