"""What is known of the images that the stack deploys, as settings that a profile's name brings along.

`guide` is an image that keeps to the deployment guide. `orka-ppm` is the application as its code was read: it
has other names for variables, the Redis password in the URL, start-up checks that no pod can pass, and routes
that are open unless a variable closes them. It has no command for its jobs: its image must bring one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from model.merge import merged

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]

_PAGE = {"path": "/api/health"}
_SERVED: Json = {"port": 3000, "probes": {"startup": _PAGE, "readiness": _PAGE, "liveness": _PAGE}}

BACKEND: Mapping[str, Json] = {
    "guide": {},
    "orka-ppm": {
        "command": ["uvicorn", "main:app", "--host", "0.0.0.0", "--port", "8000"],  # noqa: S104 - in a pod
        "writable": ["/app/storage"],
        "probes": {
            # It was seen to start within 27 seconds.
            "startup": {"period-seconds": 3, "failures": 30},
            # While its database is away, /health blocks the whole process for up to ten seconds.
            "liveness": {"timeout-seconds": 15},
        },
        "redis-password-in-url": True,
        "aliases": {
            "SUPABASE_ANON_KEY": "SUPABASE_KEY",
            "SUPABASE_SERVICE_ROLE_KEY": "SUPABASE_SERVICE_KEY",
            "SUPABASE_JWT_SECRET": "JWT_SECRET",
            "SECRET_KEY": "JWT_SECRET",
            "AUDIT_ENCRYPTION_KEY": "ENCRYPTION_KEY",
        },
        "env": {
            # Anything but `production` opens its debugging routes.
            "ENVIRONMENT": "production",
            "DISABLE_BOOTSTRAP": "true",
            "ALLOW_DEV_DEFAULT_USER": "false",
            # They ask its own address before it listens, and end the process.
            "SKIP_PRE_STARTUP_TESTS": "true",
            # Only the edge and pods of this namespace reach it; without this all users share one rate limit.
            "FORWARDED_ALLOW_IPS": "*",
            "MPLCONFIGDIR": "/tmp",  # noqa: S108 - an emptyDir
        },
    },
}
FRONTEND: Mapping[str, Json] = {
    "guide": _SERVED,
    "orka-ppm": {**_SERVED, "command": ["node", "server.js"], "writable": ["/app/.next/cache"]},
}


def complete(document: Mapping[str, Any]) -> Json:
    """The document with each profile's contract under what the document itself says of it.

    What is not as it should be is left as it is: the settings' own rules name it.
    """
    found = dict(document)
    for part, profiles in (("backend", BACKEND), ("frontend", FRONTEND)):
        group = document.get(part, {} if part == "frontend" else None)
        profile = group.get("profile", "guide") if isinstance(group, dict) else None
        given = group.get("contract", {}) if isinstance(group, dict) else None
        if isinstance(profile, str) and profile in profiles and isinstance(given, dict):
            found[part] = {**group, "contract": merged(profiles[profile], given)}
    return found
