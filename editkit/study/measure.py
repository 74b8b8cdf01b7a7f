"""Every figure of one localizer's rankings, as a mean over concepts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from editkit.delta import Delta
from editkit.errors import ModelError
from editkit.evaluate.intervals import mean
from editkit.evaluate.neurons.causal import causal_effect
from editkit.evaluate.neurons.invariance import cross_image_invariance, region_invariance
from editkit.evaluate.neurons.joint import joint_effect
from editkit.evaluate.neurons.sharing import sharing
from editkit.evaluate.neurons.specificity import specificity
from editkit.evaluate.noise import noise
from editkit.evaluate.observe import captions
from editkit.evaluate.sensitivity import sensitivity
from editkit.evaluate.similarity.measure import Similarity
from editkit.evaluate.text import bleu, rouge_l
from editkit.events import Tell, nobody, stage
from editkit.locate.localizer import Localizer
from editkit.locate.random import matched
from editkit.locate.signs import signs
from editkit.model.editable import Editable
from editkit.model.shuffling import seeded, shuffled
from editkit.neuron import Neurons
from editkit.plan import EditPlan
from editkit.report import Value
from editkit.study.disturbing import certainty, erased
from editkit.study.subjects import Subject, one_by_one

Texts = Callable[[Sequence[str], Sequence[str]], list[float]]


@dataclass(frozen=True)
class Bench:
    """What all localizers are measured with.

    Attributes:
        layers: those that neurons are taken from; `k` of them count for each concept, `n_erased` are erased.
        similarities: those whose models are there.
        sigma: the noise of the causal effect, in row norms.
    """

    editable: Editable
    plan: EditPlan
    subjects: tuple[Subject, ...]
    layers: tuple[int, ...]
    k: int
    n_erased: int
    similarities: tuple[Similarity, ...]
    seed: int
    sigma: float
    max_new_tokens: int
    batch_size: int

    def say(self, subject: Subject, delta: Delta | None, *, others: bool) -> list[str]:
        """What the model says about a concept's cases, and about others behind them."""
        cases = (*subject.asked, *(subject.others if others else ()))
        return captions(
            self.editable,
            [case.question for case in cases],
            delta,
            name="",
            max_new_tokens=self.max_new_tokens,
            batch_size=self.batch_size,
            tell=nobody,
        )

    def texts(self) -> dict[str, Texts]:
        """How two captions are compared; BERTScore where its encoder is there."""
        found: dict[str, Texts] = {"bleu": bleu, "rouge_l": rouge_l}
        for one in self.similarities:
            if one.name == "bertscore":
                found["bertscore"] = one  # F1, the same both ways
        return found


def figures(bench: Bench, localizer: Localizer, found: Sequence[Neurons], tell: Tell) -> dict[str, Value]:
    """All figures of one localizer; those that this model does not allow are left out.

    Args:
        found: for each concept a ranking of the neurons that count, and of those that are erased.
    """
    tops = [ranking.top(bench.k) for ranking in found]
    table = _meaning(bench, tops)
    named = {str(subject.place): top for subject, top in zip(bench.subjects, tops, strict=True)}
    if len(named) > 1:
        table["specificity"] = mean([one.value for one in specificity(named, bench.k).values()])
    table |= _stability(bench, localizer, tops)
    rows: dict[str, list[float]] = {}
    with stage(tell, "disturb", len(tops)) as advance:
        for subject, ranking in zip(bench.subjects, found, strict=True):
            for name, value in (*_erased(bench, subject, ranking), *_disturbed(bench, subject, ranking)):
                rows.setdefault(name, []).append(value)
            advance(1)
    return table | {name: mean(values) for name, values in rows.items()}


def _meaning(bench: Bench, tops: Sequence[Neurons]) -> dict[str, Value]:
    """Semantic sensitivity by each similarity: of the token that is nearest to the word, for each neuron."""
    every = signs(bench.editable, bench.plan, tops)
    decoded = [bench.editable.decoded(top.items, signs=own) for top, own in zip(tops, every, strict=True)]
    return {
        f"sensitivity/{similarity.name}": mean(
            [
                sum(scores) / len(scores)
                for tokens, subject in zip(decoded, bench.subjects, strict=True)
                if tokens
                for scores in [sensitivity(tokens, subject.edit.sources, similarity, over="max")]
            ]
        )
        for similarity in bench.similarities
    }


def _stability(bench: Bench, localizer: Localizer, tops: Sequence[Neurons]) -> dict[str, Value]:
    """What stays when the picture's parts change places, and from picture to picture."""
    found: dict[str, Value] = {}
    if not localizer.by_region and any(case.question.images for case in bench.plan.of("edit")):
        # Where no picture is in the sequence there is nothing to shuffle.
        with suppress(ModelError), shuffled(bench.editable, seeded(bench.seed)):
            other = localizer.locate(bench.editable, bench.plan, bench.layers, bench.k, nobody)
            found["region_invariance"] = region_invariance(tops, other, bench.k)
    single, owners = one_by_one(bench.plan, with_twins=localizer.nulls is not None)
    each = localizer.locate(bench.editable, single, bench.layers, bench.k, nobody)
    pairs, together = [], dict[str, dict[str, Neurons]]()
    for place in range(len(bench.subjects)):
        own = [ranking for ranking, (owner, _) in zip(each, owners, strict=True) if owner == place]
        if len(own) > 1:
            pairs.append(cross_image_invariance(own, bench.k).value)
    for ranking, (owner, case) in zip(each, owners, strict=True):
        together.setdefault(case.question.id, {})[str(owner)] = ranking
    found["cross_image_invariance"] = mean(pairs)
    shared = [one.value for one in sharing(together, bench.k).values() if one.count]
    if shared:
        found["sharing"] = mean(shared)
    return found


def _erased(bench: Bench, subject: Subject, ranking: Neurons) -> Iterator[tuple[str, float]]:
    """What erasing a concept's neurons does to its answers and to others."""
    top, n_asked = ranking.top(bench.n_erased), len(subject.asked)
    before = [case.said for case in (*subject.asked, *subject.others)]
    after = bench.say(subject, erased(bench.editable, top), others=True) if len(top) else before
    yield "suppression", _mean([not subject.edit.says_source(text) for text in after[:n_asked]])
    for name, alike in bench.texts().items():
        yield f"target/{name}", _mean(alike(before[:n_asked], after[:n_asked]))
        yield f"others/{name}", _mean(alike(before[n_asked:], after[n_asked:]))


def _disturbed(bench: Bench, subject: Subject, ranking: Neurons) -> Iterator[tuple[str, float]]:
    """What noise on a concept's neurons does beside noise on its control, and what they do together."""
    top = ranking.top(bench.k)
    if not len(top):
        yield "causal_effect", 0.0
        return
    noisy, random = (
        bench.say(subject, noise(bench.editable, some, sigma=bench.sigma, seed=bench.seed), others=False)
        for some in (top, matched(bench.editable, top, bench.seed))
    )
    before = [case.said for case in subject.asked]
    yield "causal_effect", causal_effect(before, noisy, random, subject.edit.says_source).effect.value
    yield "joint_effect", _joint(bench, subject, top)


def _joint(bench: Bench, subject: Subject, top: Neurons) -> float:
    """What the word's log-probability loses with all neurons at once, minus the sum one by one, in nats."""
    editable, edit = bench.editable, subject.edit
    whole = certainty(editable, subject.asked, edit, None, bench.batch_size)

    def drops(some: Neurons) -> list[float]:
        left = certainty(editable, subject.asked, edit, erased(editable, some), bench.batch_size)
        return [one - other for one, other in zip(whole, left, strict=True)]

    alone = [drops(Neurons((neuron,), (0.0,), top.method)) for neuron in top]
    return joint_effect(drops(top), alone).joint.value


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
