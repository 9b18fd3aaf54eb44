"""The ASGI application: routes, middleware, and what happens at start and stop."""

# FastAPI reads the annotations of routes when they are defined, so this file does not postpone them.
import asyncio
import logging
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, PlainTextResponse
from psycopg import Error as DatabaseError
from psycopg_pool import PoolTimeout

from . import VERSION, audit, health
from .metrics import Metrics
from .services import Services
from .settings import Failures, Settings

CRASH_EXIT_CODE = 70
RELEASE_HEADER = "x-orka-release"
_SPARED = ("/", "/metrics")
log = logging.getLogger(__name__)


def create_app(environment: Mapping[str, str] = os.environ) -> FastAPI:
    """Return the application for an environment.

    Raises:
        SettingsError: the environment lacks something or holds something malformed.
    """
    settings = Settings.read(environment)
    services = Services.make(settings)
    metrics = Metrics(settings.release)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        await services.database.open()
        if settings.failures.crash_after_s is not None:
            asyncio.get_running_loop().call_later(settings.failures.crash_after_s, os._exit, CRASH_EXIT_CODE)
        log.info("release %s is ready", settings.release)
        yield
        await services.close()

    app = FastAPI(title="Orka PPM audit trail", version=VERSION, lifespan=lifespan)
    app.state.services = services
    app.include_router(health.router(services.probes(), settings.failures.degraded))
    app.include_router(audit.routes)

    @app.get("/")
    async def root() -> dict[str, str]:
        return {"message": "Orka PPM audit trail", "status": "running", "version": VERSION}

    @app.get("/metrics", include_in_schema=False)
    async def show_metrics() -> PlainTextResponse:
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    app.add_exception_handler(PoolTimeout, _database_away)
    app.add_exception_handler(DatabaseError, _database_fault)
    app.middleware("http")(_observe(settings.failures, settings.release, metrics))
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(settings.cors_origins),
        allow_methods=["GET", "POST", "OPTIONS"],
        allow_headers=["authorization", "content-type"],
        expose_headers=[RELEASE_HEADER],
        max_age=600,
    )
    return app


def _observe(
    failures: Failures, release: str, metrics: Metrics
) -> Callable[[Request, Callable[[Request], Awaitable[Response]]], Awaitable[Response]]:
    """Count every request, name the release in every answer, and fail where failures are asked for."""

    async def middleware(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
        begun = time.monotonic()
        status = 500
        try:
            spared = request.url.path in _SPARED
            if failures.slow_ms and not spared:
                await asyncio.sleep(failures.slow_ms / 1000)
            if not spared and random.random() < failures.errors:  # noqa: S311 - chance, not secrecy
                response: Response = JSONResponse({"detail": "failing on demand"}, 500)
            else:
                response = await _answer(request, call)
            status = response.status_code
            response.headers[RELEASE_HEADER] = release
            return response
        finally:
            route: Any = request.scope.get("route")
            metrics.observe(
                request.method, getattr(route, "path", "unmatched"), status, time.monotonic() - begun
            )

    return middleware


async def _answer(request: Request, call: Callable[[Request], Awaitable[Response]]) -> Response:
    try:
        return await call(request)
    except Exception:
        # Answered here, inside the counting and the release header, which the outermost handler lies beyond.
        log.exception("%s %s failed", request.method, request.url.path)
        return JSONResponse({"detail": "internal error"}, 500)


async def _database_away(_request: Request, error: Exception) -> JSONResponse:
    log.error("the database gives no connection: %s", type(error).__name__)
    return JSONResponse({"detail": "the database does not answer"}, 503)


async def _database_fault(request: Request, error: Exception) -> JSONResponse:
    # The message may quote a row of some tenant: only its class and code are logged.
    code = getattr(error, "sqlstate", None)
    log.error("%s %s: %s (SQLSTATE %s)", request.method, request.url.path, type(error).__name__, code)
    return JSONResponse({"detail": "the database refused"}, 503 if code is None else 500)
