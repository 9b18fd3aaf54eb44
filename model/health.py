"""The health addresses inside the cluster: who answers each, the application itself or the checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.checks import health_urls

if TYPE_CHECKING:
    from model.settings import Settings

BACKEND, FRONTEND, CHECKER = "http://backend", "http://frontend", "http://checker"
# What the checker answers in the application's place.
CHECKER_PATHS = ("/health/db", "/health/redis", "/health/openai")
PAGE = "frontend"
"""The one that is a page, and judged by its code."""


def frontend_url(settings: Settings) -> str:
    """Where a pod of the namespace reaches the frontend."""
    return settings.frontend.url or FRONTEND


def inside(settings: Settings) -> dict[str, str]:
    """The addresses by name, by the Services' names: they do not depend on the edge or on public DNS."""
    health = health_urls(BACKEND, frontend_url(settings))
    if settings.verification.checker:
        health |= {
            name: url.replace(BACKEND, CHECKER)
            for name, url in health.items()
            if url.removeprefix(BACKEND) in CHECKER_PATHS
        }
    return health


def watched(settings: Settings) -> dict[str, str]:
    """Those that somebody answers: the application as it is has only the first of the guide's four."""
    all_there = settings.verification.checker or settings.backend.profile == "guide"
    return {
        name: url
        for name, url in inside(settings).items()
        if all_there or not any(url.endswith(path) for path in CHECKER_PATHS)
    }
