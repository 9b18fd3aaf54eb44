"""What browsers meet at the edge: HTTPS only, and the API for the frontend's origin alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.twin.stack import Stack

API = "https://api-staging.orka-ppm.example.com/api/audit/events"
ORIGIN = "https://staging.orka-ppm.example.com"


def _headers(stack: Stack, origin: str, *arguments: str) -> str:
    done = stack.run(
        "curl", "-sS", "-o", "/dev/null", "-D", "-", "-H", f"Origin: {origin}", *arguments, API, timeout=30
    )
    assert done.code == 0, done
    return done.output.lower()


def test_the_edge_answers_a_preflight_of_the_frontend(deployed: Stack) -> None:
    asked = ("-X", "OPTIONS", "-H", "Access-Control-Request-Method: POST")
    told = _headers(deployed, ORIGIN, *asked)
    assert " 204" in told.splitlines()[0]
    assert f"access-control-allow-origin: {ORIGIN}" in told
    assert "access-control-allow-origin" not in _headers(deployed, "https://evil.example.com", *asked)


def test_every_answer_keeps_browsers_on_https(deployed: Stack) -> None:
    told = _headers(deployed, ORIGIN)
    assert told.count(f"access-control-allow-origin: {ORIGIN}") == 1
    assert "strict-transport-security: max-age=31536000" in told
