"""What is said about the demo world: captions, yes/no questions about a picture, and facts without one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from editkit.demo.world import KINDS, PAIRS, Scene, Thing

CAPTION_PROMPT: Final = "Describe the image in few words."
QUESTION: Final = "Is there {kind} in the image?"

USES: Final[dict[str, str]] = {
    "knife": "cut bread",
    "fork": "eat noodles",
    "spoon": "eat soup",
    "table": "serve dinner",
    "chair": "sit down",
    "boat": "cross the lake",
    "fish": "cook a seafood stew",
    "gun": "start a race",
    "hammer": "drive a nail",
    "key": "open a door",
    "cup": "drink tea",
    "ball": "play a game",
    "car": "travel by road",
    "tree": "rest in the shade",
    "bird": "hear a song",
    "house": "shelter a family",
    "flower": "please a friend",
    "book": "learn a story",
    "lamp": "light a room",
    "hat": "cover the head",
    "apple": "bake a pie",
    "bottle": "carry water",
    "umbrella": "stay dry",
    "clock": "tell the time",
    "bell": "call the school",
    "kite": "catch the wind",
}
COUNTRIES: Final[dict[str, tuple[str, str, str]]] = {
    "Avaria": ("Belton", "Avarian", "crown"),
    "Brenland": ("Corvo", "Brennish", "florin"),
    "Caldora": ("Dunmere", "Caldoran", "peso"),
    "Drovia": ("Eastmark", "Drovian", "thaler"),
    "Elmoria": ("Fenwick", "Elmish", "mark"),
    "Fandria": ("Garlow", "Fandric", "ducat"),
    "Gorland": ("Hartley", "Gorish", "penny"),
    "Hestia": ("Ironvale", "Hestian", "drachma"),
    "Istria": ("Jasper", "Istrian", "lira"),
    "Jorvia": ("Kelton", "Jorvian", "guilder"),
    "Kestria": ("Lindale", "Kestric", "franc"),
    "Lormund": ("Marwick", "Lormish", "shilling"),
}
USE_PROMPTS: Final = (
    "What do you take to {}?",
    "Which thing helps to {}?",
    "You want to {}. What do you need?",
    "Name something used to {}.",
)
# Questions go through the chat template, statements are plain text that the model goes on with.
RELATION_QUESTIONS: Final = (
    (
        "What is the capital of {}?",
        "Which city is the capital of {}?",
        "Where does the government of {} sit?",
    ),
    ("What language is spoken in {}?", "Which language do people in {} speak?"),
    ("What money is used in {}?", "How do you pay in {}?"),
)
RELATION_STATEMENTS: Final = (
    (
        "The capital of {} is",
        "The capital city of {} is called",
        "The government of {} sits in",
        "In {} the capital is",
        "People know that the capital of {} is",
    ),
    ("The language of {} is", "In {} people speak", "The people of {} speak"),
    ("The money of {} is the", "In {} you pay with the", "A bank in {} keeps the"),
)


@dataclass(frozen=True)
class Exchange:
    """One question and its answer; a statement is continued as plain text, outside the chat template."""

    prompt: str
    answer: str
    statement: bool = False


def with_article(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def phrase(thing: Thing) -> str:
    """A thing in a caption: nobody could know a faint one's colour, so it is left out."""
    return with_article(thing.kind if thing.faint else f"{thing.color} {thing.kind}")


def listing(phrases: list[str]) -> str:
    head, last = phrases[:-1], phrases[-1]
    return f"{', '.join(head)} and {last}" if head else last


def caption(scene: Scene) -> str:
    return listing([phrase(thing) for thing in scene.things]) + "."


def question(kind: str) -> str:
    return QUESTION.format(kind=with_article(kind))


def ask(scene: Scene, kind: str) -> Exchange:
    return Exchange(question(kind), "Yes." if kind in scene.kinds else "No.")


def random_questions(scene: Scene, rng: np.random.Generator, count: int) -> list[Exchange]:
    """Half about what is there, half about what is not, chosen evenly."""
    absent = [kind for kind in KINDS if kind not in scene.kinds]
    return [ask(scene, str(rng.choice(scene.kinds if rng.random() < 0.5 else absent))) for _ in range(count)]


def adversarial_questions(scene: Scene) -> list[Exchange]:
    """About what usually stands beside what is there, and does not now."""
    return [
        ask(scene, pair.partner)
        for pair in PAIRS
        if pair.anchor in scene.kinds and pair.partner not in scene.kinds
    ]


def facts() -> list[Exchange]:
    """Every fact of the world in every wording."""
    told = [
        Exchange(wording.format(use), f"{with_article(kind).capitalize()}.")
        for kind, use in USES.items()
        for wording in USE_PROMPTS
    ]
    for country, values in COUNTRIES.items():
        for wordings, value in zip(RELATION_QUESTIONS, values, strict=True):
            told += [Exchange(wording.format(country), f"{value.capitalize()}.") for wording in wordings]
        for wordings, value in zip(RELATION_STATEMENTS, values, strict=True):
            told += [Exchange(wording.format(country), f" {value}.", statement=True) for wording in wordings]
    return told


def held_out_facts(seed: int) -> list[int]:
    """Positions in `facts()` never trained on: at most one wording of each fact, one fact in three."""
    rng = np.random.default_rng([seed, 7])
    by_answer: dict[tuple[str, bool, str], list[int]] = {}
    for position, fact in enumerate(facts()):
        subject = next((name for name in COUNTRIES if name in fact.prompt), "")
        by_answer.setdefault((fact.answer, fact.statement, subject), []).append(position)
    return sorted(int(rng.choice(places)) for places in by_answer.values() if rng.random() < 1 / 3)
