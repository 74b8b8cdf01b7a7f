"""What a figure shows, in words: its caption, and its text for who can't see it."""

from __future__ import annotations

import re
from typing import Final

# None: the page says the same in a table or a drawing of its own.
LEGENDS: Final = (
    (r"layers\.png", "Which layers the neurons of each edit lie in."),
    (r"ranks\.png", "How the score of the neurons falls with their rank."),
    (r"neurons_per_layer\.png", "How many neurons were changed in each layer."),
    (r"edit(\d+)_heat_best\.png", "Edit {}: where in the picture the best neuron is active."),
    (r"edit(\d+)_heat_top\.png", "Edit {}: where in the picture the top neurons are active, as a mean."),
    (r"edit(\d+)_seen\.png", "Edit {}: what in the picture makes the top neurons emit."),
    (r"edit(\d+)_twins\.png", "Edit {}: pictures with and without the object, as the localizer saw them."),
    (r"edit(\d+)_thresholds\.png", "Edit {}: scores of the neurons, and the thresholds they had to pass."),
    (r"edit\d+_tokens\.png", None),
    (r"scores\.png", None),
    (r"loss\.png", None),
)


def legend(name: str) -> str | None:
    """The legend of a figure by its file name; None of one that the page leaves out."""
    for pattern, words in LEGENDS:
        if found := re.fullmatch(pattern, name):
            return words if words is None else words.format(*found.groups())
    return name.removesuffix(".png").replace("_", " ").capitalize() + "."
