"""Loads the page in headless Chromium, and calls the API from it as the page's own script would.

The library is the shell's, Chromium the system's: neither is in the image.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops.checks.asking import milliseconds_since
from ops.checks.browsed import Seen, fault, is_foreign, led
from ops.checks.result import Outcome
from ops.checks.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.async_api import Browser, ConsoleMessage, Page, Playwright

    from model.check_surroundings import BrowserCheck
    from ops.checks.session import Session

VARIABLE = "ORKA_CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
QUIET_MS = 3_000
"""How long a loaded page may go on asking; one that polls is never quiet, which is no fault."""

_PATIENCE = 3
"""Starting a browser takes longer than an answer: so many times the time of an attempt."""

_NETWORK_CHANGES = 4
"""Chromium drops what it asks for when the machine gets or loses an address; that says nothing of a page."""

_CALL = """async ([url, token]) => {
    try {
        const answer = await fetch(url, { headers: { Authorization: `Bearer ${token}` } });
        await answer.text();
        return answer.status;
    } catch (error) { return String(error); }
}"""


class NoBrowserError(RuntimeError):
    """There is nothing to load a page with; the message says what to install."""


def found(environment: Mapping[str, str]) -> str:
    """Return the path of Chromium.

    Raises:
        NoBrowserError: the program or its library is missing.
    """
    if importlib.util.find_spec("playwright") is None:
        raise NoBrowserError("the library playwright is missing: install requirements.txt")
    named = environment.get(VARIABLE)
    path = environment.get("PATH")
    program = shutil.which(named, path=path) if named else _first(path)
    if program is None:
        missing = f"{VARIABLE} names no program" if named else "no Chromium on PATH"
        remedy = f"install it (Debian: apt-get install chromium), set {VARIABLE}, or use --without browser"
        raise NoBrowserError(f"{missing}: {remedy}")
    return program


def _first(path: str | None) -> str | None:
    return next((program for name in NAMES if (program := shutil.which(name, path=path))), None)


async def loads(session: Session, check: BrowserCheck) -> Outcome:
    """Load the page until it is well, asks a foreign host, or the attempts are used up.

    To have asked one once is no moment's trouble: no later load takes it back.
    """
    if session.token is None:
        return Outcome("errored", "there is no token to call with", attempts=0)
    try:
        program = found(os.environ)
    except NoBrowserError as error:
        return Outcome("errored", str(error), attempts=0)
    outcome = Outcome("errored", "not asked: the time for all checks had run out", attempts=0)
    for attempt in range(1, session.limits.attempts + 1):
        if session.left() <= 0 or outcome.verdict == "passed":
            break
        for _ in range(_NETWORK_CHANGES):
            seen = Seen()
            outcome = await _attempt(session, check, program, attempt, seen)
            if seen.foreign:
                return outcome
            if not seen.network_changed or session.left() <= 0:
                break
    return outcome


async def _attempt(session: Session, check: BrowserCheck, program: str, attempt: int, seen: Seen) -> Outcome:
    from playwright.async_api import Error, async_playwright  # noqa: PLC0415 - the image has none

    seconds = max(0.1, min(session.left(), _PATIENCE * session.limits.timeout))
    try:
        async with asyncio.timeout(seconds), async_playwright() as library:
            browser = await _launched(library, program, led(session.means.rules, check.hosts))
            took = await _load(browser, session, check, seen)
    except TimeoutError:
        return _unloaded(f"the page was not loaded within {seconds:.1f} s", check, attempt, seen)
    except Error as error:
        seen.console.append(error.message)
        said = plain(f"the browser says: {error.message.splitlines()[0]}")
        return _unloaded(said, check, attempt, seen)
    reason = fault(check, seen)
    return Outcome("failed" if reason else "passed", reason, took, attempt, (took,))


def _unloaded(reason: str, check: BrowserCheck, attempt: int, seen: Seen) -> Outcome:
    """What a page comes to that did not load: red for the foreign hosts that it asked all the same."""
    if seen.foreign:
        return Outcome("failed", fault(check, seen), None, attempt)
    return Outcome("errored", reason, None, attempt)


async def _launched(library: Playwright, program: str, rules: str) -> Browser:
    return await library.chromium.launch(
        executable_path=program,
        # As root Chromium's own sandbox does not start.
        chromium_sandbox=os.geteuid() != 0,
        args=["--no-proxy-server", "--disable-dev-shm-usage", f"--host-resolver-rules={rules}"],
    )


async def _load(browser: Browser, session: Session, check: BrowserCheck, seen: Seen) -> int:
    """Open the page and call the API from it; the milliseconds until it was loaded."""
    from playwright.async_api import TimeoutError as NotQuietError  # noqa: PLC0415

    # A private authority is none of the browser's: whether a certificate is good, the checks of kind tls say.
    context = await browser.new_context(ignore_https_errors=session.means.private_authority)
    page = await context.new_page()
    _watch(page, check, seen)
    begun = time.monotonic()
    await page.goto(check.url, wait_until="load")
    took = milliseconds_since(begun)
    with contextlib.suppress(NotQuietError):
        await page.wait_for_load_state("networkidle", timeout=QUIET_MS)
    # What the console says of a call that fails is said by the call.
    page_says = list(seen.console)
    seen.called = await page.evaluate(_CALL, [check.api, session.token])
    seen.console = page_says
    await browser.close()
    return took


def _watch(page: Page, check: BrowserCheck, seen: Seen) -> None:
    """Note everything that the page does."""

    def asked(url: str) -> None:
        if is_foreign(url, check.hosts):
            seen.foreign.append(urlsplit(url).hostname or url)

    def complained(said: ConsoleMessage) -> None:
        # The icon is what the browser asks for, unasked by the page.
        if urlsplit(said.location.get("url", "")).path != "/favicon.ico":
            seen.console.append(said.text)

    # Not by intercepting: then the library would answer the browser's CORS preflight itself.
    page.on("request", lambda request: asked(request.url))
    page.on("websocket", lambda socket: asked(socket.url))
    page.on("response", lambda answer: seen.answers.append((answer.url, answer.status)))
    page.on("requestfailed", lambda request: seen.lost.append((request.url, request.failure or "no answer")))
    page.on("pageerror", lambda error: seen.uncaught.append(error.message))
    page.on("console", lambda said: complained(said) if said.type == "error" else None)
