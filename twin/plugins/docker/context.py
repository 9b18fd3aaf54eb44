"""A build context: the files that are sent, and the digest that changes exactly when they do."""

from __future__ import annotations

import hashlib
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from twin.plugins.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True)
class Context:
    """A folder and the Dockerfile in it; both as the program names them, relative to its folder."""

    folder: str
    dockerfile: str

    @property
    def inside(self) -> str:
        """The Dockerfile's path inside the folder."""
        return Path(self.dockerfile).resolve().relative_to(Path(self.folder).resolve()).as_posix()

    def problems(self) -> Iterator[tuple[str, str]]:
        """What is missing or misplaced, as the name of an input of `build` and the reason."""
        if not Path(self.folder).is_dir():
            reason = f"there is no folder {self.folder!r} (relative to {Path.cwd()}): correct `build.context`"
            yield "context", reason
            return
        file = Path(self.dockerfile)
        if not file.is_file():
            yield "dockerfile", f"there is no Dockerfile {self.dockerfile!r}{self._remedy()}"
        elif not file.resolve().is_relative_to(Path(self.folder).resolve()):
            reason = (
                f"`build.dockerfile` {self.dockerfile!r} lies outside of the context {self.folder!r}: "
                "move it into that"
            )
            yield "dockerfile", reason

    def _remedy(self) -> str:
        there = Path(self.folder) / self.dockerfile
        if there.is_file():
            return f": it is relative to the program's folder, as {str(there)!r} would be"
        return f" (relative to {Path.cwd()}): correct `build.dockerfile`"

    def digest(self) -> str:
        """SHA-256 in hex over what would be sent: names, kinds, modes, contents and link targets, no times.

        Raises:
            ProviderError: a file cannot be read.
        """
        hashed = hashlib.sha256()
        self._write(_Hashing(hashed), "w|", times=False)
        return hashed.hexdigest()

    def archive(self, target: IO[bytes]) -> None:
        """Write it as a tar file, and rewind.

        Raises:
            ProviderError: a file cannot be read.
        """
        self._write(target, "w", times=True)
        target.seek(0)

    def _write(self, target: Any, mode: Any, *, times: bool) -> None:
        root = Path(self.folder).resolve()
        try:
            with tarfile.open(fileobj=target, mode=mode) as tar:
                for name in self._names(root):
                    entry = tar.gettarinfo(root / name, arcname=name)
                    if entry is None:  # a socket, which nothing can send
                        continue
                    # Who owns the checkout is nothing that Docker's layer cache should see.
                    entry.uid = entry.gid = 0
                    entry.uname = entry.gname = ""
                    # Whole seconds, as the docker command sends them.
                    entry.mtime = int(entry.mtime) if times else 0
                    if entry.isreg():
                        with (root / name).open("rb") as content:
                            tar.addfile(entry, content)
                    else:
                        tar.addfile(entry)
        except OSError as error:
            place, reason = error.filename or self.folder, error.strerror or error
            raise ProviderError(f"the build context cannot be read: {place}: {reason}") from None

    def _names(self, root: Path) -> list[str]:
        from docker.utils import build  # noqa: PLC0415 - the plugin starts with every command

        patterns = self._ignored(root)
        return sorted(build.exclude_paths(str(root), patterns, dockerfile=self.inside))

    def _ignored(self, root: Path) -> list[str]:
        """The patterns of the Dockerfile's own ignore file, else of the context's."""
        for file in (Path(f"{self.dockerfile}.dockerignore"), root / ".dockerignore"):
            if file.is_file():
                lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
                return [line for line in lines if line and not line.startswith("#")]
        return []


class _Hashing:
    """A file that is hashed instead of written."""

    def __init__(self, hashed: Any) -> None:
        self._hashed = hashed

    def write(self, data: bytes) -> int:
        """Take a piece."""
        self._hashed.update(data)
        return len(data)
