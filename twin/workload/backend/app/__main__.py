"""`python -m app`: serve on port 8000 until SIGTERM, then finish what is under way."""

from __future__ import annotations

import logging
import os
import sys

import uvicorn

from .main import create_app
from .settings import SettingsError

PORT = 8000
GRACE_SECONDS = 20


def main() -> int:
    """Serve; returns an exit code when the environment cannot be used."""
    level = os.environ.get("LOG_LEVEL", "INFO").upper()
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        app = create_app()
    except SettingsError as error:
        print(f"backend: {error}", file=sys.stderr)
        return 2
    uvicorn.run(
        app,
        host="0.0.0.0",  # noqa: S104 - a pod's address is not known beforehand
        port=int(os.environ.get("PORT", PORT)),
        log_config=None,
        access_log=level == "DEBUG",
        timeout_graceful_shutdown=GRACE_SECONDS,
        forwarded_allow_ips=os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1"),
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
