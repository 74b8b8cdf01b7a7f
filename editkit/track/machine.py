"""What an edit takes of the machine, as the metrics of MLflow's own monitor: its page `System metrics`.

That monitor is a thread with a client of its own: a store that breaks would hold it, and the edit with it.
Here a sample is taken whenever an event is heard and the last one is old enough.
"""

from __future__ import annotations

import time
from typing import Any, Final

INTERVAL: Final = 5.0


class Machine:
    """Processors and memory, and graphics cards where nvidia-ml-py is installed."""

    def __init__(self, interval: float = INTERVAL) -> None:
        from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
        from psutil import Process

        self._process = Process()
        self._monitors: list[Any] = [CPUMonitor(), *_cards()]
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
        found = {"process_memory_usage_megabytes": self._process.memory_info().rss / 1e6}
        for monitor in self._monitors:
            monitor.collect_metrics()
            found |= monitor.aggregate_metrics()
            monitor.clear_metrics()
        return found


def _cards() -> list[Any]:
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

    try:
        return [GPUMonitor()]
    except Exception:  # no card, no driver or no package; each is told in its own way
        return []
