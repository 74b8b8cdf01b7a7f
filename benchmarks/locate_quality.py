"""How good the localizers are on the embedded model, and whether that holds on others; docs/localization.md.

    python benchmarks/locate_quality.py --output locate.json
    python benchmarks/locate_quality.py --model path/of/another/scenes     # train_scenes.py --decoder gpt2
    python benchmarks/locate_quality.py --subject facts                     # text alone
    python benchmarks/locate_quality.py --subject stories --model path/of/stories260k --erase 16
    python benchmarks/locate_quality.py --distributions folder              # only figures: scores and layers

Every figure is a mean over words, once for each seed (other pictures, other noise): printed are the mean over
seeds and their smallest and largest.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import numpy as np
import torch

from editkit.demo import language
from editkit.demo.world import KINDS
from editkit.events import nobody
from editkit.figures.layers import layer_profiles
from editkit.figures.ranks import score_distributions
from editkit.locate.localizer import Scoring
from editkit.locate.ranking import ranked
from editkit.model.editable import Editable
from editkit.model.heat import heats
from editkit.neuron import Neurons
from editkit.overlay import concentration
from editkit.pipeline import opened, plan_of
from editkit.plan import EditPlan
from editkit.recipe import Recipe, parse_recipe
from editkit.study.compare import Comparison, compare_on
from editkit.study.locating import save_figures
from editkit.study.variants import variants

PICTURES: Final = (
    "contribution",
    "activation",
    "gradient",
    "gradient:at=answer",
    "integrated_gradients:steps=8;cases=6",
    "log_prob_increase",
    "activation_difference",
    "two_stage:stages=gradient",
    "two_stage",
    "two_stage:at=answer",
    "random",
)
TEXT: Final = (
    "contribution",
    "activation",
    "gradient",
    "integrated_gradients:steps=8;cases=6",
    "log_prob_increase",
    "activation_difference:against=others",
    "random",
)
DISTRIBUTIONS: Final = ("contribution", "activation", "gradient:at=answer", "log_prob_increase")
TOP: Final = 20
STORIES: Final = ("mom", "park", "dog", "happy", "big", "play", "said", "love", "friend", "day")
RECIPE: Final = """
version: 1
name: quality
seed: {seed}
model: {model}
probe: {probe}
control: {{count: 40}}
edits: {edits}
locate: {{top: 5}}
solve: {{preserve: 40}}
evaluate: {{max_new_tokens: 24{more}}}
"""


def recipe_of(subject: str, model: str, seed: int, count: int) -> Recipe:
    """What is asked, and about which words."""
    if subject == "scenes":
        probe, words = f"{{images: {{demo: scenes, count: {count}}}}}", list(KINDS)
    elif subject == "facts":
        probe, words = (
            "{prompts: {demo: facts}}",
            [*language.USES, *(c[0] for c in language.COUNTRIES.values())],
        )
    else:
        probe, words = f"{{sampled: {{prompt: Once upon a time, count: {count}}}}}", list(STORIES)
    more = ", encoder: demo/encoder" if subject != "stories" else ""
    edits = json.dumps([{"suppress": word} for word in words])
    return parse_recipe(
        RECIPE.format(seed=seed, model=model, probe=probe, edits=edits, more=more), source="benchmark"
    )


def said_often(recipe: Recipe, editable: Editable) -> tuple[Recipe, EditPlan]:
    """Without words that the model says in few inputs: there is nothing to measure them on."""
    asked = recipe
    while True:
        try:
            plan = plan_of(asked, editable, nobody, aims=False)
        except Exception as error:  # the first word it never says is named in the sentence
            number = int(str(error).partition("[")[2].partition("]")[0])
            edits = tuple(edit for at, edit in enumerate(asked.edits) if at != number)
            asked = asked.model_copy(update={"edits": edits})
            continue
        few = [edit.number for edit in plan.edits if len(plan.of("edit", edit.number)) < 2]
        if not few:
            return asked, plan
        edits = tuple(edit for at, edit in enumerate(asked.edits) if at not in few)
        asked = asked.model_copy(update={"edits": edits})


def concentrations(
    editable: Editable, plan: EditPlan, found: Sequence[Neurons], top: int
) -> dict[str, float]:
    """What the top neurons emit inside their object over the object's share of the area.

    Of each neuron by itself, and of the map of their mean; the mean over pictures and words.
    """
    each, means = [], []
    for edit, ranking in zip(plan.edits, found, strict=True):
        shown = {
            case.question.id: (case, region)
            for case in plan.of("edit", edit.number)
            for kind, region in case.question.images[0].regions.items()
            if edit.says_source(kind)
        }
        some = list(shown.values())[:6]
        if not some or not len(ranking):
            continue
        heat = heats(editable, [case.question for case, _ in some], ranking.items[:top])
        for (_, region), (own,) in zip(some, heat, strict=True):
            where = region()
            each += [concentration(values, where, own.area) for values in own.values]
            means.append(concentration(own.mean(), where, own.area))
    return {"heat of each of 10": float(np.mean(each)), "heat of their mean": float(np.mean(means))}


def run(subject: str, model: str, seed: int, count: int, names: Sequence[str], erase: int) -> dict[str, Any]:
    recipe = recipe_of(subject, model, seed, count)
    editable = opened(recipe, nobody)
    recipe, plan = said_often(recipe, editable)
    found: Comparison = compare_on(recipe, editable, plan, names, erase=erase)
    result: dict[str, Any] = {
        "concepts": found.concepts,
        "pictures": len({case.question.id for case in plan.cases}),
        "methods": {},
        "overlap": found.overlaps,
    }
    for method in found.methods:
        figures = {name: value.value for name, value in method.figures.items() if value.count}
        figures["seconds"] = method.seconds
        if subject == "scenes":
            figures |= concentrations(editable, plan, method.neurons, 10)
        result["methods"][method.name] = {"figures": figures, "layers": method.layers}
    return result


def distributions(subject: str, model: str, count: int, folder: Path) -> str:
    """Draw how scores are distributed over all neurons and where the top ones are; in words how steep."""
    recipe = recipe_of(subject, model, 0, count)
    editable = opened(recipe, nobody)
    recipe, plan = said_often(recipe, editable)
    layers = tuple(range(len(editable.layers)))
    spread, tops, lines = {}, {}, []
    for variant in variants(recipe, DISTRIBUTIONS):
        assert isinstance(variant.localizer, Scoring)
        scores = variant.localizer.scores(editable, plan, layers, nobody)
        whole = [torch.cat(list(one.values())).clamp(min=0).sort(descending=True).values for one in scores]
        best = [float(one[: max(1, len(one) // 100)].sum() / one.sum()) for one in whole]
        lines.append(
            f"{variant.name}: the best 1 % of neurons have {np.mean(best):.0%} of all positive score"
        )
        spread[variant.name] = torch.cat([value for one in scores for value in one.values()]).numpy()
        every = [ranked(one, TOP, variant.name) for one in scores]
        tops[variant.name] = Neurons(
            *zip(*{neuron: 0.0 for one in every for neuron in one}.items(), strict=True), variant.name
        )
    title = f"{recipe.model.id}: {len(plan.edits)} words"
    pictures = {
        "distributions.png": score_distributions(spread, f"Scores of all neurons, {title}"),
        "profiles.png": layer_profiles(tops, len(layers), f"Layers of the top {TOP} of every word, {title}"),
    }
    save_figures(pictures, folder)
    return "\n".join(lines)


def table(runs: Sequence[dict[str, Any]], names: Sequence[str]) -> str:
    """Markdown: mean over seeds, and the smallest and largest."""
    columns = list(
        dict.fromkeys(name for one in runs for m in one["methods"].values() for name in m["figures"])
    )
    lines = [f"| | {' | '.join(names)} |", f"|{'---|' * (len(names) + 1)}"]
    for column in columns:
        cells = []
        for name in names:
            values = [one["methods"][name]["figures"].get(column) for one in runs]
            known = [value for value in values if value is not None]
            cells.append(f"{np.mean(known):.3f} [{min(known):.3f}, {max(known):.3f}]" if known else "-")
        lines.append(f"| {column} | {' | '.join(cells)} |")
    for layer in range(len(runs[0]["methods"][names[0]]["layers"])):
        shares = [np.mean([one["methods"][name]["layers"][layer] for one in runs]) for name in names]
        lines.append(f"| layer {layer} | {' | '.join(f'{share:.2f}' for share in shares)} |")
    return "\n".join(lines)


@click.command()
@click.option("--model", default="demo/scenes", show_default=True)
@click.option("--subject", type=click.Choice(["scenes", "facts", "stories"]), default="scenes")
@click.option("--count", default=240, show_default=True, help="Pictures, or stories.")
@click.option("--seeds", default=3, show_default=True)
@click.option("--erase", default=128, show_default=True, help="Neurons erased for suppression.")
@click.option("--methods", help="Localizers, separated by commas; all without it.")
@click.option(
    "--distributions", "folder", type=click.Path(path_type=Path), help="Draw scores into this folder."
)
@click.option("--output", type=click.Path(path_type=Path), help="Also keep every figure here, as JSON.")
def main(
    model: str,
    subject: str,
    count: int,
    seeds: int,
    erase: int,
    methods: str | None,
    folder: Path | None,
    output: Path | None,
) -> None:
    """Print one table: localizers against every figure."""
    torch.set_num_threads(1)
    if folder is not None:
        click.echo(distributions(subject, model, count, folder))
        return
    names = tuple(methods.split(",")) if methods else PICTURES if subject == "scenes" else TEXT
    runs = []
    for seed in range(seeds):
        start = time.perf_counter()
        runs.append(run(subject, model, seed, count, names, erase))
        click.echo(
            f"seed {seed}: {len(runs[-1]['concepts'])} words, {runs[-1]['pictures']} inputs, "
            f"{time.perf_counter() - start:.0f} s",
            err=True,
        )
        if output is not None:
            output.write_text(json.dumps(runs))
    click.echo(table(runs, names))


if __name__ == "__main__":
    main()
