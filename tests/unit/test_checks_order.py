"""While an answer is timed, nothing runs that would keep it waiting."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING

import httpx

from model.check_surroundings import CatalogCheck
from model.checks import ChecksFile
from ops.checks import runner
from ops.checks.session import Limits, Means
from ops.checks.token import Credentials
from tests.unit.made_checks import health_check

if TYPE_CHECKING:
    import pytest


def test_the_catalog_is_compared_when_every_timed_answer_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answer(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0.2)
        return httpx.Response(200, stream=httpx.ByteStream(b"{}"))

    monkeypatch.setattr(runner, "client", lambda *_: httpx.AsyncClient(transport=httpx.MockTransport(answer)))
    catalog = CatalogCheck(name="catalog", contract="nowhere.yaml")
    checks = ChecksFile(release_id="r", health=(health_check("own"),), catalog=(catalog,))
    seen: list[str] = []
    means = Means(
        credentials=Credentials(), limits=Limits(), rules=(), context=ssl.create_default_context()
    )  # fmt: skip
    runner.run(checks, means, seen=lambda result: seen.append(result.name))
    assert seen == ["own", "catalog"]
