"""Rotated logins: new roles, new Secrets, pods that roll to them, and not one request that fails."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.twin.api import HOST, Api
from tests.twin.conftest import PATHS
from tests.twin.load import Load
from tests.twin.roles import GROUPS, memberships

if TYPE_CHECKING:
    from tests.twin.stack import Stack


def _login_of_backend(stack: Stack) -> str:
    pod = stack.manifest("deployment", "backend")["spec"]["template"]["spec"]
    name = pod["containers"][0]["envFrom"][0]["secretRef"]["name"]
    url = base64.b64decode(stack.manifest("secret", name)["data"]["DATABASE_URL"]).decode()
    return str(urlsplit(url).username)


@pytest.mark.soak("rolls everything once more")
def test_a_rotated_login_reaches_the_pods_without_a_failed_request(stack: Stack) -> None:
    before = {f"orka_{group}_1": f"orka_{group}" for group in GROUPS}
    assert memberships() == before
    stack.set("orka-ppm:database.rotation", "2")
    # Every answer is read from the database: a pod whose login is gone would fail.
    with Load(HOST, "/api/audit/events?limit=1", PATHS.ca, token=Api(PATHS, 0).token) as load:
        up = stack.up()
    assert up.code == 0, up
    assert load.answers.total() > 20
    assert load.failures == {}, load.answers
    assert _login_of_backend(stack) == "orka_app_2"
    # Those before stay until the next rotation: pods in their grace period still use them.
    after = before | {f"orka_{group}_2": f"orka_{group}" for group in GROUPS}
    assert memberships() == after
    assert stack.refresh().code == 0
    assert stack.up().code == 0
    assert memberships() == after
