"""Causal effect: does a concept vanish from captions when its neurons are disturbed, and only then?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from editkit.evaluate.intervals import paired, share
from editkit.report import Value


@dataclass(frozen=True)
class CausalEffect:
    """What noise on the top k does to captions, and what it does on random rows of matched norm.

    Attributes:
        before: the share of captions that name the concept, undisturbed.
        top: how far that share drops with noise on the top k; negative where it rises.
        control: how far it drops with the same noise on the random rows.
        effect: the former minus the latter, paired by caption: the causal effect.
    """

    before: Value
    top: Value
    control: Value
    effect: Value


def causal_effect(
    before: Sequence[str], top: Sequence[str], control: Sequence[str], names: Callable[[str], bool]
) -> CausalEffect:
    """The drop in the share of captions that name the concept, top k minus control.

    Pan et al. 2024 add Gaussian noise to the top neurons and look at what captions lose; the control of
    matched row norms and the paired difference, with its bootstrap interval over captions, are ours.

    Args:
        before, top, control: captions of the same pictures in the same order, by the model as it is, with
            noise on the top k, and with noise on the control's rows.
        names: whether a caption names the concept (such as `PlannedEdit.says_source`).
    """
    said, without, random = ([names(caption) for caption in captions] for captions in (before, top, control))
    return CausalEffect(share(said), paired(said, without), paired(said, random), paired(random, without))
