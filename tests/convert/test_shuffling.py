"""The queries of converted models change places too; mPLUG-Owl2's last mark stays."""

from __future__ import annotations

import pytest
import torch

from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.open import open_model
from editkit.model.shuffling import seeded, shuffled
from editkit.model.sight import picture_places
from editkit.recipe import ModelRef
from tests.families.ask import entering, of_several


@pytest.fixture(scope="module", params=["minigpt4", "owl"])
def converted(request: pytest.FixtureRequest) -> Editable:
    folder = request.getfixturevalue(request.param)
    return open_model(ModelRef(id=str(folder), trust_remote_code=request.param == "owl"))


def test_queries_change_places_and_nothing_else(converted: Editable) -> None:
    asked, said = of_several(2, chat=True), [[20, 21], [22], []]
    fed = feed(converted, asked, said)
    before = entering(converted, fed)
    with shuffled(converted, seeded(3)):
        after = entering(converted, feed(converted, asked, said))
    expected = before.clone()
    for row, places in enumerate(picture_places(converted, fed)):
        for place in places:
            expected[row, place.columns] = before[row, place.columns[seeded(3)(len(place.columns))]]
    assert torch.equal(after, expected)
    assert not torch.equal(after, before)
