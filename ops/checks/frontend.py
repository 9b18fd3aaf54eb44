"""The page as a browser loads it: everything it names is there, and it names nobody else's hosts.

What was not read proves neither: a text that did not come is red too.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops.checks.asking import NoAnswer, Request, ask
from ops.checks.page import assets, hosts, type_fault
from ops.checks.result import Outcome
from ops.checks.retry import may_ask_again, pause
from ops.checks.sanitise import SHOWN_CHARACTERS, plain

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
    opened = await _opened(session, check.url)
    if isinstance(opened, Outcome):
        return opened
    page, named = opened
    if not named:
        return Outcome("failed", "the page names no assets", page.latency_ms)
    found = await _judged(session, named, _fault)
    faults = [one.fault for one in found if one.fault]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    samples = tuple(one.latency_ms for one in found if one.latency_ms is not None)
    if faults:
        return Outcome("failed", faults[0] + more, page.latency_ms, samples=samples)
    return Outcome("passed", None, page.latency_ms, samples=samples)


async def bundle(session: Session, check: BundleCheck) -> Outcome:
    """Read the page and its assets; red when one names a host that is not among the expected ones."""
    opened = await _opened(session, check.url)
    if isinstance(opened, Outcome):
        return opened
    page, named = opened

    def foreign(url: str, answer: Answer | NoAnswer) -> str | None:
        return _foreign(url, answer, check.hosts)

    found = [_Judged(foreign(check.url, page), page.latency_ms), *await _judged(session, named, foreign)]
    red = [one for one in found if one.fault]
    if not red:
        return Outcome("passed", None, page.latency_ms)
    # A host that was found is the news, whatever else was not read.
    worst = min(red, key=lambda one: (not one.read, one.latency_ms is None))
    return Outcome("errored" if worst.latency_ms is None else "failed", worst.fault, page.latency_ms)


async def _opened(session: Session, url: str) -> tuple[Answer, tuple[str, ...]] | Outcome:
    """The page and the assets that it names, or what the check comes to without them."""
    page = await _get(session, url)
    if isinstance(page, NoAnswer):
        return Outcome("errored", page.reason)
    if page.status != _OK:
        return Outcome("failed", f"the page answered {page.status}", page.latency_ms)
    named = assets(url, page.body.decode(errors="replace"))
    if len(named) <= MOST_ASSETS:
        return page, named
    reason = f"the page names {len(named)} assets, and no more than {MOST_ASSETS} are looked at"
    return Outcome("failed", reason, page.latency_ms)


@dataclass(frozen=True)
class _Judged:
    """What an asset came to. Its body is gone: two hundred of them are more than the gate's memory.

    `latency_ms` is None where no answer came; `read` is False where what came is not the asset.
    """

    fault: str | None
    latency_ms: int | None
    read: bool = True


async def _judged(
    session: Session, named: Iterable[str], judge: Callable[[str, Answer | NoAnswer], str | None]
) -> list[_Judged]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(asset: str) -> _Judged:
        async with gate:
            answer = await _get(session, asset)
            fault = judge(asset, answer)
            if isinstance(answer, NoAnswer):
                return _Judged(fault, None, read=False)
            return _Judged(fault, answer.latency_ms, read=answer.status == _OK)

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
        return _unread(url, answer)
    names = sorted(hosts(answer.body.decode(errors="replace")) - set(expected))
    return plain(f"{_path(url)} names a foreign host: {', '.join(names[:3])}") if names else None


def _fault(url: str, answer: Answer | NoAnswer) -> str | None:
    if isinstance(answer, NoAnswer) or answer.status != _OK:
        return _unread(url, answer)
    wrong = type_fault(url, answer.content_type)
    return plain(f"{_path(url)} {wrong}") if wrong else None


def _unread(url: str, answer: Answer | NoAnswer) -> str:
    if isinstance(answer, NoAnswer):
        return f"{_path(url)}: {answer.reason}"
    return f"{_path(url)} answered {answer.status}"


def _path(url: str) -> str:
    # A page may name megabytes, and what a terminal obeys.
    return plain(urlsplit(url).path, SHOWN_CHARACTERS)
