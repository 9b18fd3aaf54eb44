"""Audit data outlives the stack, logins come back to their groups, and each tenant sees its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.twin.api import Api
from tests.twin.conftest import PATHS
from tests.twin.roles import GROUPS, memberships

if TYPE_CHECKING:
    from tests.twin.stack import Stack


def test_each_tenant_reads_its_own_events_only(deployed: Stack) -> None:
    assert deployed.kubectl("get", "deployment", "backend")
    one, other = Api(PATHS, 0), Api(PATHS, 1)
    mine, theirs = one.post_event()["id"], other.post_event()["id"]
    assert mine in one.events()
    assert theirs not in one.events()
    assert theirs in other.events()
    assert mine not in other.events()


def test_after_destroy_and_up_the_same_ids_hashes_and_memberships_are_there(deployed: Stack) -> None:
    before, members = [], memberships()
    assert set(members.values()) == {f"orka_{group}" for group in GROUPS}
    for tenant in (0, 1):
        api = Api(PATHS, tenant)
        api.post_event(action_details={"tenant": tenant})
        before.append(api.events())
    gone = deployed.pulumi("destroy", "--yes", "--skip-preview")
    assert gone.code == 0, gone
    left = deployed.run("kubectl", "get", "namespaces", "--output", "name").output
    assert "staging" not in left
    back = deployed.up()
    assert back.code == 0, back
    assert memberships() == members
    for tenant in (0, 1):
        after = Api(PATHS, tenant).events()
        assert before[tenant].items() <= after.items()
        assert before[tenant], "nothing was there to be kept"
