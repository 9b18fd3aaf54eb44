"""Sentry's address, and the release as it is called there."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from model.release import LENGTH
from model.settings_base import inside

PACKAGE = "orka-ppm"
EXPECTED = "expected https://KEY@HOST/PROJECT; leave it out where Sentry is not used"
DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = r"[0-9a-z]([-0-9a-z.]*[0-9a-z])?"


def dsn_fault(value: str) -> str | None:
    """What is wrong with an address of Sentry's (a DSN), never the address."""
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return f"is not a URL: {EXPECTED}"
    needed = {
        # A rehearsal has something in Sentry's place.
        "is not https": parts.scheme == "https" or (parts.scheme == "http" and inside(host)),
        "has no public key before the @": re.fullmatch(r"[0-9a-zA-Z]+", parts.username or ""),
        "has a secret key, which Sentry asks for no more": parts.password is None,
        "has no host after the @": re.fullmatch(_HOST, host) and ".." not in host,
        "does not end with the number of a project": re.fullmatch(r"(/[-\w]+)*/[0-9]+", parts.path),
        "has something behind the project": not parts.query and not parts.fragment,
    }
    fault = next((words for words, well in needed.items() if not well), None)
    return fault and f"{fault}: {EXPECTED}"


def host_and_port(dsn: str) -> tuple[str, int]:
    """Whom the pods send errors to."""
    parts = urlsplit(dsn)
    return parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme]


def release(image: str) -> str:
    """A package and its version, by the image's digest: Sentry allows no colon and no slash."""
    return f"{PACKAGE}@{image.rpartition('@sha256:')[2][:LENGTH]}"
