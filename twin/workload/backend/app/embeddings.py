"""Embeddings from an OpenAI-compatible API, remembered in Redis: the same text costs one call."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import TYPE_CHECKING

import openai
from redis.exceptions import RedisError

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from .settings import Settings

CACHE_SECONDS = 600
CALL_SECONDS = 10.0
log = logging.getLogger(__name__)


def openai_client(settings: Settings) -> openai.AsyncOpenAI:
    """Return the client, with bounded time and one retry."""
    return openai.AsyncOpenAI(
        api_key=settings.openai_api_key,
        organization=settings.openai_org_id,
        base_url=settings.openai_base_url,
        timeout=CALL_SECONDS,
        max_retries=1,
    )


async def embed(client: openai.AsyncOpenAI, model: str, texts: list[str]) -> list[list[float]]:
    """Return one vector for each text, in their order.

    Raises:
        openai.OpenAIError: the API gave none.
    """
    answer = await client.embeddings.create(model=model, input=texts, encoding_format="float")
    vectors: list[list[float]] = [
        list(item.embedding) for item in sorted(answer.data, key=lambda item: item.index)
    ]
    if len(vectors) != len(texts):
        raise openai.OpenAIError(f"asked for {len(texts)} embeddings, got {len(vectors)}")
    return vectors


async def embed_query(client: openai.AsyncOpenAI, cache: Redis, model: str, text: str) -> list[float]:
    """Return the vector of a query. A cache that is away costs time, not the answer."""
    key = f"orka:embedding:{model}:{hashlib.sha256(text.encode()).hexdigest()}"
    try:
        if known := await cache.get(key):
            vector: list[float] = json.loads(known)
            return vector
    except RedisError as error:
        log.warning("the cache does not answer: %s", type(error).__name__)
    vector = (await embed(client, model, [text]))[0]
    try:
        await cache.set(key, json.dumps(vector), ex=CACHE_SECONDS)
    except RedisError as error:
        log.warning("the cache takes nothing: %s", type(error).__name__)
    return vector
