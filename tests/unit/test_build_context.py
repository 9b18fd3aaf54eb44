"""The tag of a build context: it follows exactly what Docker is sent."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from docker.utils.build import exclude_paths
from hypothesis import given
from hypothesis import strategies as st

from components.build_context import context_tag, ignored, parse_ignore, sent_files
from tests.checkout import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

NAMES = st.sampled_from(["a", "b", "a.py", "b.txt", "sub"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
GLOBS = st.sampled_from(["*", "a", "*.py", "**/*.py", "sub", "sub/*", "**/b", "sub/a", "?", "a/**", "[ab]"])
# A list of what is left out, or of what is sent, as ignore files are written. About mixtures of both,
# Docker's own tools disagree with each other.
RULES = st.one_of(
    st.lists(GLOBS, max_size=4), st.lists(PATHS.map("!{}".format), max_size=4).map(lambda rest: ["*", *rest])
)


def _write(root: Path, paths: Sequence[str]) -> None:
    for path in paths:
        file = root / path
        if file.exists() or any(parent.is_file() for parent in file.parents):
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path)


@given(paths=st.lists(PATHS, min_size=1, max_size=6, unique=True), rules=RULES)
def test_the_ignore_rules_mean_what_they_mean_to_docker(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], rules: list[str]
) -> None:
    root = tmp_path_factory.mktemp("context")
    _write(root, paths)
    (root / ".dockerignore").write_text("\n".join(rules))
    theirs = {
        name for name in exclude_paths(str(root), rules, dockerfile="Dockerfile") if (root / name).is_file()
    }
    ours = {name for name, _ in sent_files(root)}
    # Docker is always sent these two.
    assert ours - {".dockerignore"} == theirs - {".dockerignore", "Dockerfile"}


@pytest.mark.parametrize("context", [".", "twin/workload"])
def test_the_contexts_of_this_project_send_what_they_name_and_nothing_else(context: str) -> None:
    sent = {name for name, _ in sent_files(CHECKOUT / context)}
    allowed = [
        line.removeprefix("!")
        for line in (CHECKOUT / context / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    ]
    assert sent
    assert all(any(name == place or name.startswith(f"{place}/") for place in allowed) for name in sent)
    assert not any("__pycache__" in name for name in sent)


def test_the_tag_follows_contents_names_modes_and_the_dockerfile_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM x")
    (tmp_path / "app.py").write_text("1")
    (tmp_path / ".dockerignore").write_text("*\n!app.py\n")
    first = context_tag(str(tmp_path), None)
    os.utime(tmp_path / "app.py", (1, 1))
    (tmp_path / "ignored.txt").write_text("whatever")
    assert context_tag(str(tmp_path), None) == first
    seen = {first}
    for change in (
        lambda: (tmp_path / "app.py").write_text("2"),
        lambda: (tmp_path / "app.py").chmod(0o755),
        lambda: (tmp_path / "Dockerfile").write_text("FROM y"),
    ):
        change()
        seen.add(context_tag(str(tmp_path), None))
    assert len(seen) == 4


def test_a_later_rule_wins() -> None:
    assert ignored(parse_ignore("*\n!a"), "b")
    assert not ignored(parse_ignore("*\n!a"), "a")
    assert ignored(parse_ignore("!a\n*"), "a")
