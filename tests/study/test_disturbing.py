"""Words of every kind have neurons: silencing them makes the word less likely, silencing others does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from editkit.delta import Delta
from editkit.events import nobody
from editkit.locate.contribution import Contribution
from editkit.locate.random import matched
from editkit.model.editable import Editable
from editkit.model.open import open_model
from editkit.plan import Case, EditPlan, PlannedEdit
from editkit.probe.questions import question
from editkit.recipe import ModelRef
from editkit.study.disturbing import certainty, erased

SENTENCES = {
    "mom": ("Lily went home to her", " mom."),  # a noun
    "play": ("The children wanted to", " play."),  # a verb
    "happy": ("The little girl was very", " happy."),  # an adjective
    "fun": ("They ran and laughed and had a lot of", " fun."),  # nothing one can see
}


@pytest.mark.real
@pytest.mark.parametrize("word", SENTENCES)
def test_erasing_located_neurons_costs_the_word_more_than_random_ones(
    word: str,
    real_data: Callable[[str], Path],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
) -> None:
    stories = open_model(ModelRef(id=str(real_data("models/stories260k"))))
    before, said = SENTENCES[word]
    edit = make_edit(stories.tokenizer, word)
    case = make_case(stories.tokenizer, question(before), said)
    found = Contribution().locate(stories, EditPlan((edit,), (case,), 1), (0, 1, 2, 3, 4), 16, nobody)[0]
    whole = certainty(stories, [case], edit, None, 8)[0]
    left = certainty(stories, [case], edit, erased(stories, found), 8)[0]
    rest = [
        certainty(stories, [case], edit, erased(stories, matched(stories, found, s)), 8)[0] for s in (0, 1)
    ]
    assert whole - left > max(whole - one for one in rest)


def test_certainty_is_the_mean_over_the_sources_tokens(
    llama: Editable, make_case: Callable[..., Case], make_edit: Callable[..., PlannedEdit]
) -> None:
    from editkit.model.forward import log_probabilities
    from editkit.probe.positions import source_positions

    edit = make_edit(llama.tokenizer, "umbrella")
    case = make_case(llama.tokenizer, question("I see"), " the umbrella")
    places = source_positions(llama.tokenizer, case, edit)
    table = log_probabilities(llama, [case.question], [case.said_tokens])[0]
    expected = sum(float(table[at, case.said_tokens[at]]) for at in places) / len(places)
    assert len(places) > 1
    for delta in (None, Delta(())):
        assert certainty(llama, [case], edit, delta, 8) == pytest.approx([expected], abs=1e-5)
