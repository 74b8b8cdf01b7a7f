from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editkit.evaluate.neurons.joint import joint_effect

DROPS = st.lists(st.floats(-5, 5), min_size=4, max_size=4)


@given(singles=st.lists(DROPS, max_size=5))
def test_neurons_that_do_not_meet_have_none(singles: list[list[float]]) -> None:
    group = [sum(own[case] for own in singles) for case in range(4)]
    found = joint_effect(group, singles)
    assert found.joint.value == pytest.approx(0.0, abs=1e-9)
    assert len(found.singles) == len(singles)


def test_neurons_that_stand_in_for_each_other_and_that_all_are_needed() -> None:
    spare = joint_effect([1.0] * 10, [[0.0] * 10] * 3)
    assert (spare.joint.value, spare.group.value, spare.singles[0].value) == (1.0, 1.0, 0.0)
    needed = joint_effect([1.0] * 10, [[1.0] * 10] * 3)
    assert needed.joint.value == -2.0
    assert needed.joint.count == 10


def test_cases_are_the_same() -> None:
    with pytest.raises(ValueError, match="shorter"):
        joint_effect([1.0, 0.0], [[1.0]])
