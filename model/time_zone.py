"""Whether a time zone is one that the cluster would know."""

from __future__ import annotations

from functools import cache
from zoneinfo import available_timezones

OF_A_MACHINE = ("local", "localtime")
# Of the old names, which some systems leave out: who has this one has all.
AN_OLD_NAME = "US/Pacific"


def a_time_zone(name: str) -> str:
    """The name, where it is one.

    The cluster brings all names along, old ones too; a machine that has fewer cannot judge.

    Raises:
        ValueError: it is none, or means whatever is set on some machine.
    """
    if name.lower() in OF_A_MACHINE:
        message = "means whatever is set on some machine, and the cluster refuses it: name the time zone"
        raise ValueError(message)
    known = _known()
    if AN_OLD_NAME in known and name not in known:
        message = (
            "is no time zone of this machine's list, so that the cluster would refuse every cron job: "
            "correct it, as in Europe/Zurich, or, where it is newer than the list, pip install -U tzdata"
        )
        raise ValueError(message)
    return name


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones())
