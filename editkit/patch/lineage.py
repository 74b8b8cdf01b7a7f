"""What a merged or inverted patch says of where it came from.

A merged patch names the patches it was made of, its leaves, and nothing that depends on their order or on
how they were bracketed. An inverted one keeps all that the patch said: turned again, it is that patch.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final

from editkit.patch.file import Patch
from editkit.patch.format import DIGEST, Method, Provenance

MERGED: Final = "merged"
INVERTED: Final = "inverted"
UNDO: Final = "undo "
APART: Final = ", "  # between versions of one package


def is_merged(came: Provenance) -> bool:
    """Whether it says so; what a file says of itself may be anything.

    One that names a single leaf is no merge: merged with that leaf it would be taken for the same.
    """
    named = came.solve.settings.get("patches") if came.locate.name == came.solve.name == MERGED else None
    return isinstance(named, Mapping) and len(named) > 1 and all(map(_is_leaf, named.items()))


def leaves(patch: Patch) -> dict[str, Any]:
    """The patches it was made of: digest -> recipe's digest, seed, and the methods with their settings.

    Itself where it was not merged; none where it neither changes anything nor was merged.
    """
    came = patch.provenance
    if is_merged(came):
        named: Any = came.solve.settings["patches"]
        return dict(named)
    if not patch.entries:
        return {}
    methods = {"locate": _plain(came.locate), "solve": _plain(came.solve)}
    return {patch.digest: {"recipe_digest": came.recipe_digest, "seed": came.seed, **methods}}


def _is_leaf(item: tuple[str, Any]) -> bool:
    digest, leaf = item
    recipe = leaf.get("recipe_digest") if isinstance(leaf, Mapping) else None
    return bool(DIGEST.fullmatch(digest)) and isinstance(recipe, str) and bool(DIGEST.fullmatch(recipe))


def _plain(method: Method) -> dict[str, Any]:
    return {"name": method.name, "settings": dict(method.settings)}


def merged_provenance(patches: Iterable[Patch]) -> Provenance:
    """Where the merge of these came from; the same for any order and any brackets.

    Patches without leaves leave no trace. Nobody judged the whole, so it has no scores; one part that was
    rejected rejects it.
    """
    made_of: dict[str, Any] = {}
    came = []
    for patch in patches:
        if own := leaves(patch):
            made_of |= own
            came.append(patch.provenance)
    digests: list[Any] = sorted(made_of)
    recipes = sorted({leaf["recipe_digest"] for leaf in made_of.values()})
    return Provenance(
        recipe_digest=recipes[0] if len(recipes) == 1 else sha256("\n".join(recipes).encode()).hexdigest(),
        locate=Method(MERGED, {"patches": digests}),
        solve=Method(MERGED, {"patches": made_of}),
        seed=min(one.seed for one in came),
        versions=_versions(one.versions for one in came),
        neuron_scores=_highest(one.neuron_scores for one in came),
        accepted=False if any(one.accepted is False for one in came) else None,
        edits=tuple(sorted({edit for one in came for edit in one.edits})),
    )


def _versions(tables: Iterable[Mapping[str, str]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for table in tables:
        for package, versions in table.items():
            found.setdefault(package, set()).update(versions.split(APART))
    return {package: APART.join(sorted(versions)) for package, versions in found.items()}


def _highest(tables: Iterable[Mapping[str, float]]) -> dict[str, float]:
    found: dict[str, float] = {}
    for table in tables:
        for neuron, score in table.items():
            # -0 counts as lower than 0, or the order of the patches would show
            found[neuron] = max(found.get(neuron, score), score, key=lambda x: (x, math.copysign(1.0, x)))
    return found


def undoes(came: Provenance) -> dict[str, Any] | None:
    """Of a patch that takes another back: that one's solver, scores and verdict; None of any other patch."""
    kept = came.solve.settings
    inverse = came.solve.name == INVERTED and kept.keys() == {"name", "settings", "scores", "accepted"}
    return dict(kept) if inverse else None


def inverted_provenance(came: Provenance) -> Provenance:
    """Of the patch that takes another back; of that one's inverse it is the other's own."""
    if kept := undoes(came):
        edits = tuple(edit.removeprefix(UNDO) for edit in came.edits)
        solve = Method(kept["name"], kept["settings"])
        return replace(came, solve=solve, scores=kept["scores"], accepted=kept["accepted"], edits=edits)
    scores = {name: dict(values) for name, values in came.scores.items()}
    judged: dict[str, Any] = {"scores": scores, "accepted": came.accepted}
    return replace(
        came,
        solve=Method(INVERTED, _plain(came.solve) | judged),
        scores={},
        accepted=None,
        edits=tuple(UNDO + edit for edit in came.edits),
    )
