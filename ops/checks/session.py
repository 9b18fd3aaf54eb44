"""What the checks of one run share: the client, the bounds, the tokens, what calls gave, what is hidden."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ops.checks.sanitise import hidden

if TYPE_CHECKING:
    import ssl

    import httpx

    from ops.checks.connection import ConnectTo
    from ops.checks.token import Credentials


@dataclass(frozen=True)
class Limits:
    """Bounds of a run, in seconds: of one attempt, between attempts, of the whole; and attempts per check."""

    timeout: float = 10.0
    pause: float = 1.0
    deadline: float = 120.0
    attempts: int = 3


@dataclass(frozen=True, kw_only=True)
class Means:
    """What a run works with: who it calls as, its bounds, where connections are led, whom it trusts.

    `private_authority`: certificates are trusted by a file, which a browser does not know.
    """

    credentials: Credentials
    limits: Limits
    rules: tuple[ConnectTo, ...]
    context: ssl.SSLContext
    private_authority: bool = False
    kube_context: str | None = None


@dataclass
class Session:
    """The state of a run. `token` and `other_token` are set once somebody has logged in."""

    http: httpx.AsyncClient
    means: Means
    ends: float
    secrets: set[str]
    token: str | None = None
    other_token: str | None = None
    captured: dict[str, Any] = field(default_factory=dict)

    @property
    def limits(self) -> Limits:
        """The bounds of the run."""
        return self.means.limits

    def left(self) -> float:
        """Seconds until the run has to end."""
        return self.ends - time.monotonic()

    def seconds(self) -> float:
        """Seconds that one attempt may take now."""
        return max(0.1, min(self.limits.timeout, self.left()))

    def hide(self, text: str | None) -> str | None:
        """A reason as it is shown wherever a result goes: without secrets."""
        return hidden(text, self.secrets) if text else None
