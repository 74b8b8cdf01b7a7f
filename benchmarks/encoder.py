"""How near words and captions of the demo world are to each other for the encoder that ships.

    python benchmarks/encoder.py

Every row gives the mean and the 5th and 95th percentiles, of BERTScore for each layer and of MoverScore for
the layer that is used.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Container, Sequence
from itertools import combinations, product
from pathlib import Path

import click
import numpy as np

from editkit.demo.language import COUNTRIES, caption
from editkit.demo.sets import scenes
from editkit.demo.world import COLORS, KINDS, PAIRS
from editkit.evaluate.similarity.bertscore import BertScore
from editkit.evaluate.similarity.encoder import open_encoder
from editkit.evaluate.similarity.moverscore import MoverScore
from editkit.model.open import open_model
from editkit.recipe import ModelRef

TRAINING = Path(__file__).parents[1] / "examples" / "train_encoder.py"
Pairs = list[tuple[str, str]]


def swapped(text: str, rng: np.random.Generator) -> str:
    """A caption with one of its nouns replaced by another of any sort."""
    words = text.rstrip(".").replace(",", " ,").split()
    places = [at for at, word in enumerate(words) if word in KINDS]
    words[int(rng.choice(places))] = str(rng.choice([kind for kind in KINDS if kind not in words]))
    return " ".join(words).replace(" ,", ",") + "."


def rows(tokens: Sequence[str], words: Container[str]) -> dict[str, Pairs]:
    """The pairs of each row of the table.

    Args:
        tokens: what the edited model's tokens decode to; `words` are those the encoder knows whole.
    """
    training = runpy.run_path(str(TRAINING))
    sort = {kind: name for name, members in training["SORTS"].items() for kind in members}
    plural: Callable[[str], str] = training["plural"]
    partners = {frozenset((pair.anchor, pair.partner)) for pair in PAIRS}
    kinds = list(combinations(KINDS, 2))
    apart = [pair for pair in kinds if sort[pair[0]] != sort[pair[1]] and frozenset(pair) not in partners]
    rng = np.random.default_rng(0)
    captions = list(dict.fromkeys(caption(shown) for shown in scenes("scenes", 300, 0)))
    return {
        "upper and lower case": [(kind.upper(), kind) for kind in KINDS],
        "plural and singular": [(plural(kind), kind) for kind in KINDS],
        "two of one sort (fork, spoon)": [pair for pair in kinds if sort[pair[0]] == sort[pair[1]]],
        "partners in pictures (boat, fish)": [(pair.anchor, pair.partner) for pair in PAIRS],
        "two things of no kin (fork, boat)": apart,
        "two colours": list(combinations(COLORS, 2)),
        "a thing and a colour": list(product(KINDS, COLORS)),
        "a thing and a country": list(product(KINDS, COUNTRIES)),
        "a thing and a token that is no word": [
            (token, str(rng.choice(KINDS)))
            for token in dict.fromkeys(token.strip() for token in tokens)
            if token.isascii() and token.isalpha() and (token.lower() not in words or len(token) == 1)
        ],
        "a caption with one noun swapped": [(text, swapped(text, rng)) for text in captions],
        "two captions": list(zip(captions, [*captions[1:], captions[0]], strict=True)),
    }


def spread(figures: Sequence[float]) -> str:
    low, high = np.quantile(figures, (0.05, 0.95))
    return f"{np.mean(figures):.2f} [{low:.2f}, {high:.2f}]"


@click.command()
def main() -> None:
    """Print the table of docs/design/encoder.md."""
    tokenizer = open_model(ModelRef(id="demo/scenes")).tokenizer
    ref = ModelRef(id="demo/encoder")
    words = open_encoder(ref).tokenizer.get_vocab()
    found = rows([tokenizer.decode([token]) for token in range(len(tokenizer))], words)
    scores = [BertScore(open_encoder(ref, layer)) for layer in (1, 2, 3)] + [MoverScore(open_encoder(ref))]
    click.echo("| pairs | count | BERTScore, layer 1 | layer 2 | layer 3 | MoverScore, layer 3 |")
    click.echo("|---|---|---|---|---|---|")
    for name, pairs in found.items():
        candidates, references = (list(side) for side in zip(*pairs, strict=True))
        cells = [spread(score(candidates, references)) for score in scores]
        click.echo(f"| {name} | {len(pairs)} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
