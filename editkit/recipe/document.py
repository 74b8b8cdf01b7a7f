"""What the user asks for: a recipe, checked to the last key before anything heavy is imported.

Precedence: `--set a.b=v` > `EDITKIT_A__B` in the environment > YAML > default. A key enters the schema with
the code that obeys it.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Self, cast

from pydantic import Field, PrivateAttr, ValidationError, ValidationInfo, field_validator

from editkit.errors import Problem, RecipeError
from editkit.recipe.edits import Edit, compatible
from editkit.recipe.evaluation import ENCODERS, Accept, Condition, Evaluate
from editkit.recipe.parts import MODEL_FORMS, ModelRef, Part, Slug, Whole
from editkit.recipe.problems import explain, refused
from editkit.recipe.sections import Control, Export, Locate, Probe, Solve, Track
from editkit.recipe.settings import apply_environment, apply_overrides
from editkit.recipe.yaml import LARGEST, Document, read_yaml, write_yaml

NEEDED: Final = "a recipe has version, name, model and edits"

Check = Callable[[Mapping[str, Any]], list[Problem]]
DEFAULT_ACCEPT: Final = {"efficacy": Condition(">=", 0.95), "locality": Condition(">=", 0.98)}


class Recipe(Part):
    """What a model must stop saying, or say instead, and how that is found, solved, scored and kept."""

    version: Literal[1] = Field(description="the version of this schema: 1")
    name: Slug = Field(description="a name for files and runs; never the word to suppress")
    seed: Whole = 0
    model: ModelRef = Field(description=MODEL_FORMS)
    probe: Probe = Probe()
    control: Control = Control()
    edits: tuple[Edit, ...] = Field(min_length=1, description="what to change: suppress, map or rewrite")
    locate: Locate = Locate()
    solve: Solve = Solve()
    evaluate: Evaluate = Evaluate()
    accept: Accept = Field(default_factory=lambda: dict(DEFAULT_ACCEPT), validate_default=True)
    export: Export = Export()
    track: Track = Track()

    _document: Document = PrivateAttr(default_factory=lambda: Document(None))
    _folder: Path = PrivateAttr(default_factory=Path)

    @field_validator("edits")
    @classmethod
    def _possible(cls, edits: tuple[Edit, ...], info: ValidationInfo) -> tuple[Edit, ...]:
        probe = info.data.get("probe")
        for at, edit in enumerate(edits):
            if probe is not None and edit.when == "absent" and probe.images is None:
                raise refused("absent needs pictures to judge by: give probe.images", (at, "when"))
            if probe is not None and edit.kind != "rewrite" and not probe.asks:
                raise refused("nothing to ask the model: give probe images, prompts, texts or sampled", (at,))
        return compatible(edits)

    @field_validator("evaluate")
    @classmethod
    def _scorable(cls, evaluate: Evaluate, info: ValidationInfo) -> Evaluate:
        probe, model = info.data.get("probe"), info.data.get("model")
        if evaluate.probes.modality and probe is not None and probe.images is None:
            raise refused("needs probe.images", ("probes", "modality"))
        for at, name in enumerate(evaluate.metrics):
            read = name.endswith("bertscore") and evaluate.encoder is None
            if read and model is not None and model.id not in ENCODERS:
                raise refused("needs evaluate.encoder, a BERT-like model", ("metrics", at))
        return evaluate

    @field_validator("accept")
    @classmethod
    def _measured(cls, accept: Accept, info: ValidationInfo) -> Accept:
        evaluate = info.data.get("evaluate")
        for name in accept:
            lacking = None if evaluate is None else evaluate.lacks(name)
            if lacking is not None:
                raise refused(f"needs {lacking}", (name,))
        return accept

    def __eq__(self, other: object) -> bool:
        """Equal content; where it was written does not matter."""
        return isinstance(other, Recipe) and self.document() == other.document()

    def __hash__(self) -> int:
        return hash(self.digest)

    def document(self) -> dict[str, Any]:
        """All keys and values, defaults too, as plain data."""
        return self.model_dump(mode="json", by_alias=True)

    def to_yaml(self, revision: str | None = None) -> str:
        """The whole document; `revision` is the commit that the model's name stood for, where it is known."""
        document = self.document()
        document["model"]["revision"] = revision or document["model"]["revision"]
        return write_yaml(document)

    @property
    def written(self) -> str:
        """The text as somebody wrote it, without what was set from elsewhere; all keys where nobody did."""
        return self._document.text or self.to_yaml()

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON, without places of runs, twins and exports: they change no edit."""
        document = self.document()
        del document["export"]
        del document["probe"]["twins"]["cache"]
        document["track"] = {"privacy": {"published": document["track"]["privacy"]["published"]}}
        return hashlib.sha256(
            json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
        ).hexdigest()

    @property
    def base_dir(self) -> Path:
        """The recipe's folder, where its relative paths begin; no part of its identity."""
        return self._folder

    def resolve(self, path: str) -> Path:
        """A path as the recipe writes it, from here."""
        return self._folder / Path(path).expanduser()

    def strays(self, path: str) -> bool:
        """Whether the recipe's own text names a place outside of its folder at the key `path`.

        A recipe may come from somebody else. What `--set` or the environment say, its user says.
        """
        place, value = self._document.place(path), cast(Any, self.document())
        for key in path.split("."):
            value = value[key]
        if place is None or place.line is None or not isinstance(value, str):
            return False
        written = Path(value).expanduser()
        return written.is_absolute() or ".." in written.parts

    def model_ref(self) -> ModelRef:
        """The model; a folder beside the recipe with its path from here."""
        return self._placed(self.model)

    def reader_ref(self, name: str) -> ModelRef:
        """Another model, as the recipe writes its name: it only reads, where the edited one runs."""
        device = "cpu" if self.model.device == "auto" else self.model.device
        return self._placed(ModelRef.model_validate(name).model_copy(update={"device": device}))

    def _placed(self, model: ModelRef) -> ModelRef:
        folder = self.resolve(model.id)
        if model.is_path or (model.revision is None and folder.is_dir()):
            return model.model_copy(update={"id": str(folder)})
        return model

    def refusal(self, problems: Sequence[Problem]) -> RecipeError:
        """An error about this recipe, each problem with the line its path has in the file."""
        return self._document.refusal(problems)

    def _from(self, document: Document, folder: Path) -> Self:
        self._document, self._folder = document, folder
        return self


def parse_recipe(
    text: str,
    source: str = "recipe",
    *,
    folder: Path | None = None,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    check: Check | None = None,
) -> Recipe:
    """Read a recipe from YAML.

    Args:
        source: what errors call the text; `folder` is where its relative paths begin.
        environ: variables to look for settings in; none are where it is not given.
        check: finds further problems in the plain data (`locate.top`: ...), told together with the others.

    Raises:
        RecipeError: every problem at once.
    """
    document = read_yaml(text, source)
    if document.data is None:
        raise RecipeError([Problem("", f"is empty: {NEEDED}", None, source)])
    if not isinstance(document.data, dict):
        raise RecipeError([Problem("", f"expected keys with values: {NEEDED}", 1, source)])
    problems = apply_environment(document, environ or {}, Recipe.model_fields)
    problems += apply_overrides(document, overrides)
    recipe = None
    try:
        recipe = Recipe.model_validate(document.data)
    except ValidationError as error:
        problems += explain(error, Recipe, document.data)
    told = {problem.path for problem in problems}
    problems += [one for one in (check(document.data) if check else ()) if one.path not in told]
    if problems or recipe is None:
        raise document.refusal(problems)
    return recipe._from(document, folder or Path())


def load_recipe(
    path: Path | str,
    overrides: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
    check: Check | None = None,
) -> Recipe:
    """Read a recipe's file; without `environ`, settings are taken from the process's environment.

    Raises:
        RecipeError: the file can't be read, or every problem in it.
    """
    place = Path(path)
    try:
        with place.open("rb") as file:
            content = file.read(LARGEST + 1)
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        why = "larger than 1 MB: put long lists into files" if len(content) > LARGEST else "no UTF-8 text"
    except FileNotFoundError:
        why = "no such file"
    except IsADirectoryError:
        why = "a folder: name the recipe's file in it"
    except OSError as error:
        why = f"can't be read ({error.strerror})"
    else:
        return parse_recipe(
            text,
            str(path),
            folder=place.parent,
            overrides=overrides,
            environ=os.environ if environ is None else environ,
            check=check,
        )
    raise RecipeError([Problem("", why, None, str(path))])
