"""What an edit takes of the machine, as the metrics of MLflow's own monitor: its page `System metrics`.

That monitor is a thread of MLflow's, whose import takes seconds. Here a sample is taken whenever an event is
heard and the last one is old enough.
"""

from __future__ import annotations

import time
from typing import Any, Final

INTERVAL: Final = 5.0


class Machine:
    """Processors and memory, and graphics cards where nvidia-ml-py is installed."""

    def __init__(self, interval: float = INTERVAL) -> None:
        from psutil import Process

        self._process = Process()
        self._cards = _cards()
        self._interval = interval
        self._taken_at = time.monotonic()
        self.step = 0

    def sample(self) -> dict[str, float]:
        """Figures since the last sample; none where that was a moment ago."""
        now = time.monotonic()
        if now - self._taken_at < self._interval:
            return {}
        self._taken_at = now
        self.step += 1
        try:
            found = self._collect()
        except Exception:  # a machine that does not tell is no reason to lose an edit
            return {}
        return {f"system/{key}": value for key, value in found.items()}

    def _collect(self) -> dict[str, float]:
        import psutil

        memory = psutil.virtual_memory()
        found = {
            "process_memory_usage_megabytes": self._process.memory_info().rss / 1e6,
            "cpu_utilization_percentage": psutil.cpu_percent(),
            "system_memory_usage_megabytes": memory.used / 1e6,
            "system_memory_usage_percentage": memory.used / memory.total * 100,
        }
        for at, card in enumerate(self._cards):
            found |= {f"gpu_{at}_{key}": value for key, value in _used(card).items()}
        return {key: round(float(value), 1) for key, value in found.items()}


def _cards() -> list[Any]:
    try:
        import pynvml

        pynvml.nvmlInit()
        return [pynvml.nvmlDeviceGetHandleByIndex(at) for at in range(pynvml.nvmlDeviceGetCount())]
    except Exception:  # no card, no driver or no package; each is told in its own way
        return []


def _used(card: Any) -> dict[str, float]:
    import pynvml

    memory = pynvml.nvmlDeviceGetMemoryInfo(card)
    return {
        "utilization_percentage": pynvml.nvmlDeviceGetUtilizationRates(card).gpu,
        "memory_usage_megabytes": memory.used / 1e6,
        "memory_usage_percentage": memory.used / memory.total * 100,
        "power_usage_watts": pynvml.nvmlDeviceGetPowerUsage(card) / 1000,
    }
