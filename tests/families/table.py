"""Write the table of tested families, for the package and for people: python -m tests.families.table

It builds every tiny checkpoint, looks at it as `editkit models` does, and writes
`editkit/model/families.json` and the parts of `docs/models.md` between its marks.
"""

from __future__ import annotations

import ast
import json
import re
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.families import FAMILIES, Family

if TYPE_CHECKING:
    from editkit.model.families import Known

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "models.md"
WAY: Final = Path(__file__).with_name("test_way.py")


def rows(folder_of: Callable[[Family], Path]) -> list[dict[str, Any]]:
    """One for each family, as found in its tiny checkpoint."""
    return [_row(family, folder_of(family)) for family in FAMILIES.values()]


def _row(family: Family, folder: Path) -> dict[str, Any]:
    from editkit.model.facts import facts
    from editkit.model.families import Known, Place
    from editkit.model.outline import outline
    from editkit.recipe import ModelRef

    told = facts(outline(ModelRef(id=str(folder))))
    assert told.guess is None
    assert told.images == family.images
    places = {
        Place(one.path, one.tensor, one.orientation, one.experts is not None): None for one in told.matrices
    }
    checked, *notes = re.split("[:,] ", family.checked, maxsplit=1)
    return asdict(
        Known(
            name=family.name,
            kind=told.kind,
            checked=checked,
            notes="".join(notes),
            places=tuple(places),
            unembedding=told.head.name,
            tied=told.head.tied,
            image_tokens=told.image_tokens,
        )
    )


def checks() -> list[str]:
    """What `test_way.py` takes every family through: its tests' names are sentences."""
    tree = ast.parse(WAY.read_text(encoding="utf-8"))
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    said = [name.removeprefix("test_").replace("_", " ") for name in names if name.startswith("test_")]
    return [
        sentence.replace(" w out ", " W_out ").replace("layers push", "layer's push") for sentence in said
    ]


def data(folder_of: Callable[[Family], Path]) -> str:
    """The text of `families.json`."""
    document = {"checks": checks(), "families": rows(folder_of)}
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


COLUMNS: Final = (
    "family | class | checked against | W_out, tensor in the files | neurons are | unembedding | image token"
)


def page() -> str:
    """The text of `docs/models.md`, with what is between its marks made anew from the file that ships."""
    from editkit.model.families import known

    table = known()
    parts = {
        "checks": [f"- {check}" for check in table.checks],
        "families": [f"| {COLUMNS} |", "|---" * 7 + "|", *(f"| {_cells(one)} |" for one in table.families)],
    }
    text = PAGE.read_text(encoding="utf-8")
    for mark, lines in parts.items():
        before, opening, rest = re.split(rf"(<!-- {mark}\b.*? -->\n)", text)
        text = f"{before}{opening}\n" + "\n".join(lines) + f"\n\n{rest[rest.index('<!-- end -->') :]}"
    return text


def _cells(one: Known) -> str:
    places = []
    for place in one.places:
        experts = ", experts" if place.experts else ""
        other = "" if place.tensor in (place.path, f"{place.path}.weight") else f"<br>`{place.tensor}`"
        places.append(f"`{place.path}`{experts}{other}")
    cells = (
        one.name,
        one.kind,
        one.checked + (f"<br>{one.notes}" if one.notes else ""),
        "<br>".join(places),
        "<br>".join(dict.fromkeys(place.orientation for place in one.places)),
        f"`{one.unembedding}`{', tied' if one.tied else ''}",
        "<br>".join(f"`{token}`" for token in one.image_tokens).replace("|", "\\|"),
    )
    return " | ".join(cells)


def main() -> None:
    from editkit.model.families import FILE

    with tempfile.TemporaryDirectory() as place:

        def build(family: Family) -> Path:
            folder = Path(place) / family.name
            family.build(folder)
            return folder

        FILE.write_text(data(build), encoding="utf-8")
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
