"""Build an image and push it, and say in a few lines why not."""

from __future__ import annotations

import tempfile
from collections import deque
from typing import TYPE_CHECKING, Any

from ops.migrate.redact import redact
from twin.plugins.docker.daemon import said
from twin.plugins.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from twin.plugins.docker.daemon import Deadline
    from twin.plugins.docker.inputs import Image

LAST_LINES = 12


def build(client: Any, image: Image, deadline: Deadline, progress: Callable[[str], None]) -> str:
    """Build and tag it; its local id, `sha256:…`. Docker's layer cache decides what is done anew.

    Raises:
        ProviderError: with Docker's last lines.
    """
    if image.login:
        _log_in(client, image.login)
    output, built = _Output(), ""
    with tempfile.TemporaryFile() as archive:
        image.context.archive(archive)

        def start() -> Any:
            return client.build(
                fileobj=archive,
                custom_context=True,
                dockerfile=image.context.inside,
                tag=image.name,
                buildargs=dict(image.args),
                network_mode=image.network,
                platform=image.platform,
                rm=True,
                forcerm=True,
                decode=True,
                timeout=client.timeout,
                use_config_proxy=False,
            )

        try:
            for line in said(client, start, deadline):
                for step in output.take(str(line.get("stream", ""))):
                    progress(redact(step, image.secrets))
                built = (line.get("aux") or {}).get("ID", built)
        except ProviderError as error:
            lines = [f"building {image.name}: {error}", *output.last()]
            raise ProviderError(redact("\n".join(lines), image.secrets)) from None
    return _digest(built, f"building {image.name}: Docker")


def push(client: Any, image: Image, deadline: Deadline, progress: Callable[[str], None]) -> str:
    """Push it; its name by digest, `repository@sha256:…`.

    Raises:
        ProviderError: with the registry's words.
    """
    repository, _, tag = image.name.rpartition(":")

    def start() -> Any:
        login = dict(image.login) if image.login else None
        return client.push(repository, tag=tag, auth_config=login, stream=True, decode=True)

    progress(f"pushing {image.name}")
    digest = ""
    try:
        for line in said(client, start, deadline):
            digest = (line.get("aux") or {}).get("Digest", digest)
    except ProviderError as error:
        raise ProviderError(redact(f"error reading push output: {error}", image.secrets)) from None
    return f"{repository}@{_digest(digest, f'pushing {image.name}: the registry')}"


def _log_in(client: Any, login: Any) -> None:
    """Have the base images pulled as that user."""
    from docker.auth import AuthConfig  # noqa: PLC0415

    # The package takes a login for a build from a file or by asking the registry, which only the daemon can.
    client._auth_configs = AuthConfig({"auths": {login["server"]: dict(login)}})  # noqa: SLF001


def _digest(text: str, who: str) -> str:
    if not text.startswith("sha256:"):
        raise ProviderError(f"{who} named no digest at the end")
    return text


class _Output:
    """The last lines of a build, which come in pieces."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._rest = ""

    def take(self, piece: str) -> list[str]:
        """Keep a piece; the builder's own steps among its lines."""
        *whole, self._rest = f"{self._rest}{piece}".split("\n")
        lines = [line.rstrip() for line in whole if line.strip()]
        self._lines.extend(lines)
        return [line for line in lines if line.startswith("Step ")]

    def last(self) -> list[str]:
        """The last lines, indented."""
        if self._rest.strip():
            self._lines.append(self._rest)
        return [f"  {line}" for line in self._lines]
