"""How forged files are tried: many, and each one in little time and memory."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from time import process_time

from hypothesis import HealthCheck, settings

from editkit.errors import EditkitError

LONGEST_SENTENCE = 700


def forging(count: int) -> settings:
    """So many examples, none of them kept or made smaller for long."""
    return settings(max_examples=count, suppress_health_check=list(HealthCheck), database=None)


def refused(work: Callable[[], object], kind: type[EditkitError], n_bytes: int) -> str | None:
    """What was said, None where it was accepted; anything but one cheap and printable sentence fails."""
    tracemalloc.start()
    began, said = process_time(), None
    try:
        work()
    except kind as error:
        said = str(error)
    finally:
        seconds, peak = process_time() - began, tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seconds < 1
    assert peak < 40 * n_bytes + 1_000_000
    if said is not None:
        assert said.isprintable(), ascii(said)
        assert 10 < len(said) < LONGEST_SENTENCE, said
    return said
