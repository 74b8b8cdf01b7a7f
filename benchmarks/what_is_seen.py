"""How well a linear probe tells a partner from its rival, in what leaves each layer before the noun is said.

python benchmarks/what_is_seen.py [CHECKPOINT]

What the model can't tell apart, no edit can teach it to say apart.
"""

from __future__ import annotations

import click
import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from editkit.demo import language, world
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs
from editkit.model.open import open_model
from editkit.plan import Question
from editkit.probe.questions import question
from editkit.probe.scenes import picture
from editkit.recipe import ModelRef

SEED, BATCH = 77, 50


def asked(editable: Editable, number: int, count: int) -> tuple[list[Question], list[list[int]]]:
    """Pictures of a pair's partner, then as many of its rival, each with its true caption up to the noun."""
    pair, questions, said = world.PAIRS[number], [], []
    for label, kind in enumerate((pair.partner, pair.rival)):
        for index in range(count):
            shown = world.pair_scene(np.random.default_rng([SEED, number, label, index]), pair, kind)
            caption = f" {language.caption(shown)}"
            before = caption[: caption.find(kind)].rstrip()
            before = before.removesuffix(" an") + (" a" if before.endswith(" an") else "")
            questions.append(question(language.CAPTION_PROMPT, [picture("", shown)], chat=True))
            said.append(editable.tokenizer.encode(before, add_special_tokens=False))
    return questions, said


@torch.no_grad()
def hidden(editable: Editable, questions: list[Question], said: list[list[int]]) -> list[NDArray[np.float32]]:
    """What leaves each layer where the noun is to come, `[n, d_model]`."""
    found: list[list[NDArray[np.float32]]] = [[] for _ in editable.layers]
    for start in range(0, len(questions), BATCH):
        fed = feed(editable, questions[start : start + BATCH], said[start : start + BATCH])
        left: list[torch.Tensor] = []
        hooks = [
            layer.register_forward_hook(
                lambda m, given, out, left=left: left.append(out[0] if isinstance(out, tuple) else out)
            )
            for layer in editable.layers
        ]
        editable.model(**call_inputs(editable, fed))
        for hook in hooks:
            hook.remove()
        for row, length in enumerate(fed.lengths):
            for layer, values in enumerate(left):
                found[layer].append(values[row, fed.n_prompt - 1 + length].numpy())
    return [np.stack(rows) for rows in found]


@click.command()
@click.argument("checkpoint", default="demo/scenes")
@click.option("--count", default=250, show_default=True, help="Pictures of each of the two.")
def main(checkpoint: str, count: int) -> None:
    """Print the probe's accuracy for every pair and layer, five-fold."""
    editable = open_model(ModelRef(id=checkpoint))
    layers = range(len(editable.layers))
    table = Table("pair", *(f"layer {layer}" for layer in layers))
    for number, pair in enumerate(world.PAIRS):
        labels = np.repeat([0, 1], count)
        accuracies = [
            cross_val_score(LogisticRegression(max_iter=2000), values / values.std(), labels, cv=5).mean()
            for values in hidden(editable, *asked(editable, number, count))
        ]
        name = f"{pair.anchor}: {pair.partner} or {pair.rival}"
        table.add_row(name, *(f"{value:.3f}" for value in accuracies))
    Console().print(table)


if __name__ == "__main__":
    main()
