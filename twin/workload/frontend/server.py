"""Serves the built page, and says that it is alive."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

if TYPE_CHECKING:
    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.requests import Request

PAGE = Path(__file__).parent / "page"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
}


async def health(_request: Request) -> Response:
    """The guide's application has this address too."""
    return JSONResponse({"status": "healthy"})


async def add_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Security headers on every answer."""
    answer = await call_next(request)
    answer.headers.update(HEADERS)
    return answer


app = Starlette(routes=[Route("/api/health", health), Mount("/", StaticFiles(directory=PAGE, html=True))])
app.add_middleware(BaseHTTPMiddleware, dispatch=add_headers)
