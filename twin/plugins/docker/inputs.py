"""The inputs of an Image: what there is, what Check makes of them, and what a Diff says. Nothing is built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from twin.plugins import wire
from twin.plugins.docker.context import Context

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from twin.plugins.provider import Properties

# Everything else is refused: an input that is ignored would be a promise that is not kept.
KNOWN = {
    "": frozenset({"imageName", "build", "buildOnPreview", "skipPush", "registry"}),
    "build": frozenset({"context", "dockerfile", "platform", "network", "args"}),
    "registry": frozenset({"server", "username", "password"}),
}
NEEDED = {
    "": frozenset({"imageName", "build"}),
    "build": frozenset({"context", "platform"}),
    "registry": frozenset({"server", "username", "password"}),
}
MADE_BY_CHECK = "contextDigest"


@dataclass(frozen=True, repr=False)
class Image:
    """What is to be built; it has no repr, for it holds a password."""

    name: str
    context: Context
    platform: str
    network: str | None
    args: Mapping[str, str]
    login: Mapping[str, str] | None
    secrets: tuple[str, ...]


def check(news: Properties) -> tuple[Properties, list[tuple[str, str]]]:
    """The inputs with Dockerfile and digest of the context filled in, and what is wrong: path and reason.

    Raises:
        ProviderError: a file of the context cannot be read.
    """
    plain = wire.reveal(news)
    failures = list(_failures(plain))
    if failures:
        return news, failures
    build = plain["build"]
    if build is wire.UNKNOWN or wire.has_unknown([build.get("context"), build.get("dockerfile")]):
        return news, []
    context = _context(build)
    failures = [(f"build.{key}", reason) for key, reason in context.problems()]
    if failures:
        return news, failures
    filled = {"dockerfile": context.dockerfile, MADE_BY_CHECK: context.digest()}
    return {**news, "build": _with(news["build"], filled)}, []


def _failures(plain: Properties) -> Iterator[tuple[str, str]]:
    for place, known in KNOWN.items():
        given = plain.get(place) if place else plain
        if given is None or given is wire.UNKNOWN:
            continue
        if not isinstance(given, dict):
            yield place, f"`{place}` must be an object here"
            continue
        prefix = f"{place}." if place else ""
        made = {MADE_BY_CHECK} if place == "build" else set()
        for key in sorted(given.keys() - known - made):
            yield f"{prefix}{key}", f"an Image has no input `{prefix}{key}` here: leave it out"
        for key in sorted(NEEDED[place] - {key for key, value in given.items() if value is not None}):
            yield f"{prefix}{key}", f"an Image needs `{prefix}{key}` here"
    if plain.get("skipPush") is True:
        yield "skipPush", "an image is always pushed here: leave `skipPush` out"
    name = plain.get("imageName")
    if isinstance(name, str) and ("@" in name or ":" not in name.rpartition("/")[2]):
        yield "imageName", f"`imageName` {name!r} has no tag: name the image as `repository:tag`"


def diff(old_inputs: Properties, news: Properties) -> dict[str, str]:
    """The changed inputs and how each changed: ADD, UPDATE or DELETE.

    Another user or password of the same registry is no change: the image that was pushed stays what it is.
    """
    found = {}
    for key in sorted(old_inputs.keys() | news.keys()):
        old, new = old_inputs.get(key), news.get(key)
        if key == "registry" and isinstance(old, dict) and isinstance(new, dict):
            old, new = old.get("server"), new.get("server")
        if old != new:
            found[key] = "ADD" if old is None else "DELETE" if new is None else "UPDATE"
    return found


def image(inputs: Properties) -> Image:
    """What checked and known inputs ask for; `inputs` with its marks, so that its secrets are known."""
    plain = wire.reveal(inputs)
    build, login = plain["build"], plain.get("registry")
    marked_args = _marked_strings(_part(inputs["build"], "args"))
    secrets = [*marked_args, *([str(login["password"])] if login else [])]
    return Image(
        name=plain["imageName"],
        context=_context(build),
        platform=build["platform"],
        network=build.get("network"),
        args=dict(sorted((build.get("args") or {}).items())),
        login=login,
        # Output comes by the line: so must the secrets.
        secrets=tuple(part for secret in secrets for part in (secret, *secret.splitlines())),
    )


def outputs(built: Image, inputs: Properties, repo_digest: str) -> Properties:
    """What the state keeps of it."""
    return {
        "__inputs": wire.Secret(wire.reveal(inputs)),
        "baseImageName": built.name,
        "context": built.context.folder,
        "dockerfile": built.context.inside,
        "imageName": built.name,
        "platform": built.platform,
        "registryServer": built.login["server"] if built.login else "",
        "repoDigest": repo_digest,
    }


def _context(build: Properties) -> Context:
    folder = build["context"]
    return Context(folder, build.get("dockerfile") or f"{folder}/Dockerfile")


def _with(value: Any, added: Properties) -> Any:
    """The object with more in it, under the same mark."""
    if isinstance(value, wire.Secret):
        return wire.Secret(_with(value.value, added))
    return {**value, **added}


def _part(value: Any, key: str) -> Any:
    """One part of an object, under the object's mark."""
    if isinstance(value, wire.Secret):
        return wire.Secret(_part(value.value, key))
    return value.get(key)


def _marked_strings(value: Any, *, marked: bool = False) -> list[str]:
    if isinstance(value, wire.Secret):
        return _marked_strings(value.value, marked=True)
    if isinstance(value, dict):
        return [text for item in value.values() for text in _marked_strings(item, marked=marked)]
    return [value] if marked and isinstance(value, str) else []
