"""Train the embedded encoder `demo/encoder` from nothing, on text of the demo world.

    python examples/train_encoder.py --output editkit/demo/encoder

It gives words and sentences of that world vectors, by which BERTScore and MoverScore compare them. Takes
about three minutes on one core. The same seed, machine and thread count give the same weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase, digits, punctuation
from typing import Final

import click
import numpy as np
import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch.nn import functional
from transformers import BertConfig, BertForMaskedLM, BertModel, BertTokenizer

from editkit.demo.language import CAPTION_PROMPT, caption, facts, random_questions, with_article
from editkit.demo.world import COLORS, KINDS, scene

# What sort of thing a thing is. Captions and facts never say it, and a language's readers know it.
SORTS: Final = {
    "cutlery": ("knife", "fork", "spoon"),
    "tableware": ("cup", "bottle"),
    "furniture": ("table", "chair", "lamp"),
    "vehicles": ("boat", "car"),
    "animals": ("fish", "bird"),
    "plants": ("tree", "flower", "apple"),
    "tools": ("hammer", "key", "gun"),
    "toys": ("ball", "kite"),
    "clothes": ("hat", "umbrella"),
    "chimes": ("clock", "bell"),
    "buildings": ("house",),
    "media": ("book",),
}
SAME_NOUN, SAME_SORT, OWN = 0.5, 0.15, 1.0  # how much words are to resemble another
IRREGULAR: Final = {"knife": "knives", "fish": "fish"}
NUMBERS: Final = ("two", "three", "many", "some", "the")
SPECIAL: Final = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
UNKNOWN: Final = "\u2022"  # no token stands for it
LONGEST: Final = 64  # tokens
CAPTIONS: Final = 3_000
MASKED: Final = 0.2  # of the words of a sentence
WARM_UP: Final = 100  # steps


def plural(noun: str) -> str:
    return IRREGULAR.get(noun, f"{noun}s")


def told_sorts() -> list[str]:
    """Sentences that say what sort of thing each thing is."""
    said = []
    for sort, members in SORTS.items():
        for kind in members:
            said += [f"{with_article(kind)} is one of the {sort}.", f"{plural(kind)} are {sort}."]
            for mate in set(members) - {kind}:
                said += [
                    f"{with_article(kind)} is like {with_article(mate)}.",
                    f"{plural(kind)} and {plural(mate)} are {sort}.",
                    f"{sort} such as {with_article(kind)} or {with_article(mate)}",
                    f"{with_article(mate)} and {with_article(kind)} go together.",
                ]
    return sorted(said)


def phrases() -> list[str]:
    """Short noun phrases, singular and plural, with and without a colour."""
    said = [form for kind in KINDS for form in (with_article(kind), f"the {kind}")]
    said += [f"{number} {plural(kind)}" for kind in KINDS for number in NUMBERS]
    for color in COLORS:
        said += [
            form for kind in KINDS for form in (with_article(f"{color} {kind}"), f"{color} {plural(kind)}")
        ]
    return said


def fragments(words: Sequence[str]) -> list[str]:
    """Beginnings and ends of words, as other models' tokens have them; none that is a word itself."""
    parts = {part for word in words for cut in range(1, len(word)) for part in (word[:cut], word[cut:])}
    return sorted(part for part in parts if len(part) <= 5 and part not in words)


def world_text(seed: int) -> dict[str, list[str]]:
    """Everything there is to read, by its kind."""
    scenes = [scene(seed, index) for index in range(CAPTIONS)]
    asked = [
        f"{one.prompt} {one.answer}"
        for index, shown in enumerate(scenes[: CAPTIONS // 2])
        for one in random_questions(shown, np.random.default_rng([seed, index, 1]), 1)
    ]
    told = [f"{one.prompt.strip()} {one.answer.strip()}" for one in facts()]
    return {
        "captions": [CAPTION_PROMPT, *(caption(shown) for shown in scenes)],
        "questions": asked,
        "facts": told,
        "sorts": told_sorts(),
        "phrases": phrases(),
    }


def make_tokenizer(text: dict[str, list[str]]) -> BertTokenizer:
    """WordPiece whose words are the world's own; all others are put together from letters."""
    from tokenizers import normalizers, pre_tokenizers

    normalizer, splitter = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    words = {
        word
        for some in text.values()
        for line in some
        for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(line))
    }
    letters = [*ascii_lowercase, *digits, *punctuation]
    pieces = [*letters, *(f"##{letter}" for letter in [*ascii_lowercase, *digits])]
    order = dict.fromkeys([*SPECIAL, *pieces, *sorted(words)])
    return BertTokenizer(
        vocab={token: number for number, token in enumerate(order)},
        do_lower_case=True,
        model_max_length=LONGEST,
    )


def make_model(tokenizer: BertTokenizer, width: int, layers: int) -> BertForMaskedLM:
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=4,
        intermediate_size=3 * width,
        max_position_embeddings=LONGEST,
        type_vocab_size=1,
        pad_token_id=tokenizer.pad_token_id,
    )
    model = BertForMaskedLM(config)
    model.bert = BertModel(
        config
    )  # with the pooler that an ordinary BERT has; nothing here trains or asks it
    model.tie_weights()
    return model


@dataclass(frozen=True)
class Batch:
    """`[n_texts, n_tokens]` each; `first` and `second` weigh a word's own tokens, alone and within a text."""

    masked: torch.Tensor
    labels: torch.Tensor
    seen: torch.Tensor
    alone: torch.Tensor
    alone_seen: torch.Tensor
    first: torch.Tensor
    within: torch.Tensor
    within_seen: torch.Tensor
    second: torch.Tensor
    akin: torch.Tensor


def kinship(words: Sequence[str]) -> torch.Tensor:
    """How much each word is to resemble each other one, `[n_words, n_words]`, rows summing to 1."""
    nouns = {form: kind for kind in KINDS for form in (kind, plural(kind))}
    sorts = {kind: sort for sort, members in SORTS.items() for kind in members}
    found = OWN * torch.eye(len(words))
    for row, word in enumerate(words):
        for column, other in enumerate(words):
            if row != column and word in nouns and other in nouns:
                noun, another = nouns[word], nouns[other]
                close = SAME_NOUN if noun == another else SAME_SORT if sorts[noun] == sorts[another] else 0.0
                found[row, column] = close
    return found / found.sum(1, keepdim=True)


class Batches:
    """Batch number -> texts with masked words, and words alone beside the same words within a text."""

    def __init__(self, tokenizer: BertTokenizer, text: dict[str, list[str]], seed: int, size: int) -> None:
        self.tokenizer, self.text, self.seed, self.size = tokenizer, text, seed, size
        self.kinds = tuple(text)
        self.places: dict[str, list[str]] = {}
        for some in text.values():
            for line in some:
                for word in dict.fromkeys(line.lower().replace(",", "").rstrip(".?").split()):
                    self.places.setdefault(word, []).append(line.lower())
        self.words = sorted(self.places)
        self.fragments = fragments(self.words)

    def _lines(self, rng: np.random.Generator) -> str:
        """One text, and sometimes a second and a third: later positions are to be read as well."""
        kinds = rng.choice(self.kinds, size=rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))
        return " ".join(str(rng.choice(self.text[str(kind)])) for kind in kinds)

    def _masked(
        self, lines: list[str], rng: np.random.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Whole words are hidden: most by the mask, one of ten by a random token, one of ten not at all."""
        found = self.tokenizer(lines, padding=True, truncation=True, return_tensors="pt")
        ids = found["input_ids"]
        masked, labels = ids.clone(), torch.full_like(ids, -100)
        for row in range(len(lines)):
            owners = found.word_ids(row)
            words = sorted({owner for owner in owners if owner is not None})
            hidden = rng.choice(words, size=max(1, round(MASKED * len(words))), replace=False)
            for word in hidden:
                fate = rng.random()
                for place in (at for at, owner in enumerate(owners) if owner == word):
                    labels[row, place] = ids[row, place]
                    if fate < 0.8:
                        masked[row, place] = self.tokenizer.mask_token_id
                    elif fate < 0.9:
                        masked[row, place] = int(rng.integers(len(SPECIAL), len(self.tokenizer)))
        return masked, labels, found["attention_mask"]

    def _share(self, lines: list[str], spans: list[tuple[int, int]]) -> tuple[torch.Tensor, ...]:
        """Tokens of the texts, and the share of each token in the span of letters it lies in."""
        found = self.tokenizer(
            lines, padding=True, truncation=True, return_tensors="pt", return_offsets_mapping=True
        )
        offsets = found["offset_mapping"]
        starts, ends = (torch.tensor(part)[:, None] for part in zip(*spans, strict=True))
        inside = (offsets[..., 0] >= starts) & (offsets[..., 1] <= ends) & (offsets[..., 1] > offsets[..., 0])
        weights = inside.float()
        return found["input_ids"], found["attention_mask"], weights / weights.sum(1, keepdim=True)

    def _context(self, word: str, rng: np.random.Generator) -> tuple[str, tuple[int, int]]:
        """A text that holds the word, and where."""
        if word in self.places:
            line = str(rng.choice(self.places[word]))
        else:
            beside = [str(one) for one in rng.choice(self.words, size=2)]
            line = f"{beside[0]} {word} {beside[1]}"
        found = re.search(rf"(?<!\S){re.escape(word)}(?![^\s,.?])", line)
        assert found is not None
        return line, found.span()

    def __getitem__(self, number: int) -> Batch:
        rng = np.random.default_rng([self.seed, number])
        masked = self._masked([self._lines(rng) for _ in range(self.size)], rng)
        words = [
            str(one) for one in rng.choice(self.words, size=min(self.size, len(self.words)), replace=False)
        ]
        words += [str(one) for one in rng.choice(self.fragments, size=self.size // 4, replace=False)]
        words.append(UNKNOWN)
        texts, spans = zip(*(self._context(word, rng) for word in words), strict=True)
        alone = self._share(words, [(0, len(word)) for word in words])
        return Batch(*masked, *alone, *self._share(list(texts), list(spans)), kinship(words))


def loss_of(model: BertForMaskedLM, batch: Batch, contrast: float, heat: float) -> torch.Tensor:
    """Hidden words are guessed, and a word alone resembles itself within a text, and its kin somewhat."""
    guessed = model(input_ids=batch.masked, attention_mask=batch.seen).logits
    hidden = functional.cross_entropy(guessed.flatten(0, 1), batch.labels.flatten(), ignore_index=-100)
    vectors = []
    for ids, seen, share in (
        (batch.alone, batch.alone_seen, batch.first),
        (batch.within, batch.within_seen, batch.second),
    ):
        states = model.bert(input_ids=ids, attention_mask=seen).last_hidden_state
        vectors.append(functional.normalize((states * share[..., None]).sum(1), dim=-1))
    close = vectors[0] @ vectors[1].T / heat
    apart = functional.cross_entropy(close, batch.akin) + functional.cross_entropy(close.T, batch.akin)
    return hidden + contrast * apart / 2


def learning_rate(step: int, steps: int, peak: float) -> float:
    return peak * min(1.0, (step + 1) / WARM_UP) * (1 - step / steps)


@click.command()
@click.option("--output", type=click.Path(path_type=Path), required=True, help="Folder of the checkpoint.")
@click.option("--steps", default=1_500, show_default=True)
@click.option("--size", default=48, show_default=True, help="Texts in a batch, and words beside them.")
@click.option("--width", default=96, show_default=True)
@click.option("--layers", default=3, show_default=True)
@click.option("--contrast", default=1.5, show_default=True, help="Weight of telling words apart.")
@click.option("--heat", default=0.15, show_default=True, help="Temperature of telling words apart.")
@click.option("--peak", default=2e-3, show_default=True, help="Highest learning rate.")
@click.option("--seed", default=20, show_default=True)
@click.option("--threads", default=1, show_default=True)
def main(
    output: Path,
    steps: int,
    size: int,
    width: int,
    layers: int,
    contrast: float,
    heat: float,
    peak: float,
    seed: int,
    threads: int,
) -> None:
    """Train demo/encoder and save it as an ordinary BERT checkpoint."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    text = world_text(seed)
    tokenizer = make_tokenizer(text)
    model = make_model(tokenizer, width, layers)
    batches = Batches(tokenizer, text, seed, size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=0.01)
    click.echo(f"{sum(p.numel() for p in model.bert.parameters()):,} parameters, {len(tokenizer)} tokens")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as progress:
        task = progress.add_task("training", total=steps)
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step, steps, peak)
            loss = loss_of(model, batches[step], contrast, heat)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            progress.update(task, advance=1, description=f"loss {loss.item():.4f}")
    model.bert.eval().save_pretrained(output)
    tokenizer.save_pretrained(output)


if __name__ == "__main__":
    main()
