"""Edit what a language or vision-language model says: a recipe in, a small verified patch out.

Names are imported when they are first used, so that `import editkit` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from editkit.cli.checks import load_recipe
    from editkit.errors import EditkitError
    from editkit.export.folder import export_hub
    from editkit.export.lora import export_lora
    from editkit.export.merged import export_merged
    from editkit.export.reverted import export_reverted
    from editkit.export.verification import Verified, verify
    from editkit.extraction import extract
    from editkit.model.loading import from_pretrained
    from editkit.model.patching import patched, undo_patch, write_patch
    from editkit.neuron import Neuron, Neurons
    from editkit.patch.algebra import inverted, merged
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
    "Verified",
    "__version__",
    "apply",
    "compare",
    "curve",
    "dry_run",
    "evaluate_only",
    "export_hub",
    "export_lora",
    "export_merged",
    "export_reverted",
    "extract",
    "from_pretrained",
    "inverted",
    "load_recipe",
    "locate_only",
    "merged",
    "patched",
    "undo_patch",
    "verify",
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
    "Verified": "editkit.export.verification",
    "apply": "editkit.pipeline",
    "dry_run": "editkit.pipeline",
    "export_hub": "editkit.export.folder",
    "export_lora": "editkit.export.lora",
    "export_merged": "editkit.export.merged",
    "export_reverted": "editkit.export.reverted",
    "extract": "editkit.extraction",
    "from_pretrained": "editkit.model.loading",
    "inverted": "editkit.patch.algebra",
    "load_recipe": "editkit.cli.checks",
    "merged": "editkit.patch.algebra",
    "patched": "editkit.model.patching",
    "undo_patch": "editkit.model.patching",
    "verify": "editkit.export.verification",
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
