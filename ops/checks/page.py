"""What a page names: its assets on its own origin, and hosts in its text. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_LINKS = {"script": "src", "link": "href", "img": "src", "source": "src"}
_LOADED = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "shortcut icon"}
_HOSTS = re.compile(
    r"""(?:https?|wss?):\\?/\\?/([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)(?=[:/"'`\\\s?#)<,;]|$)"""
)
TYPES = {
    "js": ("javascript",),
    "mjs": ("javascript",),
    "css": ("text/css",),
    "json": ("json",),
    "webmanifest": ("json", "manifest"),
    "png": ("image/",),
    "svg": ("image/",),
    "ico": ("image/",),
    "woff2": ("font", "octet-stream"),
}
"""What the content type of an asset must contain, by the ending of its name."""


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        link = values.get(_LINKS.get(tag, ""))
        if link and (tag != "link" or (values.get("rel") or "").lower() in _LOADED):
            self.found.append(link)


def assets(page_url: str, html: str) -> tuple[str, ...]:
    """Return the addresses that the page loads from its own origin, each once, in their order."""
    parser = _Links()
    parser.feed(html)
    own = urlsplit(page_url)
    absolute = (urljoin(page_url, link) for link in parser.found)
    mine = (url for url in absolute if urlsplit(url)[:2] == own[:2])
    return tuple(dict.fromkeys(mine))


def type_fault(url: str, content_type: str) -> str | None:
    """Return why the content type cannot be that of the asset: some servers answer HTML to everything."""
    ending = urlsplit(url).path.rpartition(".")[2].lower()
    expected = TYPES.get(ending)
    if expected is None or any(part in content_type.lower() for part in expected):
        return None
    return f"is {content_type or 'of no type'}, expected {expected[0]}"


def hosts(text: str) -> frozenset[str]:
    """Return the hosts of all absolute addresses in a text."""
    return frozenset(host.lower() for host in _HOSTS.findall(text))
