"""Several localizers side by side: the same model, inputs, layers and number of neurons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import TYPE_CHECKING

from editkit.errors import UsageError
from editkit.evaluate.noise import SIGMA
from editkit.events import Noted, Tell, nobody, stage, telling
from editkit.neuron import Neurons
from editkit.probe.twins import check as check_twins
from editkit.recipe import Recipe
from editkit.report import Value

if TYPE_CHECKING:
    from editkit.model.editable import Editable
    from editkit.plan import EditPlan


@dataclass(frozen=True)
class Compared:
    """One localizer.

    Attributes:
        name: as it was asked for; `seconds` what locating all concepts took.
        neurons: a ranking for each concept, with as many as count or are erased, or fewer.
        figures: name -> mean over concepts with its 95 % interval, where it could be measured.
        layers: the share of the top neurons in each layer.
    """

    name: str
    seconds: float
    neurons: tuple[Neurons, ...]
    figures: Mapping[str, Value]
    layers: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """All of them.

    Attributes:
        concepts: the words; `k` neurons count for each, and `n_erased` are erased.
        overlaps: for every two localizers the share of their top k in common, mean over concepts.
        unavailable: figures that could not be measured, and why.
    """

    concepts: tuple[str, ...]
    k: int
    n_erased: int
    methods: tuple[Compared, ...]
    overlaps: tuple[tuple[float, ...], ...]
    unavailable: tuple[str, ...]

    def columns(self) -> tuple[str, ...]:
        """Names of all figures, in order of first sight."""
        return tuple(dict.fromkeys(name for method in self.methods for name in method.figures))


def compare(
    recipe: Recipe,
    names: Sequence[str],
    *,
    erase: int | None = None,
    tell: Tell = nobody,
    track: bool = True,
) -> Comparison:
    """Locate every edit's neurons by several localizers, and measure what was found.

    Args:
        names: see `variants`; `locate.top` of the recipe neurons count for each concept.
        erase: neurons of each concept that are erased to see what is left of it; as many as count without it.
        track: whether the comparison becomes a run in MLflow.

    Raises:
        EditkitError: anything that can go wrong on purpose, in one sentence.
    """
    from editkit.pipeline import opened, plan_of, tracked
    from editkit.privacy import Masks
    from editkit.study.drawing import drawn
    from editkit.study.variants import variants
    from editkit.study.words import markdown

    asked = variants(recipe, names)
    _counted(recipe)
    if any(one.localizer.nulls is not None for one in asked):
        check_twins(recipe)
    with tracked(recipe, track, tell, f"{recipe.name} compare") as run:
        tell = telling(tell, run.tell)
        editable = opened(recipe, tell)
        for variant in asked:
            variant.localizer.check(editable)
        plan = plan_of(recipe, editable, tell, aims=False)
        run.plan(plan)
        found = compare_on(recipe, editable, plan, names, erase=erase, tell=tell)
        if track:
            told = replace(found, concepts=tuple(map(Masks(recipe).text, found.concepts)))
            run.text(markdown(told), "comparison.md")
            run.metrics(
                {
                    f"{method.name}/{name}": value.value
                    for method in found.methods
                    for name, value in method.figures.items()
                    if value.count
                }
            )
            for name, figure in drawn(told):
                run.figure(figure, name)
    return found


def compare_on(
    recipe: Recipe,
    editable: Editable,
    plan: EditPlan,
    names: Sequence[str],
    *,
    erase: int | None = None,
    sigma: float = SIGMA,
    tell: Tell = nobody,
) -> Comparison:
    """The same for a model that is open and a plan that is made.

    Args:
        sigma: noise of the causal effect, in row norms.

    Raises:
        EditkitError: see `compare`.
    """
    from editkit.evaluate.neurons.layers import layer_distribution
    from editkit.evaluate.neurons.overlap import overlap
    from editkit.evaluate.similarity.available import similarities
    from editkit.evaluate.similarity.measure import Unavailable
    from editkit.probe.twins import with_twins
    from editkit.study.measure import Bench, figures
    from editkit.study.subjects import subjects
    from editkit.study.variants import variants

    asked = variants(recipe, names)
    k = _counted(recipe)
    layers = recipe.locate.layers_of(len(editable.layers))
    nulls = [one.localizer.nulls for one in asked if one.localizer.nulls is not None]
    if nulls:
        plan = with_twins(recipe, plan, nulls=max(nulls), tell=tell)
    with stage(tell, "open the judges"):
        judges = similarities(recipe)
    ready = tuple(one for one in judges if not isinstance(one, Unavailable))
    missing = tuple(one.reason for one in judges if isinstance(one, Unavailable))
    for reason in missing:
        tell(Noted(reason))
    bench = Bench(
        editable,
        plan,
        subjects(plan),
        layers,
        k,
        erase or k,
        ready,
        recipe.seed,
        sigma,
        recipe.evaluate.max_new_tokens,
        recipe.evaluate.batch_size,
    )
    found = []
    with stage(tell, "compare", len(asked)) as advance:
        for variant in asked:
            start = perf_counter()
            ranked = variant.localizer.locate(editable, plan, layers, max(k, erase or k), tell)
            seconds = perf_counter() - start
            every = [layer_distribution(one, k, len(editable.layers)) for one in ranked]
            shares = tuple(sum(column) / len(every) for column in zip(*every, strict=True))
            table = figures(bench, variant.localizer, ranked, tell)
            found.append(Compared(variant.name, seconds, ranked, table, shares))
            advance(1, variant.name)
    common = tuple(
        tuple(
            sum(overlap(a, b, k) for a, b in zip(one.neurons, other.neurons, strict=True)) / len(plan.edits)
            for other in found
        )
        for one in found
    )
    words = tuple(", ".join(edit.sources) for edit in plan.edits)
    return Comparison(words, k, erase or k, tuple(found), common, missing)


def _counted(recipe: Recipe) -> int:
    """How many neurons count for each concept."""
    if recipe.locate.top == "all":
        raise UsageError("localizers are compared by their best neurons: give locate.top a number, such as 5")
    return recipe.locate.top
