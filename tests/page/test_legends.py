"""Every figure that is drawn has words."""

from __future__ import annotations

import re
from pathlib import Path

from editkit import views
from editkit.page.legends import LEGENDS, legend


def test_figures_of_the_model_have_legends() -> None:
    source = Path(views.__file__).read_text()
    names = re.findall(r'"([\w{}.]+)\.png"', source)
    assert len(names) >= 6
    for name in names:
        file = re.sub(r"\{edit\.number\}|\{value\.edit\}", "3", name).replace("{name}", "best") + ".png"
        assert any(re.fullmatch(pattern, file) for pattern, _ in LEGENDS), file


def test_the_number_of_the_edit_is_told_and_unknown_names_are_words() -> None:
    assert legend("edit12_seen.png") == "Edit 12: what in the picture makes the top neurons emit."
    assert legend("scores.png") is None
    assert legend("new_kind.png") == "New kind."
