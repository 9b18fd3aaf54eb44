"""What the routes work with: one object for each service outside the process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis.asyncio import Redis

from .database import Database
from .embeddings import openai_client

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import openai

    from .settings import Settings

REDIS_SECONDS = 2.0


@dataclass(frozen=True, repr=False)
class Services:
    """Clients of database, cache and OpenAI. None of them connects before it is used."""

    settings: Settings
    database: Database
    redis: Redis
    openai: openai.AsyncOpenAI

    @classmethod
    def make(cls, settings: Settings) -> Services:
        """Return the clients that the settings describe."""
        cache = Redis.from_url(
            settings.redis_url,
            password=settings.redis_password,
            socket_timeout=REDIS_SECONDS,
            socket_connect_timeout=REDIS_SECONDS,
        )
        return cls(settings, Database(settings.database_url), cache, openai_client(settings))

    def probes(self) -> dict[str, Callable[[], Awaitable[object]]]:
        """Return what shows that each service answers, by the last part of its health path."""

        async def models() -> None:
            await self.openai.with_options(max_retries=0).models.list()

        async def cache() -> None:
            await self.redis.ping()

        return {"db": self.database.ping, "redis": cache, "openai": models}

    async def close(self) -> None:
        """Close every connection."""
        await self.database.close()
        await self.redis.aclose()
        await self.openai.close()
