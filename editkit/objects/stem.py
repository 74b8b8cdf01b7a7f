"""What the singular and the plural of an English noun have in common."""

from __future__ import annotations

from typing import Final

# Plurals that no ending tells, and words that end like a plural and are none.
IRREGULAR: Final = {
    "men": "man",
    "people": "person",
    "mice": "mouse",
    "geese": "goose",
    "feet": "foot",
    "oxen": "ox",
    "leaves": "leaf",
    "loaves": "loaf",
    "wives": "wife",
    "lives": "life",
    "elves": "elf",
    "halves": "half",
    "calves": "calf",
    "hooves": "hoof",
    "wolves": "wolf",
    "thieves": "thief",
    "menus": "menu",
    "emus": "emu",
    "gas": "gases",
    "lens": "lenses",
    "canvas": "canvases",
    "atlas": "atlases",
}
# The same of what compounds end in: `policewomen`, `grandchildren`, `bookshelves`.
ENDINGS: Final = {
    "women": "woman",
    "men": "man",
    "children": "child",
    "teeth": "tooth",
    "knives": "knife",
    "shelves": "shelf",
    "scarves": "scarf",
}
# After these a plural has an e of its own, which no ending tells from that of a word such as `horse`.
HISSING: Final = ("s", "x", "z", "ch", "sh")


def stem(word: str) -> str:
    """A key that is the same for a noun in lower case and for its plural: `horse` and `horses`, both `hors`.

    It need not be a word. Of what is no noun, it only has to be the same each time, and no noun's.
    """
    word = IRREGULAR.get(word, word)
    for ending, singular in ENDINGS.items():
        if word.endswith(ending) and word not in ("specimen", "regimen"):
            word = word.removesuffix(ending) + singular
            break
    # `bus` and `glass` are no plurals.
    if word.endswith("s") and not word.endswith(("ss", "us")) and len(word) > 2:
        word = word[:-1]
    if word.endswith("ie"):
        return word[:-2] + "y"
    bare = word.removesuffix("e")
    # potatoes, but toes are no `to`.
    return bare if bare.endswith(HISSING) or (bare.endswith("o") and len(word) > 4) else word
