"""Ways to break a release that its own switches do not have: at the edge, in the page, in the database."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import jwt

from tests.checks.edge import Exchange, Twist

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from twin.secrets import Secrets

AUDIENCE = "authenticated"
EVENTS = "/api/audit/events"
LATER = 4_102_444_800
_TOLD = "/told"
# By an address that no search of the script's text finds.
_FOREIGN_CALL = 'fetch(["https:/", "live.supabase.co", "rest"].join("/")).catch(() => {})'


def answers(path: str, status: int, body: bytes, kind: str = "application/json", **more: str) -> Twist:
    """The path gets this answer and is not sent on."""

    def before(exchange: Exchange) -> None:
        if exchange.path == path:
            exchange.status, exchange.answer, exchange.kind, exchange.more = status, body, kind, more

    return Twist(before=before)


def edits(path: str, change: Callable[[Any], None], method: str = "GET") -> Twist:
    """The JSON of good answers of this path is changed in place."""

    def after(exchange: Exchange) -> None:
        if (exchange.path, exchange.method) == (path, method) and exchange.status < 300:
            document = json.loads(exchange.answer)
            change(document)
            exchange.answer = json.dumps(document).encode()

    return Twist(after=after)


def lose_newest(document: Any) -> None:
    """The newest event is not among those that are read."""
    document["events"] = document["events"][1:]


def accept_and_forget() -> Twist:
    """An event is answered as the API does and is never stored."""
    made = {
        "id": "00000000-0000-4000-8000-000000000009",
        "timestamp": "2026-01-16T02:00:00Z",
        "tenant_id": "00000000-0000-4000-8000-000000000001",
        "hash": "0" * 64,
    }

    def before(exchange: Exchange) -> None:
        if (exchange.method, exchange.path) == ("POST", EVENTS):
            exchange.status, exchange.answer = 201, json.dumps(made).encode()

    return Twist(before=before)


def let_strangers_in(known: Secrets) -> Twist:
    """Who shows no token is taken for the first user: an API that falls back to an administrator."""

    def before(exchange: Exchange) -> None:
        if "authorization" not in exchange.headers:
            exchange.headers["authorization"] = f"Bearer {_signed(known, _claims_of(known))}"

    return Twist(before=before)


def read_without_verifying(known: Secrets) -> Twist:
    """Whatever a token says is believed, whoever signed it; its age is looked at."""

    def before(exchange: Exchange) -> None:
        claims = _claims(exchange, {"verify_signature": False})
        if claims:
            exchange.headers["authorization"] = f"Bearer {_signed(known, claims)}"

    return Twist(before=before)


def never_expire(known: Secrets) -> Twist:
    """The signature is verified, the age is not."""

    def before(exchange: Exchange) -> None:
        claims = _claims(exchange, {"verify_exp": False}, known.jwt_secret)
        if claims:
            exchange.headers["authorization"] = f"Bearer {_signed(known, {**claims, 'exp': LATER})}"

    return Twist(before=before)


def missing_chunk(page: Path) -> None:
    """A script that the page names is not there."""
    (page / "page" / "app.js").unlink()


def foreign_host(page: Path) -> None:
    """The script was made for the live project."""
    script = page / "page" / "app.js"
    script.write_text(script.read_text() + '\nconst live = "https://live.supabase.co/rest/v1";\n')


def console_error(page: Path) -> None:
    """The script works, and complains."""
    _append(page, 'console.error("hydration failed");')


def uncaught_error(page: Path) -> None:
    """The script throws what nobody catches."""
    _append(page, "setTimeout(() => { settings.missing.read; }, 0);")


def asks_a_foreign_host(page: Path) -> None:
    """The script calls the live project, by an address that no search of its text finds."""
    _append(page, f"{_FOREIGN_CALL};")


def asks_a_foreign_host_if_told(page: Path) -> None:
    """The script asks its own host whether to call the live project."""
    told = f"told && {_FOREIGN_CALL}"
    _append(page, f'fetch("{_TOLD}").then((answer) => answer.json()).then((told) => {told});')


def tells_once() -> Twist:
    """The page is told to call the live project by the first answer alone."""
    answers = itertools.chain([b"true"], itertools.repeat(b"false"))

    def before(exchange: Exchange) -> None:
        if exchange.path == _TOLD:
            exchange.status, exchange.answer = 200, next(answers)

    return Twist(before=before)


def missing_late_chunk(page: Path) -> None:
    """A part of the page that is loaded later is not there: its document does not name it."""
    _append(page, 'import("/late.js").catch(() => {});')


def calls_what_fails(page: Path) -> None:
    """The page asks its own API for something that is refused."""
    _append(page, 'fetch("/api/audit/nothing");')


def other_origins_only() -> Twist:
    """The API may be called by the pages of another host only."""

    def before(exchange: Exchange) -> None:
        exchange.more.pop("access-control-allow-origin", None)

    return Twist(before=before)


def _append(page: Path, script: str) -> None:
    file = page / "page" / "app.js"
    file.write_text(f"{file.read_text()}\n{script}\n")


def other_page(page: Path) -> None:
    """Something else answers at the address."""
    (page / "page" / "index.html").write_text("It works!")


def _claims(exchange: Exchange, options: dict[str, Any], secret: str = "") -> dict[str, Any] | None:
    token = exchange.headers.get("authorization", "").removeprefix("Bearer ")
    try:
        return dict(
            jwt.decode(token, secret, algorithms=["HS256", "none"], audience=AUDIENCE, options=options)
        )
    except jwt.PyJWTError:
        return None


def _claims_of(known: Secrets) -> dict[str, Any]:
    user = known.users[0]
    return {
        "sub": user.user_id, "aud": AUDIENCE, "role": AUDIENCE, "exp": LATER,
        "app_metadata": {"tenant_id": user.tenant_id},
    }  # fmt: skip


def _signed(known: Secrets, claims: dict[str, Any]) -> str:
    return jwt.encode(claims, known.jwt_secret, algorithm="HS256")
