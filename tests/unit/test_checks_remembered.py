"""What the checker remembers is as old as the probe's end, whoever was there to hear it."""

from __future__ import annotations

import threading

from ops.checker.state import Remembered, State

DEADLINE_S, KEEP_S = 0.1, 10.0


class _Service:
    """One that hangs at the first question until it is let go, and is away from then on."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.asked = 0
        self.clock = 0.0
        self.state = Remembered("x", self._probe, deadline_s=DEADLINE_S, keep_s=KEEP_S)

    def _probe(self) -> None:
        self.asked += 1
        if self.asked > 1:
            raise ConnectionRefusedError
        self.over.wait(20)

    def ask(self, moment: float) -> State:
        self.clock = moment
        return self.state.ask(lambda: self.clock)

    def outlives_its_asker(self) -> None:
        assert self.ask(0.0).reason == "no answer in time"
        ended = self.state._pending
        assert ended is not None
        self.over.set()
        ended.result(timeout=20)


def test_a_probe_that_outlived_its_asker_by_an_hour_is_asked_anew() -> None:
    service = _Service()
    service.outlives_its_asker()
    assert service.ask(3_600.0).reason == "ConnectionRefusedError"
    assert service.asked == 2


def test_a_probe_that_has_just_ended_counts_and_is_kept_from_its_end() -> None:
    service = _Service()
    service.outlives_its_asker()
    assert service.ask(9.0).status == "healthy"
    assert service.asked == 1
    assert service.ask(10.5).status == "degraded", "it is older than what is remembered"
