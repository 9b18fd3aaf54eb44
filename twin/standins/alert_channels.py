"""Stand-in for Slack's incoming webhooks, PagerDuty's Events API v2, and who hears that alerting lives.

It answers as they do, refusals included, and keeps what arrives, without the routing key.
"""

from __future__ import annotations

import hmac
import json
import secrets as random
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route

from twin.standins import server
from twin.standins.asked import Asked

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from twin.secrets import Secrets

PORT = 8603
ACTIONS = ("trigger", "acknowledge", "resolve")
SEVERITIES = ("critical", "error", "warning", "info")


def application(known: Secrets) -> Starlette:
    """The three addresses, and what they were asked."""
    asked = Asked()

    async def slack(request: Request) -> Response:
        body = _object(await request.body())
        status, words = _slack(request.url.path, body, known)
        asked.note(request, status, channel="slack", body=body)
        return PlainTextResponse(words, status_code=status)

    async def pagerduty(request: Request) -> Response:
        body = _object(await request.body())
        status, answer = _pagerduty(body, known)
        shown = {key: value for key, value in (body or {}).items() if key != "routing_key"}
        asked.note(request, status, channel="pagerduty", body=shown)
        return JSONResponse(answer, status_code=status)

    async def watchdog(request: Request) -> Response:
        asked.note(request, 200, channel="watchdog", body=_object(await request.body()))
        return PlainTextResponse("OK")

    return Starlette(
        routes=[
            Route("/services/{rest:path}", slack, methods=["POST"]),
            Route("/v2/enqueue", pagerduty, methods=["POST"]),
            Route("/watchdog", watchdog, methods=["POST"]),
            asked.route(),
        ]
    )


def _slack(path: str, body: dict[str, Any] | None, known: Secrets) -> tuple[int, str]:
    if not hmac.compare_digest(path.encode(), known.slack_path.encode()):
        return 403, "invalid_token"
    if body is None:
        return 400, "invalid_payload"
    if not any(body.get(key) for key in ("text", "blocks", "attachments")):
        return 400, "no_text"
    return 200, "ok"


def _pagerduty(body: dict[str, Any] | None, known: Secrets) -> tuple[int, dict[str, Any]]:
    wrong = _wrong(body or {}, known)
    if wrong:
        return 400, {"status": "invalid event", "message": "Event object is invalid", "errors": wrong}
    key = (body or {}).get("dedup_key") or random.token_hex(16)
    return 202, {"status": "success", "message": "Event processed", "dedup_key": key}


def _wrong(body: dict[str, Any], known: Secrets) -> list[str]:
    found = []
    if not hmac.compare_digest(str(body.get("routing_key", "")).encode(), known.pagerduty_key.encode()):
        found.append("Invalid routing key")
    action, payload = body.get("event_action"), body.get("payload")
    if action not in ACTIONS:
        found.append("'event_action' must be one of: trigger, acknowledge, resolve")
    if action == "trigger":
        given = payload if isinstance(payload, dict) else {}
        found += [
            f"'payload.{key}' is missing or blank" for key in ("summary", "source") if not given.get(key)
        ]
        if given.get("severity") not in SEVERITIES:
            found.append("'payload.severity' is invalid (must be one of the following: critical, ...)")
    elif not body.get("dedup_key"):
        found.append("'dedup_key' is missing or blank")
    return found


def _object(raw: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


if __name__ == "__main__":
    server.serve(application, PORT)
