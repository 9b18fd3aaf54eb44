"""A small edge on loopback: TLS in front, plain HTTP behind; a twist may change what passes through."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from tests.checks.ports import free_port

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from starlette.requests import Request

    from twin.certificates import Pair

TIMEOUT_S = 30.0
START_S = 20.0


@dataclass
class Exchange:
    """One request and its answer. A twist that sets `status` before it is sent on answers in its place."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes = b""
    status: int = 0
    kind: str = "application/json"
    answer: bytes = b""
    more: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Twist:
    """What to change: `before` it is sent on, `after` the answer came."""

    before: Callable[[Exchange], None] = lambda _: None
    after: Callable[[Exchange], None] = lambda _: None


class Edge:
    """One listener for one service behind it, with one certificate. Use it as a context."""

    def __init__(self, pair: Pair) -> None:
        self.port = free_port()
        self.url = f"https://localhost:{self.port}"
        self.behind = ""
        self.host = ""
        """The host that is asked for, where what is behind is an edge itself, with TLS."""
        self.trust: ssl.SSLContext | bool = True
        self.twist = Twist()
        self.origins: set[str] = set()
        """Pages that may call it from a browser, as the Ingress says."""
        app = Starlette(routes=[Route("/{path:path}", self._pass, methods=["GET", "POST", "OPTIONS"])])
        config = uvicorn.Config(
            app, host="127.0.0.1", port=self.port, log_level="error", lifespan="off",
            ssl_certfile=str(pair.certificate), ssl_keyfile=str(pair.key),
        )  # fmt: skip
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        ends = time.monotonic() + START_S
        while not self._server.started:
            assert time.monotonic() < ends, "the edge does not begin"
            time.sleep(0.02)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=TIMEOUT_S)

    async def _pass(self, request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        kept = {name: request.headers[name] for name in ("authorization",) if name in request.headers}
        kept["content-type"] = request.headers.get("content-type", "application/json")
        allowed = _cors(request.headers.get("origin", ""), self.origins)
        exchange = Exchange(request.method, request.url.path, kept, await request.body())
        exchange.more |= allowed
        if exchange.method == "OPTIONS":
            exchange.status = 204
        self.twist.before(exchange)
        if not exchange.status:
            named = {"host": self.host} if self.host else {}
            async with httpx.AsyncClient(timeout=TIMEOUT_S, verify=self.trust) as client:
                found = await client.request(
                    exchange.method, self.behind + exchange.path + query,
                    headers={**exchange.headers, **named}, content=exchange.body,
                    extensions={"sni_hostname": self.host} if self.host else {},
                )  # fmt: skip
            exchange.status, exchange.answer = found.status_code, found.content
            exchange.kind = found.headers.get("content-type", "")
            self.twist.after(exchange)
        return Response(
            exchange.answer, exchange.status, headers={**exchange.more, "content-type": exchange.kind}
        )


def _cors(origin: str, origins: set[str]) -> dict[str, str]:
    if origin not in origins:
        return {}
    return {"access-control-allow-origin": origin, "access-control-allow-headers": "Authorization"}
