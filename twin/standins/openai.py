"""Answers as OpenAI does, for embeddings, chat completions and the list of models.

Embeddings are made of the text's words, so that texts that share words are near each other: a search by
meaning becomes a search by words, and its results can be foretold.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
import struct
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import FastAPI, Header, HTTPException

from twin import secrets
from twin.paths import BRIDGE_ADDRESS
from twin.standins.asked import Asked

PORT = 8601
DIMENSIONS = 1536
SPREAD = 8


def embed(text: str) -> list[float]:
    """A unit vector of 1536 numbers: the same words, the same vector."""
    vector = [0.0] * DIMENSIONS
    for word in re.findall(r"\w+", text.lower()) or [""]:
        digest = hashlib.sha256(word.encode()).digest()
        for index in range(SPREAD):
            place, sign = struct.unpack_from(">HB", digest, index * 3)
            vector[place % DIMENSIONS] += 1.0 if sign % 2 else -1.0
    length = math.sqrt(sum(number * number for number in vector)) or 1.0
    return [number / length for number in vector]


def make(key: str) -> FastAPI:
    """The application; `key` is the one key it lets in."""
    app = FastAPI(openapi_url=None)
    asked = Asked(app)

    def let_in(authorization: str | None) -> None:
        if not hmac.compare_digest((authorization or "").encode(), f"Bearer {key}".encode()):
            raise HTTPException(
                401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}
            )

    @app.get("/v1/models")
    def models(authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        let_in(authorization)
        asked.note(path="/v1/models")
        names = ("text-embedding-ada-002", "gpt-4")
        return {
            "object": "list",
            "data": [{"id": n, "object": "model", "created": 0, "owned_by": "twin"} for n in names],
        }

    @app.get("/v1/models/{name}")
    def model(name: str, authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        let_in(authorization)
        return {"id": name, "object": "model", "created": 0, "owned_by": "twin"}

    @app.post("/v1/embeddings")
    def embeddings(
        body: dict[str, Any], authorization: Annotated[str | None, Header()] = None
    ) -> dict[str, Any]:
        let_in(authorization)
        texts = [body["input"]] if isinstance(body["input"], str) else list(body["input"])
        asked.note(path="/v1/embeddings", model=body.get("model"), count=len(texts))
        data = []
        for index, text in enumerate(texts):
            vector: Any = embed(str(text))
            if body.get("encoding_format") == "base64":
                vector = base64.b64encode(struct.pack(f"<{DIMENSIONS}f", *vector)).decode()
            data.append({"object": "embedding", "index": index, "embedding": vector})
        words = sum(len(str(text).split()) for text in texts)
        usage = {"prompt_tokens": words, "total_tokens": words}
        return {"object": "list", "data": data, "model": body.get("model"), "usage": usage}

    @app.post("/v1/chat/completions")
    def chat(body: dict[str, Any], authorization: Annotated[str | None, Header()] = None) -> dict[str, Any]:
        let_in(authorization)
        asked.note(path="/v1/chat/completions", model=body.get("model"), messages=len(body["messages"]))
        message = {"role": "assistant", "content": "A stand-in has no opinion on this."}
        return {
            "id": "chatcmpl-twin",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": body.get("model"),
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        }

    return app


if __name__ == "__main__":
    known = secrets.read(Path(sys.argv[1]))
    uvicorn.run(make(known.openai_key), host=BRIDGE_ADDRESS, port=PORT, log_level="warning")
