"""The way to a host: does its name resolve, is its certificate good, and for how long."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from ipaddress import ip_address
from typing import TYPE_CHECKING

from ops.checks.asking import milliseconds_since
from ops.checks.result import Outcome
from ops.checks.sanitise import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    from model.check_surroundings import DnsCheck, TlsCheck
    from ops.checks.session import Session

_DAY_S = 86_400


async def certificate(session: Session, check: TlsCheck) -> Outcome:
    """Shake hands by name as a browser would: the library judges chain and name, we the days left."""
    rule = next((rule for rule in session.means.rules if rule.applies(check.host, check.port)), None)
    host, port = (
        (rule.to_host or check.host, rule.to_port or check.port) if rule else (check.host, check.port)
    )
    begun = time.monotonic()
    try:
        async with asyncio.timeout(session.seconds()):
            _, writer = await asyncio.open_connection(
                host, port, ssl=session.means.context, server_hostname=check.host
            )
            ends = writer.get_extra_info("peercert")["notAfter"]
            writer.transport.abort()
    except ssl.SSLCertVerificationError as error:
        return Outcome("failed", plain(f"the certificate is refused: {error.verify_message}"))
    except TimeoutError:
        return Outcome("errored", "no handshake in time", again=True)
    except (OSError, ssl.SSLError) as error:
        return Outcome("errored", plain(f"no handshake: {error}"), again=True)
    took = milliseconds_since(begun)
    reason = days_fault(ssl.cert_time_to_seconds(ends), time.time(), check.min_days)
    return Outcome("failed" if reason else "passed", reason, took, samples=(took,))


def days_fault(ends: float, now: float, min_days: int) -> str | None:
    """Return that a certificate ends too soon, or None. Times in seconds of the epoch."""
    days = (ends - now) / _DAY_S
    if days >= min_days:
        return None
    return f"the certificate ends in {days:.1f} days, expected at least {min_days}"


async def resolves(session: Session, check: DnsCheck) -> Outcome:
    """Ask the system's resolver, as every client here does."""
    begun = time.monotonic()
    try:
        async with asyncio.timeout(session.seconds()):
            found = await asyncio.get_running_loop().getaddrinfo(check.host, None, type=socket.SOCK_STREAM)
    except TimeoutError:
        return Outcome("errored", "the resolver did not answer in time", again=True)
    except (OSError, UnicodeError) as error:
        if isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN:
            return Outcome("errored", plain(f"the resolver gave no answer: {error}"), again=True)
        return Outcome("failed", plain(f"does not resolve: {error}"))
    took = milliseconds_since(begun)
    reason = address_fault({str(entry[4][0]) for entry in found}, check.addresses)
    return Outcome("failed" if reason else "passed", reason, took, samples=(took,))


def address_fault(found: Iterable[str], expected: Iterable[str]) -> str | None:
    """Return which addresses a name leads to and must not, or None; where none are expected, any will do."""
    known = {ip_address(one) for one in expected}
    foreign = sorted(one for one in found if known and ip_address(one) not in known)
    return f"resolves to {', '.join(foreign)}, which is not among the expected" if foreign else None
