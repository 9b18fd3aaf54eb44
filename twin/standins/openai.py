"""Stands in for OpenAI: embeddings, chat completions and the list of models, deterministic and offline.

What it does not know it refuses as OpenAI does; it never makes up a success.
"""

from __future__ import annotations

import array
import base64
import hmac
import json
import sys
import time
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from twin.standins import embedding, server
from twin.standins.asked import Asked

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from twin.secrets import Secrets

PORT = 8601
EMBEDDING_MODELS = ("text-embedding-ada-002", "text-embedding-3-small")
CHAT_MODELS = ("gpt-4", "gpt-4o", "gpt-4o-mini")
MODELS = (*EMBEDDING_MODELS, *CHAT_MODELS)
INPUTS_AT_MOST = 2048
ECHOED_CHARACTERS = 400
CREATED = 1_700_000_000


class Refusal(Exception):  # noqa: N818 - it is an answer, not an error of this program
    """A request that OpenAI would refuse."""

    def __init__(self, status: int, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code


def application(known: Secrets) -> Starlette:
    """The stand-in as an ASGI application."""
    asked = Asked()

    async def models(request: Request) -> Response:
        return await _answered(request, known, asked, _models)

    async def model(request: Request) -> Response:
        name = request.path_params["name"]
        return await _answered(request, known, asked, lambda _: _described(_model({"model": name}, MODELS)))

    async def embeddings(request: Request) -> Response:
        return await _answered(request, known, asked, _embeddings)

    async def chat(request: Request) -> Response:
        return await _answered(request, known, asked, _chat)

    return Starlette(
        routes=[
            Route("/v1/models", models),
            Route("/v1/models/{name}", model),
            Route("/v1/embeddings", embeddings, methods=["POST"]),
            Route("/v1/chat/completions", chat, methods=["POST"]),
            asked.route(),
        ]
    )


async def _answered(request: Request, known: Secrets, asked: Asked, answer: Any) -> Response:
    body: dict[str, Any] = {}
    try:
        _authorise(request, known)
        if request.method == "POST":
            body = _object(await request.body())
        content = answer(body)
    except Refusal as refusal:
        asked.note(request, refusal.status, body=body, refused=refusal.message)
        kind = "invalid_request_error"
        error = {"message": refusal.message, "type": kind, "param": None, "code": refusal.code}
        return JSONResponse({"error": error}, status_code=refusal.status)
    asked.note(request, 200, body=body)
    return JSONResponse(content)


def _authorise(request: Request, known: Secrets) -> None:
    given = request.headers.get("authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bearer {known.openai_key}".encode()):
        raise Refusal(401, "Incorrect API key provided.", code="invalid_api_key")
    organization = request.headers.get("openai-organization")
    if organization is not None and organization != known.openai_organization:
        raise Refusal(401, "No such organization.", code="invalid_organization")


def _object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "We could not parse the JSON body of your request.") from error
    if not isinstance(body, dict):
        raise Refusal(400, "The body must be a JSON object.")
    return body


def _models(_: Mapping[str, Any]) -> dict[str, Any]:
    return {"object": "list", "data": [_described(name) for name in MODELS]}


def _described(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "orka-twin"}


def _embeddings(body: Mapping[str, Any]) -> dict[str, Any]:
    model = _model(body, EMBEDDING_MODELS)
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        raise Refusal(400, "'input' must be a text or a list of texts, none of them empty.")
    if len(texts) > INPUTS_AT_MOST:
        raise Refusal(400, f"'input' may have {INPUTS_AT_MOST} texts at most.")
    if body.get("dimensions", embedding.DIMENSIONS) != embedding.DIMENSIONS:
        raise Refusal(400, f"This stand-in gives {embedding.DIMENSIONS} dimensions only.")
    encoding = body.get("encoding_format", "float")
    if encoding not in ("float", "base64"):
        raise Refusal(400, "'encoding_format' must be 'float' or 'base64'.")
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(embedding.embed(text), encoding)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": model, "usage": usage}


def _encoded(vector: list[float], encoding: str) -> list[float] | str:
    if encoding == "float":
        return vector
    floats = array.array("f", vector)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode()


def _chat(body: Mapping[str, Any]) -> dict[str, Any]:
    model = _model(body, CHAT_MODELS)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages or not all(_is_message(entry) for entry in messages):
        raise Refusal(400, "'messages' must be a list of objects with 'role' and 'content', not empty.")
    if body.get("stream"):
        raise Refusal(400, "This stand-in does not stream.")
    asked = [str(entry["content"]) for entry in messages if entry["role"] == "user"]
    said = f"Summary of {len(messages)} messages: {(asked or [''])[-1][:ECHOED_CHARACTERS]}"
    prompt, completion = sum(len(text.split()) for text in asked), len(said.split())
    message = {"role": "assistant", "content": said}
    return {
        "id": "chatcmpl-orka-twin",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }


def _is_message(entry: object) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("role"), str) and "content" in entry


def _model(body: Mapping[str, Any], known: tuple[str, ...]) -> str:
    model = body.get("model")
    if not isinstance(model, str):
        raise Refusal(400, "You must provide a model parameter.")
    if model not in known:
        raise Refusal(404, f"The model `{model}` does not exist.", code="model_not_found")
    return model


if __name__ == "__main__":
    server.serve(application, PORT)
