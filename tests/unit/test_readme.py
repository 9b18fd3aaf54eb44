"""What README.md lets people type has all that the commands ask for."""

from __future__ import annotations

import re

from model.checks import TokenSource
from model.secrets import SECRETS
from model.variables import SETTING_OF
from ops.checks.token import PasswordGrant, resolve
from tests.twin.readme import commands

EXPORT = re.compile(r'export (\w+)="\$\(pulumi config get -s staging (?:--path )?orka-ppm:(\S+)\)"')


def _exported() -> dict[str, str]:
    """By variable the setting whose value it is given."""
    return dict(found.groups() for command in commands("Deploy") if (found := EXPORT.fullmatch(command)))


def test_what_deploy_exports_is_enough_for_ops_checks_to_sign_in() -> None:
    exported = _exported()
    address = "https://staging.example.com" if "SUPABASE_URL" in exported else None
    assert isinstance(resolve(TokenSource(supabase_url=address), exported), PasswordGrant)


def test_each_export_of_deploy_reads_the_setting_of_its_variable() -> None:
    settings = SETTING_OF | {spec.variable: spec.key for spec in SECRETS}
    assert _exported().items() <= settings.items()
