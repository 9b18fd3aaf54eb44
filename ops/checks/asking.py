"""Sends one request and takes its answer, bounded in time and in memory, whatever the other side does.

An answer may be endless, slow, compressed to hide its size, or no HTTP at all: each ends as a reason.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from ops.checks.judge import Answer
from ops.checks.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

MAX_BODY_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What is sent. `body` becomes JSON; None sends none."""

    method: str
    url: str
    body: JsonValue = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class NoAnswer:
    """Why there is nothing to judge; `received` says whether the other side may have got the request.

    `final` says that asking again cannot help: the answer itself is the trouble.
    """

    reason: str
    received: bool = True
    final: bool = False


async def ask(http: httpx.AsyncClient, request: Request, seconds: float) -> Answer | NoAnswer:
    """Send it once; never raises for what the other side does and never takes longer than `seconds`."""
    # A compressed answer of a few kilobytes unpacks to gigabytes; nothing that is checked needs it.
    headers = {"accept-encoding": "identity", **request.headers}
    begun = time.monotonic()
    try:
        async with asyncio.timeout(seconds):
            stream = http.stream(request.method, request.url, json=request.body, headers=headers)
            async with stream as response:
                if refused := _refused(response.headers):
                    return NoAnswer(refused, final=True)
                content = bytearray()
                async for chunk in response.aiter_raw():
                    content += chunk
                    if len(content) > MAX_BODY_BYTES:
                        return NoAnswer(_too_long(), final=True)
    except TimeoutError:
        return NoAnswer(f"no whole answer within {seconds:.1f} s")
    except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
        return _unanswered(error)
    return Answer(
        status=response.status_code,
        body=bytes(content),
        latency_ms=milliseconds_since(begun),
        content_type=response.headers.get("content-type", ""),
        location=response.headers.get("location"),
    )


def milliseconds_since(begun: float) -> int:
    """Whole milliseconds since a moment of the monotonic clock."""
    return round((time.monotonic() - begun) * 1000)


def _unanswered(error: Exception) -> NoAnswer:
    if isinstance(error, httpx.ConnectError):
        return NoAnswer(plain(f"cannot connect: {error}"), received=False)
    if isinstance(error, httpx.LocalProtocolError):
        # Its text repeats the header, which may be the token, and not in the form that is looked for.
        return NoAnswer("not sent: a header holds what HTTP does not allow", received=False, final=True)
    return NoAnswer(plain(f"no answer: {type(error).__name__}: {error}"))


def _refused(headers: httpx.Headers) -> str | None:
    announced = headers.get("content-length", "")
    # Not even begun: what is announced would be cut off anyway.
    if announced.isdigit() and int(announced[:20]) > MAX_BODY_BYTES:
        return _too_long()
    encoding = headers.get("content-encoding", "identity").strip().lower()
    return None if encoding in ("", "identity") else plain(f"the answer is encoded as {encoding}, unasked")


def _too_long() -> str:
    return f"the answer is longer than {MAX_BODY_BYTES} bytes"
