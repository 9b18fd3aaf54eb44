"""The guide's four health routes. They answer 200 whatever the state: the field `status` tells."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from . import VERSION

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

PROBE_SECONDS = 3.0
log = logging.getLogger(__name__)


def router(probes: Mapping[str, Callable[[], Awaitable[object]]], degraded: frozenset[str]) -> APIRouter:
    """Return `/health` and `/health/NAME` for each probe; those in `degraded` are reported so whatever they say."""
    routes = APIRouter()

    async def state(name: str) -> dict[str, Any]:
        begun = time.monotonic()
        status = "degraded" if name in degraded else "healthy"
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                await probes[name]()
        except Exception as error:  # noqa: BLE001 - whatever a client library raises means: it does not work
            log.warning("%s is not healthy: %s", name, type(error).__name__)
            status = "degraded"
        return {"status": status, "latency_ms": round((time.monotonic() - begun) * 1000)}

    @routes.get("/health")
    async def health() -> dict[str, Any]:
        states = await asyncio.gather(*(state(name) for name in probes))
        well = all(each["status"] == "healthy" for each in states)
        return {"status": "healthy" if well else "degraded", "version": VERSION}

    def add(name: str) -> None:
        async def component() -> dict[str, Any]:
            return await state(name)

        routes.add_api_route(f"/health/{name}", component, methods=["GET"])

    for name in probes:
        add(name)
    return routes
