"""The model card of an edit: what it does, how it scored, how to load and undo it, what it can't hide."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from editkit.export.hidden import shown_recipe
from editkit.export.origin import Origin
from editkit.model.files import EMBEDDED
from editkit.patch.file import Patch
from editkit.patch.words import Privacy
from editkit.privacy.hidden import Hidden
from editkit.recipe import Recipe
from editkit.recipe.yaml import write_yaml

Form = Literal["adapter", "patch", "merged"]
SHOWN_NEURONS: Final = 24
MASKS: Final[Mapping[Privacy, str]] = {
    "plain": "",
    "hash": "`hmac-` and 16 digits stand for a word that is not published; only who made the edit knows.",
    "omit": "`[omitted]` stands for a word that is not published.",
}
LIMITS: Final = """\
- **The change itself gives the word away to someone who looks.** Whoever multiplies the difference between \
changed and original rows with the unembedding matrix sees which tokens were pushed down and which up. \
Masking keeps a word out of texts and search engines, no more.
- The scores hold for the inputs they were measured on. Others may still bring the old answer up.
- Whoever has the weights can undo the edit: it is a fix, not a safeguard against its user.
- The base model's own limits and licence hold here too."""


def card(
    patch: Patch,
    origin: Origin,
    secret: Hidden,
    *,
    form: Form,
    patch_file: str,
    base_name: str | None = None,
    license: str | None = None,
    recipe: Recipe | None = None,
    notes: Sequence[str] = (),
) -> str:
    """README.md of a repository with an edit.

    Args:
        form: what is in it: an adapter beside the patch, the patch alone, or the whole edited model.
        base_name: the base's name on the Hub, where the patch knows it only by its digest.
        license: instead of the base's.
        notes: sentences about the files, such as how exact the adapter is.
    """
    private = patch.base.id.startswith("sha256:") or patch.base.id in EMBEDDED
    name = base_name or (None if private else patch.base.id)
    parts = [
        f"---\n{write_yaml(_front(origin, form, name, license))}---",
        f"# An edit of {_code(name or _unnamed(patch))}",
        _what(patch, form, secret),
        "## Results",
        _results(patch),
        "## How to load it",
        _loading(origin, form, patch_file, patch, name),
        "## How to undo it",
        _undoing(form, patch_file),
        "## What was changed",
        _changed(patch, notes),
        *(["## Recipe", _recipe(recipe, patch, secret)] if recipe is not None else []),
        "## Where it came from",
        _provenance(patch, form),
        "## Limits",
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def _front(origin: Origin, form: Form, name: str | None, license: str | None) -> dict[str, Any]:
    front: dict[str, Any] = {}
    if name is not None:
        front |= {"base_model": name, "base_model_relation": "finetune" if form == "merged" else "adapter"}
    library = {"adapter": "peft", "patch": "editkit", "merged": "transformers"}[form]
    front |= {"library_name": library, "pipeline_tag": origin.task, **origin.front}
    if license is not None:
        front = {key: value for key, value in front.items() if not key.startswith("license")}
        front["license"] = license
    return {**front, "tags": ["editkit", "model-editing", *(["lora"] if form == "adapter" else [])]}


def _unnamed(patch: Patch) -> str:
    return "a local model" if patch.base.id.startswith("sha256:") else patch.base.id


def _what(patch: Patch, form: Form, secret: Hidden) -> str:
    count = len(patch.neurons())
    rows = f"{count} feed-forward neuron{'' if count == 1 else 's'}"
    lines = ["What was asked for:", ""]
    lines += [f"- {_plain(secret.masked(edit))}" for edit in patch.provenance.edits]
    if not patch.provenance.edits:
        lines = ["What was asked for is not recorded."]
    if MASKS[secret.how]:
        lines += ["", MASKS[secret.how]]
    kept = {
        "adapter": "This repository holds the difference alone, as a LoRA adapter and as a patch; the base "
        "is loaded beside it.",
        "patch": "This repository holds the difference alone, as a patch; the base is loaded beside it.",
        "merged": "This repository holds the whole edited model, and the patch that leads back to the base.",
    }[form]
    lines += ["", f"Done by changing the output rows of {rows}. {kept}"]
    return "\n".join(lines)


def _results(patch: Patch) -> str:
    verdict = {
        True: "**Accepted**: everything the recipe's `accept` asks for was reached.",
        False: "**Rejected**: what the recipe's `accept` asks for was not reached.",
        None: "Not judged: nobody asked for a verdict.",
    }[patch.provenance.accepted]
    columns = ("before", "after", "control")
    rows = [
        (_plain(name), *(_number(values.get(column)) for column in columns))
        for name, values in patch.provenance.scores.items()
    ]
    if not rows:
        return verdict
    reading = "*Control* is the same edit made on as many random neurons."
    return f"{verdict}\n\n{_table(('metric', *columns), rows)}\n\n{reading}"


def _loading(origin: Origin, form: Form, patch_file: str, patch: Patch, name: str | None) -> str:
    base = json.dumps(name or "path/to/the/base")
    loader = origin.loader
    whole = f"from transformers import {loader}\n\nmodel = {loader}.from_pretrained(repository)"
    if form != "merged" and patch.base.id.startswith("sha256:"):
        own = f"model = editkit.from_pretrained(repository, base={base})"
    else:
        own = "model = editkit.from_pretrained(repository)"
    own = f"import editkit\n\n{own}  # checks the base, byte for byte"
    peft = (
        f"from peft import PeftModel\nfrom transformers import {loader}\n\n"
        f"base = {loader}.from_pretrained({base})\n"
        "model = PeftModel.from_pretrained(base, repository).merge_and_unload()"
    )
    written = (
        "from editkit import Patch, write_patch\n"
        f"from transformers import {loader}\n\nmodel = {loader}.from_pretrained({base})\n"
        f"write_patch(model, Patch.load({json.dumps(patch_file)}))"
    )
    ways = {
        "adapter": [
            ("With editkit:", own),
            *([("With transformers, where peft is installed:", whole)] if name else []),
            ("With PEFT:", peft),
        ],
        "patch": [("With editkit:", own), ("Into a model that is loaded already:", written)],
        "merged": [("With transformers:", whole), ("With editkit:", own)],
    }[form]
    processor = "AutoProcessor" if origin.sees else "AutoTokenizer"
    told = [
        '```python\nrepository = "org/name"  # this repository, or a folder with its files\n```',
        *(f"{title}\n\n```python\n{code}\n```" for title, code in ways),
        f"`{processor}.from_pretrained(repository)` loads what prepares its inputs.",
    ]
    return "\n\n".join(told)


def _undoing(form: Form, patch_file: str) -> str:
    file = json.dumps(patch_file)
    code = f"```python\nfrom editkit import Patch, undo_patch\n\nundo_patch(model, Patch.load({file}))\n```"
    rows = "The patch holds the original rows, so they can be put back bit for bit"
    if form == "merged":
        return f"{rows}: `editkit revert` makes the base's files of these. In a loaded model:\n\n{code}"
    kept = "The base was not changed: load it without this repository."
    return f"{kept} {rows} into a model they were written into:\n\n{code}"


def _changed(patch: Patch, notes: Sequence[str]) -> str:
    came = patch.provenance
    names = [str(neuron) for neuron in patch.neurons()]
    more = f" and {len(names) - SHOWN_NEURONS:,} more" if len(names) > SHOWN_NEURONS else ""
    tensors = list(dict.fromkeys(entry.tensor for entry in patch.entries))
    lines = [f"- Neurons (layer and number, from 0): {', '.join(names[:SHOWN_NEURONS]) or 'none'}{more}."]
    if tensors:
        most = ", ".join(map(_code, tensors[:SHOWN_NEURONS]))
        rest = "" if len(tensors) <= SHOWN_NEURONS else " and more"
        lines.append(f"- Tensors: {most}{rest}; all others are the base's.")
    for verb, method in (("Located", came.locate), ("Solved", came.solve)):
        settings = json.dumps(dict(method.settings), sort_keys=True)
        lines.append(f"- {verb} by {_code(method.name)} with {_code(settings)}, seed {came.seed}.")
    return "\n".join([*lines, *(f"- {_plain(note)}" for note in notes)])


def _recipe(recipe: Recipe, patch: Patch, secret: Hidden) -> str:
    text = shown_recipe(recipe, patch, secret)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    return f"Keys that are not here have their defaults.\n\n{fence}yaml\n{text}{fence}"


def _provenance(patch: Patch, form: Form) -> str:
    base = patch.base
    rows = [
        ("base", _code(base.id) + (f" at {_code(base.revision)}" if base.revision else "")),
        ("SHA-256 of its config.json", _code(base.config_digest)),
        ("SHA-256 of the patch", _code(patch.digest)),
        ("recipe digest", _code(patch.provenance.recipe_digest)),
        *((_plain(package), _plain(version)) for package, version in patch.provenance.versions.items()),
    ]
    more = (
        "`editkit.json` has the digest of every file"
        + ("" if form == "merged" else ", `provenance.json` says the same and more as an in-toto statement")
        + "; `editkit verify` checks them."
    )
    return f"{_table(('what', 'which'), rows)}\n\n{more}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _code(text: str) -> str:
    """As code, also in a table: a patch's texts may be anybody's."""
    return "`" + " ".join(text.replace("`", "'").replace("|", "/").split())[:2000] + "`"


def _plain(text: str) -> str:
    """As text without markup of its own."""
    return re.sub(r"([\\`*_{}\[\]<>#|~&!])", r"\\\1", " ".join(text.split())[:1000])
