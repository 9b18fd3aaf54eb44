"""The page as a browser loads it: everything it names is there, and it names nobody else's hosts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.page import assets, hosts, type_fault
from ops.checks.result import Outcome

if TYPE_CHECKING:
    from model.check_surroundings import AssetsCheck, BundleCheck
    from ops.checks.judge import Answer
    from ops.checks.session import Session

MOST_ASSETS = 200
_AT_ONCE = 8
_OK = 200


async def complete(session: Session, check: AssetsCheck) -> Outcome:
    """Load the page and every asset it names; red for the first that is missing or of another type."""
    page = await _get(session, check.url)
    if isinstance(page, NoAnswer):
        return Outcome("errored", page.reason)
    if page.status != _OK:
        return Outcome("failed", f"the page answered {page.status}", page.latency_ms)
    loaded = await _load(session, check.url, page)
    if not loaded:
        return Outcome("failed", "the page names no assets", page.latency_ms)
    faults = [fault for url, answer in loaded if (fault := _fault(url, answer))]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    samples = tuple(answer.latency_ms for _, answer in loaded if not isinstance(answer, NoAnswer))
    if faults:
        return Outcome("failed", faults[0] + more, page.latency_ms, samples=samples)
    return Outcome("passed", None, page.latency_ms, samples=samples)


async def bundle(session: Session, check: BundleCheck) -> Outcome:
    """Read the page and its assets; red when one names a host that is not among the expected ones."""
    page = await _get(session, check.url)
    if isinstance(page, NoAnswer):
        return Outcome("errored", page.reason)
    loaded = [(check.url, page), *await _load(session, check.url, page)]
    for url, answer in loaded:
        if isinstance(answer, NoAnswer) or answer.status != _OK:
            continue
        if foreign := sorted(hosts(answer.body.decode(errors="replace")) - set(check.hosts)):
            where = urlsplit(url).path
            return Outcome(
                "failed", f"{where} names a foreign host: {', '.join(foreign[:3])}", page.latency_ms
            )
    return Outcome("passed", None, page.latency_ms)


async def _load(session: Session, url: str, page: Answer) -> list[tuple[str, Answer | NoAnswer]]:
    named = assets(url, page.body.decode(errors="replace"))[:MOST_ASSETS]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(asset: str) -> tuple[str, Answer | NoAnswer]:
        async with gate:
            return asset, await _get(session, asset)

    return list(await asyncio.gather(*(one(asset) for asset in named)))


async def _get(session: Session, url: str) -> Answer | NoAnswer:
    return await ask(session.http, Request("GET", url), session.seconds())


def _fault(url: str, answer: Answer | NoAnswer) -> str | None:
    path = urlsplit(url).path
    if isinstance(answer, NoAnswer):
        return f"{path}: {answer.reason}"
    if answer.status != _OK:
        return f"{path} answered {answer.status}"
    wrong = type_fault(url, answer.content_type)
    return f"{path} {wrong}" if wrong else None
