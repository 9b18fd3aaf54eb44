"""The digest of a build context changes exactly when what is sent does."""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from typing import TYPE_CHECKING

import pytest
from docker.utils import build

from twin.plugins.docker.context import Context
from twin.plugins.provider import ProviderError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALLOW_LIST = "# an allow-list\n*\n!app\n!kept.txt\n**/*.pyc\n\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A context with an allow-list."""
    root = tmp_path / "ctx"
    (root / "app" / "deep").mkdir(parents=True)
    (root / ".git").mkdir()
    for name in ("app/main.py", "app/deep/more.py", "app/old.pyc", "kept.txt", "secret.env", ".git/HEAD"):
        (root / name).write_text(name)
    (root / "app" / "link").symlink_to("main.py")
    (root / "Dockerfile").write_text("FROM scratch\n")
    (root / ".dockerignore").write_text(ALLOW_LIST)
    return root


def context(root: Path, dockerfile: str = "Dockerfile") -> Context:
    return Context(str(root), str(root / dockerfile))


def sent(of: Context) -> dict[str, tarfile.TarInfo]:
    with tempfile.TemporaryFile() as archive:
        of.archive(archive)
        with tarfile.open(fileobj=archive) as tar:
            return {entry.name: entry for entry in tar}


def test_only_what_the_ignore_file_lets_through_is_sent(root: Path) -> None:
    assert sorted(sent(context(root))) == [
        ".dockerignore",
        "Dockerfile",
        "app",
        "app/deep",
        "app/deep/more.py",
        "app/link",
        "app/main.py",
        "kept.txt",
    ]


def test_without_an_ignore_file_everything_is_sent(root: Path) -> None:
    (root / ".dockerignore").unlink()
    assert {"secret.env", ".git/HEAD", "app/old.pyc"} <= sent(context(root)).keys()


def test_a_dockerfiles_own_ignore_file_comes_first(root: Path) -> None:
    (root / "Dockerfile.dockerignore").write_text("app\n")
    names = sent(context(root)).keys()
    assert "secret.env" in names
    assert "app/main.py" not in names


def rename(root: Path) -> None:
    (root / "kept.txt").rename(root / "app" / "kept.txt")


def relink(root: Path) -> None:
    (root / "app" / "link").unlink()
    (root / "app" / "link").symlink_to("deep/more.py")


SENT_CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "app" / "main.py").write_text("app/MAIN.py"),
    "mode": lambda root: (root / "app" / "main.py").chmod(0o755),
    "mode of a folder": lambda root: (root / "app" / "deep").chmod(0o700),
    "another file": lambda root: (root / "app" / "new.py").write_text(""),
    "a file less": lambda root: (root / "kept.txt").unlink(),
    "an empty folder": lambda root: (root / "app" / "empty").mkdir(),
    "a name": rename,
    "where a link leads": relink,
    "Dockerfile": lambda root: (root / "Dockerfile").write_text("FROM scratch\nCMD a\n"),
    "ignore file": lambda root: (root / ".dockerignore").write_text(f"{ALLOW_LIST}!secret.env\n"),
}


@pytest.mark.parametrize("change", SENT_CHANGES.values(), ids=SENT_CHANGES.keys())
def test_what_changes_the_sent_files_changes_the_digest(root: Path, change: Callable[[Path], object]) -> None:
    before = context(root).digest()
    change(root)
    assert context(root).digest() != before


def touch(root: Path) -> None:
    for path in root.rglob("*"):
        if not path.is_symlink():
            os.utime(path, (1, 1))


UNSENT_CHANGES: dict[str, Callable[[Path], object]] = {
    "times": touch,
    "an ignored file": lambda root: (root / "secret.env").write_text("other"),
    "an ignored file in a folder that is sent": lambda root: (root / "app" / "old.pyc").write_text("other"),
    "an ignored folder": lambda root: (root / ".git" / "index").write_text("other"),
}


@pytest.mark.parametrize("change", UNSENT_CHANGES.values(), ids=UNSENT_CHANGES.keys())
def test_what_is_not_sent_leaves_the_digest(root: Path, change: Callable[[Path], object]) -> None:
    before = context(root).digest()
    change(root)
    assert context(root).digest() == before


def test_another_checkout_has_the_same_digest(root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "elsewhere" / "copy", symlinks=True)
    touch(other)
    assert context(other).digest() == context(root).digest()


def test_the_order_in_which_files_are_found_does_not_matter(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, found = context(root).digest(), build.exclude_paths
    monkeypatch.setattr(build, "exclude_paths", lambda *a, **k: sorted(found(*a, **k), reverse=True))
    assert context(root).digest() == before


def test_the_owner_of_the_checkout_is_not_sent(root: Path) -> None:
    if os.geteuid() == 0:
        os.chown(root / "kept.txt", 1234, 1234)
    assert {(entry.uid, entry.gid, entry.uname) for entry in sent(context(root)).values()} == {(0, 0, "")}


def test_the_dockerfile_is_named_as_it_lies_in_the_context(root: Path) -> None:
    (root / "app" / "Dockerfile").write_text("FROM scratch\n")
    assert context(root, "app/Dockerfile").inside == "app/Dockerfile"


def test_a_missing_folder_is_named(root: Path) -> None:
    assert list(context(root).problems()) == []
    [(key, reason)] = Context(f"{root}x", f"{root}x/Dockerfile").problems()
    assert key == "context"
    assert f"{root}x" in reason
    assert "correct `build.context`" in reason


def test_a_missing_dockerfile_is_named(root: Path) -> None:
    [(key, reason)] = context(root, "Dockerfil").problems()
    assert key == "dockerfile"
    assert "Dockerfil'" in reason
    assert "correct `build.dockerfile`" in reason


def test_a_dockerfile_named_from_the_context_gets_its_right_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root.parent)
    [(_, reason)] = Context("ctx", "Dockerfile").problems()
    assert "'ctx/Dockerfile'" in reason


def test_a_dockerfile_outside_of_the_context_is_refused(root: Path, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    [(key, reason)] = context(root, "../Dockerfile").problems()
    assert key == "dockerfile"
    assert "outside" in reason


def test_a_file_that_goes_away_is_named(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Context, "_names", lambda *_: ["gone"])
    with pytest.raises(ProviderError, match=r"cannot be read: .*gone: No such file"):
        context(root).digest()
