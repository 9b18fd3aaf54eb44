"""The page as a browser loads it: everything it names is there, and it names nobody else's hosts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.page import assets, hosts, type_fault
from ops.checks.patience import may_ask_again, pause
from ops.checks.result import Outcome
from ops.checks.shown import SHOWN_CHARACTERS, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

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
    found = await _judged(session, check.url, page, _fault)
    if not found:
        return Outcome("failed", "the page names no assets", page.latency_ms)
    faults = [one.fault for one in found if one.fault]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    samples = tuple(one.latency_ms for one in found if one.latency_ms is not None)
    if faults:
        return Outcome("failed", faults[0] + more, page.latency_ms, samples=samples)
    return Outcome("passed", None, page.latency_ms, samples=samples)


async def bundle(session: Session, check: BundleCheck) -> Outcome:
    """Read the page and its assets; red when one names a host that is not among the expected ones."""
    page = await _get(session, check.url)
    if isinstance(page, NoAnswer):
        return Outcome("errored", page.reason)

    def foreign(url: str, answer: Answer | NoAnswer) -> str | None:
        return _foreign(url, answer, check.hosts)

    faults = [foreign(check.url, page)]
    faults += [one.fault for one in await _judged(session, check.url, page, foreign)]
    reason = next(filter(None, faults), None)
    return Outcome("failed" if reason else "passed", reason, page.latency_ms)


@dataclass(frozen=True)
class _Judged:
    """What an asset came to. Its body is gone: two hundred of them are more than the gate's memory."""

    fault: str | None
    latency_ms: int | None


async def _judged(
    session: Session, url: str, page: Answer, judge: Callable[[str, Answer | NoAnswer], str | None]
) -> list[_Judged]:
    named = assets(url, page.body.decode(errors="replace"))[:MOST_ASSETS]
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(asset: str) -> _Judged:
        async with gate:
            answer = await _get(session, asset)
            return _Judged(judge(asset, answer), None if isinstance(answer, NoAnswer) else answer.latency_ms)

    return list(await asyncio.gather(*(one(asset) for asset in named)))


async def _get(session: Session, url: str) -> Answer | NoAnswer:
    answer = await ask(session.http, Request("GET", url), session.seconds())
    if isinstance(answer, NoAnswer) and not answer.final and may_ask_again(session, 1):
        # One dropped connection among two hundred says nothing about the page.
        await pause(session)
        answer = await ask(session.http, Request("GET", url), session.seconds())
    return answer


def _foreign(url: str, answer: Answer | NoAnswer, expected: Iterable[str]) -> str | None:
    if isinstance(answer, NoAnswer) or answer.status != _OK:
        return None
    names = sorted(hosts(answer.body.decode(errors="replace")) - set(expected))
    return plain(f"{_path(url)} names a foreign host: {', '.join(names[:3])}") if names else None


def _fault(url: str, answer: Answer | NoAnswer) -> str | None:
    if isinstance(answer, NoAnswer):
        return f"{_path(url)}: {answer.reason}"
    if answer.status != _OK:
        return f"{_path(url)} answered {answer.status}"
    wrong = type_fault(url, answer.content_type)
    return plain(f"{_path(url)} {wrong}") if wrong else None


def _path(url: str) -> str:
    # A page may name megabytes, and what a terminal obeys.
    return plain(urlsplit(url).path, SHOWN_CHARACTERS)
