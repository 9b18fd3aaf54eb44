"""What a broken release is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.checks.edge import Twist

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from model.checks import ChecksFile
    from ops.checks.result import Verdict
    from tests.checks.documents import Namespace
    from twin.secrets import Secrets


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One broken release.

    `backend` are variables of the backend, `api` and `web` twists at the edge of either host, `page` changes
    the frontend's folder, `cluster` the documents of kubectl, `sql` a database of its own (as its superuser),
    `certificate` names the frontend's, `user` is laid over the variables of `ops checks`, `database` is how
    the backend reaches it, `hurried` holds it to the usual limits of time.
    """

    name: str
    red: Mapping[str, str]
    verdict: Verdict = "failed"
    backend: Mapping[str, str] | None = None
    api: Callable[[Secrets], Twist] = lambda _: Twist()
    web: Twist = field(default_factory=Twist)
    page: Callable[[Path], None] = lambda _: None
    cluster: tuple[Callable[[Namespace], None], ...] = ()
    sql: tuple[str, ...] = ()
    certificate: str = "good"
    user: Mapping[str, str] = field(default_factory=dict)
    checks: Callable[[ChecksFile], ChecksFile] = lambda checks: checks
    database: str = "own"
    hurried: bool = False
