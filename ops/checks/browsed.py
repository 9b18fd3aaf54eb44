"""Judges what a browser saw of a page, and says in its words where connections are led. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ops.checks.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from model.check_surroundings import BrowserCheck
    from ops.checks.connection import ConnectTo

_OK, _REFUSED = 200, 400
_CHANGED = "ERR_NETWORK_CHANGED"


@dataclass
class Seen:
    """What happened while a page was open. `called` is the status that the API gave, or why none."""

    foreign: list[str] = field(default_factory=list)
    answers: list[tuple[str, int]] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)
    uncaught: list[str] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    called: int | str = "not called"

    @property
    def network_changed(self) -> bool:
        """Whether the machine's own addresses changed meanwhile, as where containers come and go."""
        return any(_CHANGED in text for text in [*(error for _, error in self.lost), *self.console])


def fault(check: BrowserCheck, seen: Seen) -> str | None:
    """Return what is wrong, the cause before what follows from it, or None."""
    if seen.foreign:
        return plain(f"the page asks a foreign host: {', '.join(sorted(set(seen.foreign))[:3])}")
    for url, status in seen.answers:
        # The call's own answer comes last, in its own words.
        if status >= _REFUSED and url != check.api:
            return plain(f"{_short(url, check)} answered {status}")
    for url, error in seen.lost:
        # A page may give up what it asked for.
        if url != check.api and error != "net::ERR_ABORTED":
            return plain(f"{_short(url, check)} did not load: {error}")
    if seen.called != _OK:
        said = f"answered {seen.called}" if isinstance(seen.called, int) else f"fails: {seen.called}"
        return plain(f"the call of {_short(check.api, check)} from the page {said}")
    for what, texts in (("an error that nobody caught", seen.uncaught), ("the console", seen.console)):
        if texts:
            return plain(f"{what} says: {texts[0]}")
    return None


def is_foreign(url: str, hosts: Iterable[str]) -> bool:
    """Say whether a request goes to a host that is not among these. What stays in the browser does not."""
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "ws", "wss") and (parts.hostname or "") not in hosts


def led(rules: Iterable[ConnectTo], hosts: Iterable[str]) -> str:
    """Return Chromium's `--host-resolver-rules`: these hosts, led where the rules say, and no others."""
    given, found, kept = tuple(rules), [], []
    for host in sorted(hosts):
        own = [rule for rule in given if rule.host in (None, host)]
        found += [_rule(host, rule) for rule in own]
        if not own:
            kept.append(f"EXCLUDE {_bracketed(host)}")
    # What is asked of others is seen, and never sent.
    return ", ".join([*found, "MAP * ~NOTFOUND", *kept])


def _rule(host: str, rule: ConnectTo) -> str:
    port = f":{rule.port}" if rule.port else ""
    to_port = f":{rule.to_port}" if rule.to_port else ""
    return f"MAP {_bracketed(host)}{port} {_bracketed(rule.to_host or host)}{to_port}"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _short(url: str, check: BrowserCheck) -> str:
    """The path on the page's own origin, the address without its query elsewhere."""
    parts, own = urlsplit(url), urlsplit(check.url)
    return parts.path if parts[:2] == own[:2] else f"{parts.scheme}://{parts.netloc}{parts.path}"
