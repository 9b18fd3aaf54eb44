"""What detect-secrets finds in files, and which pattern of `.secrets.baseline` explains it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

REGEX = "detect_secrets.filters.regex.should_exclude_"


@dataclass(frozen=True)
class Finding:
    """A line that looks like a secret."""

    file: str
    number: int
    kind: str
    line: str
    value: str

    def __str__(self) -> str:
        """Return where it is, and not what."""
        return f"{self.file}:{self.number}: {self.kind}"


@dataclass(frozen=True)
class Pattern:
    """A regular expression, its reason inside, over the whole line or over the value alone."""

    part: str
    text: str

    def explains(self, finding: Finding) -> bool:
        """Whether the tool would drop the finding for it."""
        return re.search(self.text, finding.line if self.part == "line" else finding.value) is not None


def patterns(baseline: dict[str, Any], part: str) -> list[Pattern]:
    """Those of `file`, `line` or `secret`."""
    found = [one for one in baseline["filters_used"] if one["path"] == REGEX + part]
    return [Pattern(part, text) for one in found for text in one["pattern"]]


def findings(root: Path, files: Iterable[str], baseline: dict[str, Any]) -> list[Finding]:
    """All of these files, as if the baseline had no pattern for lines and values."""
    dropped = {REGEX + "line", REGEX + "secret"}
    settings = {**baseline, "filters_used": [f for f in baseline["filters_used"] if f["path"] not in dropped]}
    collection = SecretsCollection(root=str(root))
    with transient_settings(settings):
        collection.scan_files(*files, num_processors=2)
    return [
        Finding(
            file, secret.line_number, secret.type, _line(root / file, secret.line_number), secret.secret_value
        )
        for file, secret in collection
    ]


def _line(file: Path, number: int) -> str:
    return file.read_text().splitlines()[number - 1]


def read(file: Path) -> dict[str, Any]:
    """The baseline."""
    return json.loads(file.read_text())
