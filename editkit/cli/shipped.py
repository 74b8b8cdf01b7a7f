"""The recipes that ship: inside the package when it is installed, beside it in a source tree."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parent.parent


def shipped() -> dict[str, Path]:
    """Name -> file."""
    inside = PACKAGE / "recipes"
    folder = inside if inside.is_dir() else PACKAGE.parent / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.yaml"))}


def about(path: Path) -> str:
    """What a recipe's opening comment says it does: the first sentence after the command."""
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        if not line.startswith("#"):
            break
        lines.append(line.lstrip("# "))
    return " ".join(line for line in lines if line).partition(". ")[0].rstrip(".:") + "."
