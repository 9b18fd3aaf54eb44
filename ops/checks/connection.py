"""HTTP clients that can be led elsewhere, as curl's `--connect-to` does: same host name, other address.

The name in the URL stays the Host header, the TLS server name and what the certificate is checked against.
"""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass

import httpx

_PART = r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]]*)"
_CONNECT_TO = re.compile(rf"^{_PART}:(\d*):{_PART}:(\d*)$")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ConnectTo:
    """One redirection. None in `host` or `port` means any; in `to_host` or `to_port` it means unchanged."""

    host: str | None
    port: int | None
    to_host: str | None
    to_port: int | None

    @classmethod
    def parse(cls, text: str) -> ConnectTo:
        """Read `HOST:PORT:ADDRESS:PORT` (IPv6 in brackets, any part may be empty).

        Raises:
            ValueError: the text has another form.
        """
        found = _CONNECT_TO.match(text)
        if not found:
            raise ValueError(
                f"{text!r} is not HOST:PORT:ADDRESS:PORT (IPv6 in brackets; a part may be empty)"
            )
        host, port, to_host, to_port = found.groups()
        return cls(
            host.strip("[]").lower() or None,
            int(port) if port else None,
            to_host.strip("[]") or None,
            int(to_port) if to_port else None,
        )

    def applies(self, host: str, port: int) -> bool:
        """Say whether a connection to this host and port is led elsewhere."""
        return self.host in (None, host.lower()) and self.port in (None, port)


class _Redirecting(httpx.AsyncBaseTransport):
    """Sends requests to where the first matching rule says."""

    def __init__(self, rules: tuple[ConnectTo, ...], context: ssl.SSLContext) -> None:
        self._rules = rules
        self._context = context
        # One pool per name: a shared one would reuse a connection of another name to the same address.
        self._pools: dict[tuple[str, int], httpx.AsyncHTTPTransport] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        host, port = request.url.host, request.url.port or _DEFAULT_PORTS[request.url.scheme]
        pool = self._pools.get((host, port))
        if pool is None:
            pool = self._pools[host, port] = httpx.AsyncHTTPTransport(verify=self._context)
        rule = next((rule for rule in self._rules if rule.applies(host, port)), None)
        if rule is not None:
            request.url = request.url.copy_with(host=rule.to_host or host, port=rule.to_port or port)
            request.extensions = {**request.extensions, "sni_hostname": host}
        return await pool.handle_async_request(request)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


def client(rules: tuple[ConnectTo, ...], context: ssl.SSLContext) -> httpx.AsyncClient:
    """Return a client that follows no redirects and knows no proxies: what is checked is what is named.

    It has no timeouts of its own; the caller bounds each request as a whole.
    """
    return httpx.AsyncClient(transport=_Redirecting(rules, context), timeout=None, follow_redirects=False)  # noqa: S113


def trust(cacert: str | None) -> ssl.SSLContext:
    """Return the TLS context: the CA certificates of the file alone when one is given, else the usual ones.

    Raises:
        ValueError: the file cannot be read or holds no certificate.
    """
    if cacert is None:
        return httpx.create_ssl_context()
    try:
        return ssl.create_default_context(cafile=cacert)
    except (OSError, ssl.SSLError) as error:
        raise ValueError(f"cannot read CA certificates from {cacert}: {error}") from error
