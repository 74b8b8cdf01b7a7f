"""How well the embedded model sees, and what it gets wrong, on pictures it was never trained on.

python benchmarks/demo_model.py [CHECKPOINT]
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import click
import numpy as np
from rich.console import Console
from rich.table import Table

from editkit.demo import language, sets, world
from editkit.model.editable import Editable
from editkit.model.generate import answers
from editkit.model.open import open_model
from editkit.plan import Question
from editkit.probe.questions import question
from editkit.probe.scenes import picture
from editkit.recipe import ModelRef

SEED = 5


def said_kinds(text: str) -> set[str]:
    return {kind for kind in world.KINDS if re.search(rf"\b{kind}\b", text)}


def ask(editable: Editable, questions: Sequence[Question]) -> list[str]:
    return [answer.text.strip() for answer in answers(editable, questions, max_new_tokens=32)]


def captions(editable: Editable, scenes: Sequence[world.Scene]) -> list[str]:
    return ask(
        editable, [question(language.CAPTION_PROMPT, [picture("", scene)], chat=True) for scene in scenes]
    )


def yes_no(editable: Editable, asked: Sequence[tuple[world.Scene, language.Exchange]]) -> float:
    said = ask(editable, [question(ask.prompt, [picture("", scene)], chat=True) for scene, ask in asked])
    return float(np.mean([text == ask.answer for text, (_, ask) in zip(said, asked, strict=True)]))


def clear(editable: Editable, count: int) -> dict[str, float]:
    shown = sets.scenes("clear", count, SEED)
    said = captions(editable, shown)
    hits = sum(len(said_kinds(text) & set(scene.kinds)) for text, scene in zip(said, shown, strict=True))
    exact = [text == language.caption(scene) for text, scene in zip(said, shown, strict=True)]
    return {
        "clear objects: recall": hits / sum(len(scene.kinds) for scene in shown),
        "clear objects: precision": hits / sum(len(said_kinds(text)) for text in said),
        "clear objects: caption exactly right": float(np.mean(exact)),
    }


def faults(editable: Editable, count: int) -> dict[str, float]:
    found = {}
    for number, pair in enumerate(world.PAIRS):
        for name, right in (("absent", None), ("rival", pair.rival), ("present", pair.partner)):
            rngs = [np.random.default_rng([sets.FIRST_SEED, SEED, number, index]) for index in range(count)]
            said = captions(editable, [world.pair_scene(rng, pair, right) for rng in rngs])
            what = {"absent": "nothing there", "rival": f"a {right} there", "present": "truly there"}[name]
            rate = float(np.mean([pair.partner in said_kinds(text) for text in said]))
            found[f"{pair.anchor}: {pair.partner} said, {what}"] = rate
    return found


def questions(editable: Editable, count: int) -> dict[str, float]:
    rng = np.random.default_rng(SEED)
    usual = [
        (scene, ask)
        for scene in sets.scenes("scenes", count, SEED)
        for ask in language.random_questions(scene, rng, 2)
    ]
    lone = [
        (scene, ask)
        for scene in sets.scenes("pairs", 2 * count, SEED)
        for ask in language.adversarial_questions(scene)
    ]
    return {
        "yes/no, random questions": yes_no(editable, usual),
        "yes/no, adversarial questions": yes_no(editable, lone),
    }


def told(editable: Editable) -> dict[str, float]:
    facts = language.facts()
    said = ask(editable, [question(fact.prompt, chat=not fact.statement) for fact in facts])
    right = [text == fact.answer.strip() for text, fact in zip(said, facts, strict=True)]
    unseen = language.held_out_facts(20)
    return {
        "facts, all wordings": float(np.mean(right)),
        "facts, wordings never trained": float(np.mean([right[index] for index in unseen])),
    }


def guns(editable: Editable, count: int) -> dict[str, float]:
    said = captions(editable, sets.scenes("guns", count, SEED))
    return {"gun named in its pictures": float(np.mean(["gun" in said_kinds(text) for text in said]))}


def measure(editable: Editable, count: int) -> dict[str, float]:
    return {
        **clear(editable, count),
        **guns(editable, count),
        **faults(editable, count // 4),
        **questions(editable, count // 2),
        **told(editable),
    }


@click.command()
@click.argument("checkpoint", default="demo/scenes")
@click.option("--count", default=600, show_default=True, help="Pictures of the largest set.")
def main(checkpoint: str, count: int) -> None:
    """Print what the model sees and what it invents."""
    table = Table("what", "measured")
    for name, value in measure(open_model(ModelRef(id=checkpoint)), count).items():
        table.add_row(name, f"{value:.3f}")
    Console().print(table)


if __name__ == "__main__":
    main()
