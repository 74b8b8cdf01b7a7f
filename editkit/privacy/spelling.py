"""Every written form of some words, found in any text."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from editkit.probe.words import written

INVISIBLE: Final = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def folded(text: str) -> str:
    """Text in which equal words are equal characters: compatibility forms are one, nothing is invisible."""
    return text if text.isascii() else INVISIBLE.sub("", unicodedata.normalize("NFKC", text))


def spelled(words: tuple[str, ...], *, numbered: bool = False) -> re.Pattern[str] | None:
    """Finds every written form of these words in a folded text, whole words only, in any case.

    Group n+1 is what was found of word n; see `number`.

    Args:
        numbered: digits part words too, as in names of files: `gun1.png`. Then digests are found as well, as
            no word: letters in them are none.
    """
    groups = []
    for word in words:
        forms = sorted({folded(form) for form in written(" ".join(word.split()))}, key=len, reverse=True)
        groups.append("(" + "|".join(_whole(form, numbered) for form in forms) + ")")
    digests = [r"[0-9a-f]{12,}"] if numbered else []
    return re.compile("|".join([*digests, *groups]), re.IGNORECASE) if groups else None


def number(found: re.Match[str]) -> int | None:
    """Which of the words a match of `spelled` is; None of a digest."""
    return None if found.lastindex is None else found.lastindex - 1


def _whole(form: str, numbered: bool) -> str:
    """`_` parts words, as in file names; scripts without spaces have no ends of words to look for."""
    inner, gap = (r"[^\W\d_]", r"[\s_-]+") if numbered else (r"[^\W_]", r"\s+")
    text = gap.join(re.escape(part) for part in form.split(" "))
    before = f"(?<!{inner})" if spaced(form[:1]) else ""
    return before + text + (f"(?!{inner})" if spaced(form[-1:]) else "")


def spaced(sign: str) -> bool:
    """Whether it is a letter or a digit of a script that puts spaces between words."""
    unspaced = "\u0e00" <= sign <= "\u0eff" or "\u1000" <= sign <= "\u109f" or "\u3040" <= sign <= "\u9fff"
    return sign.isalnum() and not unspaced
