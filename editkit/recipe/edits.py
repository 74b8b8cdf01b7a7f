"""The three kinds of edit: lose a word, say another one instead, state another fact."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, Tag, model_validator

from editkit.recipe.parts import Lines, Part, Text, Word, Words, wanting
from editkit.recipe.problems import refused

NEXT_BEST: Final = "next_best"
When = Literal["everywhere", "absent"]


class Suppress(Part):
    """Never say these words: say the next best thing, or the replacement."""

    kind: ClassVar[Literal["suppress"]] = "suppress"
    suppress: Words = Field(description="the words to lose")
    replacement: Word = Field(NEXT_BEST, alias="with", description="next_best, or what to say instead")
    when: When = "everywhere"

    @property
    def sources(self) -> tuple[str, ...]:
        return self.suppress

    @property
    def targets(self) -> tuple[str, ...]:
        """What to say instead; empty: the next best."""
        return () if self.replacement == NEXT_BEST else (self.replacement,)

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.replacement.casefold() in (word.casefold() for word in self.suppress):
            raise refused("the replacement is a word to lose", ("with",))
        return self


class Pair(Part):
    source: Word = Field(alias="from", description="the word to lose")
    target: Word = Field(alias="to", description="the word to say instead")

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.source.casefold() == self.target.casefold():
            raise refused("the same word as from", ("to",))
        return self


class Map(Part):
    """Say one word instead of another."""

    kind: ClassVar[Literal["map"]] = "map"
    map: Pair
    when: When = "everywhere"

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.map.source,)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.map.target,)


class Fact(Part):
    prompt: Text = Field(description="the text the model goes on from")
    source: Word = Field(alias="from", description="what it says now")
    target: Word = Field(alias="to", description="what it shall say")
    paraphrases: Lines = Field((), description="other prompts that ask the same; only scored")
    neighbors: Lines = Field((), description="prompts whose answers must stay as they are")

    @model_validator(mode="after")
    def _moves(self) -> Self:
        if self.source.casefold() == self.target.casefold():
            raise refused("the same as from", ("to",))
        if self.prompt in self.paraphrases:
            raise refused("the same as prompt", ("paraphrases", self.paraphrases.index(self.prompt)))
        for at, neighbor in enumerate(self.neighbors):
            if neighbor == self.prompt or neighbor in self.paraphrases:
                raise refused("also asked as the prompt or a paraphrase", ("neighbors", at))
        return self


class Rewrite(Part):
    """Go on from one prompt, and from others that ask the same, with another answer."""

    kind: ClassVar[Literal["rewrite"]] = "rewrite"
    when: ClassVar[When] = "everywhere"
    rewrite: Fact

    @property
    def sources(self) -> tuple[str, ...]:
        return (self.rewrite.source,)

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.rewrite.target,)


Edit = Annotated[
    Annotated[Suppress, Tag("<suppress>")]
    | Annotated[Map, Tag("<map>")]
    | Annotated[Rewrite, Tag("<rewrite>")],
    wanting("an edit: suppress, map or rewrite", "suppress", "map", "rewrite"),
]


def compatible(edits: tuple[Edit, ...]) -> tuple[Edit, ...]:
    """Refuse edits that ask for the same thing twice, or for a word that another one takes away."""
    asked: dict[tuple[bool, str], int] = {}
    lost: dict[str, int] = {}
    for at, edit in enumerate(edits):
        words = [word.casefold() for word in edit.sources]
        if edit.kind == "suppress":
            lost.update(dict.fromkeys(words, at))
        for thing in [edit.rewrite.prompt] if edit.kind == "rewrite" else words:
            first = asked.setdefault((edit.kind == "rewrite", thing), at)
            if first != at:
                raise refused(f"asks again for what edits[{first}] asks for", (at,))
    for at, edit in enumerate(edits):
        for target in edit.targets:
            if lost.get(target.casefold(), at) != at:
                raise refused(f"says what edits[{lost[target.casefold()]}] suppresses", (at,))
    return edits
