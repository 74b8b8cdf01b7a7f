"""Any text -> text that a figure can show: no formula, no control character, no letter the font lacks."""

from __future__ import annotations

from textwrap import wrap
from typing import Final

SPACE: Final = "\N{OPEN BOX}"
MORE: Final = "\N{HORIZONTAL ELLIPSIS}"


def plain(text: str) -> str:
    """The text letter by letter; what can't be drawn is written as its code, such as `\\u4e2d` or `\\n`.

    Dollar signs are escaped, as two of them would make a formula of what is between them.
    """
    return "".join(drawable(text)).replace("$", r"\$")


def drawable(text: str) -> list[str]:
    """Each letter, or its code where the font in use does not have it."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    font = get_font(findfont(FontProperties()))
    return [
        sign
        if sign.isprintable() and font.get_char_index(ord(sign))
        else sign.encode("unicode_escape").decode()
        for sign in text
    ]


def lines(text: str, width: int, most: int = 3) -> str:
    """A text in at most so many lines of about so many letters each."""
    found = wrap(text, width)
    if len(found) > most:
        found = [*found[: most - 1], f"{found[most - 1]} {MORE}"]
    return "\n".join(plain(line) for line in found)


def token(text: str, width: int = 14) -> str:
    """A token as a table shows it: without the space it begins with, which nearly all have, and cut off."""
    stripped = text.strip(" ")
    signs = drawable(stripped) if stripped else [SPACE] * len(text)
    shown = "".join(signs)
    if len(shown) > width:
        shown = shown[: width - 1] + MORE
    return shown.replace("$", r"\$")
