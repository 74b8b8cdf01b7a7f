from __future__ import annotations

from typing import Any

import pytest

from editkit.track.machine import Machine


def test_a_sample_is_taken_when_the_last_one_is_old() -> None:
    assert Machine().sample() == {}
    machine = Machine(interval=0)
    found = machine.sample()
    assert machine.step == 1
    assert 0 <= found["system/cpu_utilization_percentage"] <= 100
    assert 0 < found["system/system_memory_usage_percentage"] < 100
    assert found["system/process_memory_usage_megabytes"] > 10
    assert set(machine.sample()) == set(found), "the same keys in every run"


def test_a_machine_that_does_not_tell_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> None:
        raise OSError("no /proc here")

    machine = Machine(interval=0)
    monkeypatch.setattr(machine._process, "memory_info", refuse)
    assert machine.sample() == {}
