"""Which checks can be run with what was given; the others are listed with the reason. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from model.check_kinds import Check, FunctionalCall
from model.check_surroundings import (
    CatalogCheck,
    CronJobsCheck,
    DnsCheck,
    KeyCheck,
    LogsCheck,
    NotHere,
    PodsCheck,
    RowCheck,
)
from model.checks import KIND_OF, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from model.checks import ChecksFile, TokenSource
    from ops.checks.connection import ConnectTo
    from ops.checks.token import Credentials


def possible(
    checks: ChecksFile,
    credentials: Credentials,
    rules: tuple[ConnectTo, ...],
    *,
    has_kubectl: bool,
    is_file: Callable[[str], bool] = lambda _: True,
) -> tuple[ChecksFile, tuple[NotHere, ...]]:
    """Return the file without what cannot be run here, and that as a list with reasons."""

    def place(check: Check) -> str | None:
        if isinstance(check, CatalogCheck) and not is_file(check.contract):
            return f"{check.contract} is not here: run it in the folder of the project"
        if isinstance(check, DnsCheck) and any(rule.applies(check.host, rule.port or 0) for rule in rules):
            return "connections to this host are led elsewhere, its name is not used"
        if isinstance(check, PodsCheck | CronJobsCheck | LogsCheck) and not has_kubectl:
            return "kubectl is not on PATH"
        return None

    left_out = [
        NotHere(name=check.name, kind=kind_of(check), reason=why)
        for check in checks.all()
        if (why := _unknown(check, checks.token, credentials) or place(check))
    ]
    names = {entry.name for entry in left_out}
    return selected(checks, lambda check: check.name not in names), (*checks.not_here, *left_out)


def _unknown(check: Check, token: TokenSource, credentials: Credentials) -> str | None:
    if isinstance(check, FunctionalCall):
        return _without(check, token, credentials)
    if isinstance(check, RowCheck | CatalogCheck) and credentials.database_url is None:
        return f"{token.database_url_env} is not set"
    if isinstance(check, KeyCheck) and check.key_env not in credentials.keys:
        return f"{check.key_env} is not set"
    return None


def selected(checks: ChecksFile, wanted: Callable[[Check], bool]) -> ChecksFile:
    """Return the file with only the wanted checks; it may be empty."""
    keys = [kind.replace("-", "_") for kind in KIND_OF.values()]
    return checks.model_copy(
        update={key: tuple(check for check in getattr(checks, key) if wanted(check)) for key in keys}
    )


def without(checks: ChecksFile, kinds: Collection[str]) -> ChecksFile:
    """Return the file without the checks of these kinds, which are listed instead."""
    left_out = tuple(
        NotHere(name=check.name, kind=kind_of(check), reason=f"left out: --without {kind_of(check)}")
        for check in checks.all()
        if kind_of(check) in kinds
    )
    kept = selected(checks, lambda check: kind_of(check) not in kinds)
    return kept.model_copy(update={"not_here": (*kept.not_here, *left_out)})


def _without(check: FunctionalCall, source: TokenSource, credentials: Credentials) -> str | None:
    if not check.auth:
        return None
    if check.caller == "other-tenant" and credentials.other is None:
        return f"{source.other_email_env} and {source.other_password_env} are not set"
    if check.caller == "expired" and credentials.jwt_secret is None:
        return f"{source.jwt_secret_env} is not set: an expired token cannot be made"
    return None
