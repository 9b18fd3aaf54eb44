"""The health addresses, public and inside the cluster: who answers each, the application or the checker."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from model.settings import Settings

BACKEND, FRONTEND, CHECKER = "http://backend", "http://frontend", "http://checker"
ADDRESSES = {
    "backend": "/health",
    "database": "/health/db",
    "redis": "/health/redis",
    "openai": "/health/openai",
}
"""The guide's, by name. The checker can answer all but the first."""
PAGE = "frontend"
"""The one that is a page, and judged by its code."""


def health_urls(api_url: str, frontend_url: str) -> dict[str, str]:
    """Return the guide's four health addresses and the frontend's, by the names the stack exports."""
    api, page = api_url.rstrip("/"), frontend_url.rstrip("/")
    return {**{name: f"{api}{path}" for name, path in ADDRESSES.items()}, PAGE: f"{page}/"}


def frontend_url(settings: Settings) -> str:
    """Where a pod of the namespace reaches the frontend."""
    return settings.frontend.url or FRONTEND


def inside(settings: Settings) -> dict[str, str]:
    """The addresses by name, by the Services' names: they do not depend on the edge or on public DNS."""
    by_checker = settings.verification.by_checker
    return {
        name: url.replace(BACKEND, CHECKER) if name in by_checker else url
        for name, url in health_urls(BACKEND, frontend_url(settings)).items()
    }


def watched(settings: Settings) -> dict[str, str]:
    """Those that somebody answers: the application as it is has only the first of the guide's four.

    Any other image may lack that one too: it has it where the stack file lists its path as a check.
    """
    wanted = settings.verification
    own = wanted.profile == "own"
    guides = settings.backend.profile == "guide" and not own
    there = {PAGE} | wanted.provided | wanted.by_checker
    if not own or any((one.host, one.url) == ("api", ADDRESSES["backend"]) for one in wanted.health):
        there |= {"backend"}
    return {name: url for name, url in inside(settings).items() if guides or name in there}


def paths(settings: Settings) -> dict[str, bool]:
    """The paths of health addresses that the edge leads to one, and whether that is the checker."""
    own = (check.url for check in settings.verification.health if check.host == "api")
    by_checker = {ADDRESSES[name] for name in settings.verification.by_checker}
    return {path: path in by_checker for path in (*ADDRESSES.values(), *own)}
