"""What a page names: its assets on its own origin, and hosts in its text. Pure."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

_LINKS = {"script": "src", "link": "href", "img": "src", "source": "src"}
_LOADED = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "shortcut icon"}
# How a script, a JSON text, an address or a page may write a character that stands in an address. What is
# looked for begins with a character of its own, and a run of backslashes is read once: scripts are long.
_ESCAPED = re.compile(
    r"\\(?<!\\\\)\\*+(?:(?:u00|u\{|x)(2[def]|3[af]|40|5[bd])\}?|([/.-]))"
    r"|%(2f|3a|40|5b|5d)|&#(?:x(2f|3a|40)|(47|58|64));",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"""//(?:[^\s/?#"'`<>()\\]*@)?"""
    r"""(\w(?:[\w.-]*\w)?(?=\.?(?:[:/"'`\\\s?#()<>\[\]{},;|!*&]|$))|\[[0-9a-f.]*:[0-9a-f:.]*\])""",
    re.IGNORECASE,
)
_SCHEME = re.compile(r"(?:https?|wss?):$", re.IGNORECASE)
# Without a scheme it is an address only where one is expected: `//` begins comments as well.
_PLACE = re.compile(r"""["'`]$|\burl\(\s*$|\b(?:src|srcset|href|action|poster)=$""", re.IGNORECASE)
_LONGEST_BEFORE, _LONGEST_NAME = 12, 253
_NAME_ENDS = re.compile(r"\.(?:xn--[\w-]+|[^\W\d_]{2,}|\d+)$", re.IGNORECASE)
_FILE_ENDS = re.compile(
    r"\.(?:[cm]?jsx?|tsx?|css|map|json|html?|xml|txt|png|jpg|svg|ico|woff2?)$", re.IGNORECASE
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
    """Return the hosts of all absolute addresses in a text, and of those that leave the scheme out.

    Not those that libraries only try their parser on: of one letter, or in another script and without a dot.
    """
    written = _ESCAPED.sub(_character, text)
    found = (one[1] for one in _ADDRESS.finditer(written) if _is_address(written, one))
    return frozenset(_as_asked(host) for host in found if "." in host or (len(host) > 1 and host.isascii()))


def _is_address(text: str, found: re.Match[str]) -> bool:
    before = text[max(0, found.start() - _LONGEST_BEFORE) : found.start()]
    if _SCHEME.search(before):
        return True
    host = found[1][-_LONGEST_NAME:]
    return bool(_PLACE.search(before) and _NAME_ENDS.search(host) and not _FILE_ENDS.search(host))


def _character(found: re.Match[str]) -> str:
    _, plain, _, _, decimal = found.groups()
    return plain or chr(int(decimal or found[found.lastindex or 0], 10 if decimal else 16))


def _as_asked(host: str) -> str:
    """The host as a browser asks for it: without brackets, in small letters, in ASCII."""
    if host.isascii() or len(host) > _LONGEST_NAME:
        return host.strip("[]").lower()
    try:
        return host.lower().encode("idna").decode()
    except UnicodeError:
        return host.lower()
