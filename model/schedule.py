"""Cron schedules as the CronJob controller reads them: what a field allows, how close two runs are."""

from __future__ import annotations

import re
from itertools import pairwise

FIELDS = ("minute", "hour", "day", "month", "weekday")
RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 7)}
DAY_MINUTES = 24 * 60


def shortest_period_s(schedule: str) -> int:
    """The shortest time between two runs, in seconds, as if every day were a day of the schedule.

    Raises:
        ValueError: it is not a schedule of five fields; the message names the field.
    """
    parts = schedule.split()
    if len(parts) != len(FIELDS):
        message = "a cron schedule has five fields: minute hour day month weekday"
        raise ValueError(message)
    found = {name: _values(name, text) for name, text in zip(FIELDS, parts, strict=True)}
    times = sorted(hour * 60 + minute for hour in found["hour"] for minute in found["minute"])
    gaps = [later - earlier for earlier, later in pairwise(times)]
    return 60 * min([*gaps, times[0] + DAY_MINUTES - times[-1]])


def _values(name: str, text: str) -> set[int]:
    low, high = RANGES[name]
    found: set[int] = set()
    for item in text.split(","):
        match = re.fullmatch(r"(?:\*|([0-9]{1,2})(?:-([0-9]{1,2}))?)(?:/([0-9]{1,2}))?", item)
        step = int(match[3] or 1) if match else 0
        if match is None or step == 0:
            message = (
                f"the {name} of a cron schedule is a number from {low} to {high}, a range 1-5, a list 1,3, "
                "or * and */5"
            )
            raise ValueError(message)
        first = low if match[1] is None else int(match[1])
        last = int(match[2]) if match[2] else (high if match[1] is None or match[3] else first)
        if not low <= first <= last <= high:
            message = f"the {name} of a cron schedule lies between {low} and {high}, the smaller number first"
            raise ValueError(message)
        found |= set(range(first, last + 1, step))
    return found
