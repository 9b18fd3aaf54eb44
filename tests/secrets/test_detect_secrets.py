"""detect-secrets over every file of the tree: a pattern explains what it finds, and no real key."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.checkout import CHECKOUT
from tests.secrets.files import files
from tests.secrets.findings import Finding, Pattern, findings, patterns, read
from tests.secrets.planted import PLACES, PLANTED, plant

if TYPE_CHECKING:
    from pathlib import Path

BASELINE = CHECKOUT / ".secrets.baseline"
ALLOWED = read(BASELINE)
PATTERNS = [*patterns(ALLOWED, "line"), *patterns(ALLOWED, "secret")]


def _unexplained(found: list[Finding]) -> list[Finding]:
    return [one for one in found if not any(pattern.explains(one) for pattern in PATTERNS)]


@pytest.fixture(scope="module")
def found() -> list[Finding]:
    return findings(CHECKOUT, files(), ALLOWED)


def test_what_is_found_is_explained_by_a_pattern(found: list[Finding]) -> None:
    assert [str(one) for one in _unexplained(found)] == [], "a secret, or a pattern for .secrets.baseline"
    assert ALLOWED["results"] == {}, "a pattern says why, a listed line does not"


def test_no_pattern_is_left_over_and_each_has_a_reason(found: list[Finding]) -> None:
    # Whether a few digits of a digest look random depends on the digits.
    certain = [one for one in PATTERNS if not one.text.startswith("(?#by chance:")]
    left_over = [one.text for one in certain if not any(one.explains(each) for each in found)]
    skipped = patterns(ALLOWED, "file")
    left_over += [one.text for one in skipped if not any(re.search(one.text, file) for file in files())]
    assert left_over == []
    assert [one.text for one in [*PATTERNS, *skipped] if not re.match(r"\(\?#.{10,}?\)", one.text)] == []


def test_the_command_alone_says_the_same_of_all_files_that_it_would_stop_at(found: list[Finding]) -> None:
    command = [sys.executable, "-m", "detect_secrets.pre_commit_hook", "--baseline", str(BASELINE)]
    stopped_at = sorted({one.file for one in found})
    done = subprocess.run([*command, *stopped_at], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_credential_is_found(tmp_path: Path, kind: str) -> None:
    plant(tmp_path, PLANTED[kind])
    assert {one.file for one in _unexplained(findings(tmp_path, PLACES, ALLOWED))} == set(PLACES)


def test_a_planted_password_is_found_though_tests_may_make_up_some() -> None:
    value = "canary-redis-of-staging-7"
    finding = Finding("components/x.py", 1, "Secret Keyword", f'REDIS_PASSWORD = "{value}"', value)
    assert _unexplained([finding]) == [finding]
    assert Pattern("secret", "^canary").explains(finding), "a pattern without an end would let it pass"
