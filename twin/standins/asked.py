"""What a stand-in remembers of its requests, for tests to look at; never a secret."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastapi import FastAPI

REMEMBERED = 500


class Asked:
    """The last requests, newest last; `GET /_asked` shows them."""

    def __init__(self, app: FastAPI) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        app.get("/_asked")(lambda: {"requests": list(self._requests)})

    def note(self, **facts: Any) -> None:
        """Remember one request by a few facts."""
        self._requests.append(facts)
