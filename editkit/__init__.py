"""Edit what a language or vision-language model says: a recipe in, a small verified patch out.

Names are imported when they are first used, so that `import editkit` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from editkit.cli.checks import load_recipe
    from editkit.errors import EditkitError
    from editkit.model.loading import from_pretrained
    from editkit.model.patching import patched, undo_patch, write_patch
    from editkit.neuron import Neuron, Neurons
    from editkit.patch.file import Patch
    from editkit.pipeline import apply, dry_run
    from editkit.recipe import Recipe
    from editkit.report import Report
    from editkit.study.compare import Comparison, compare
    from editkit.study.curve import curve
    from editkit.study.evaluating import Evaluated, evaluate_only
    from editkit.study.locating import Located, locate_only

    __version__: str

__all__ = [
    "Comparison",
    "EditkitError",
    "Evaluated",
    "Located",
    "Neuron",
    "Neurons",
    "Patch",
    "Recipe",
    "Report",
    "__version__",
    "apply",
    "compare",
    "curve",
    "dry_run",
    "evaluate_only",
    "from_pretrained",
    "load_recipe",
    "locate_only",
    "patched",
    "undo_patch",
    "write_patch",
]

_PLACES: Final = {
    "Comparison": "editkit.study.compare",
    "Located": "editkit.study.locating",
    "Evaluated": "editkit.study.evaluating",
    "compare": "editkit.study.compare",
    "curve": "editkit.study.curve",
    "evaluate_only": "editkit.study.evaluating",
    "locate_only": "editkit.study.locating",
    "EditkitError": "editkit.errors",
    "Neuron": "editkit.neuron",
    "Neurons": "editkit.neuron",
    "Patch": "editkit.patch.file",
    "Recipe": "editkit.recipe",
    "Report": "editkit.report",
    "apply": "editkit.pipeline",
    "dry_run": "editkit.pipeline",
    "from_pretrained": "editkit.model.loading",
    "load_recipe": "editkit.cli.checks",
    "patched": "editkit.model.patching",
    "undo_patch": "editkit.model.patching",
    "write_patch": "editkit.model.patching",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("editkit")
    if name not in _PLACES:
        raise AttributeError(f"module 'editkit' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
