"""What the user asks for: a recipe, checked to the last key before anything heavy is imported."""

from editkit.recipe.document import Check, Recipe, load_recipe, parse_recipe
from editkit.recipe.edits import NEXT_BEST, Edit, Fact, Map, Pair, Rewrite, Suppress
from editkit.recipe.evaluation import Condition, Evaluate
from editkit.recipe.parts import (
    CocoImages,
    DemoImages,
    DemoPrompts,
    EncoderRef,
    FolderImages,
    Images,
    ModelRef,
    Prompts,
    Sampled,
    TextFile,
    Texts,
)
from editkit.recipe.sections import Control, Export, Locate, Probe, Solve, Track, Twins
from editkit.recipe.seen import POPE_KINDS, Chair, PopeCoco, PopeDemo, PopeFiles, PopeKind, pope_kind_of

__all__ = [
    "NEXT_BEST",
    "POPE_KINDS",
    "Chair",
    "Check",
    "CocoImages",
    "Condition",
    "Control",
    "DemoImages",
    "DemoPrompts",
    "Edit",
    "EncoderRef",
    "Evaluate",
    "Export",
    "Fact",
    "FolderImages",
    "Images",
    "Locate",
    "Map",
    "ModelRef",
    "Pair",
    "PopeCoco",
    "PopeDemo",
    "PopeFiles",
    "PopeKind",
    "Probe",
    "Prompts",
    "Recipe",
    "Rewrite",
    "Sampled",
    "Solve",
    "Suppress",
    "TextFile",
    "Texts",
    "Track",
    "Twins",
    "load_recipe",
    "parse_recipe",
    "pope_kind_of",
]
