"""What a stand-in was asked: the last requests, without credentials, read by tests at `GET /_asked`."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

KEPT = 1000


class Asked:
    """A bounded list of requests; `total` counts the forgotten ones too."""

    def __init__(self, kept: int = KEPT) -> None:
        self._lock = threading.Lock()
        self._entries: deque[dict[str, Any]] = deque(maxlen=kept)
        self._total = 0

    def note(self, request: Request, status: int, **details: Any) -> None:
        """Keep one request. `details` must hold no password, key or token."""
        with self._lock:
            self._total += 1
            self._entries.append(
                {
                    "number": self._total,
                    "at": time.time(),
                    "method": request.method,
                    "path": request.url.path,
                    "status": status,
                    **details,
                }
            )

    def route(self) -> Route:
        """`GET /_asked` tells, `DELETE /_asked` forgets."""
        return Route("/_asked", self._answer, methods=["GET", "DELETE"])

    async def _answer(self, request: Request) -> Response:
        with self._lock:
            if request.method == "DELETE":
                self._entries.clear()
                self._total = 0
                return Response(status_code=204)
            return JSONResponse({"total": self._total, "requests": list(self._entries)})
