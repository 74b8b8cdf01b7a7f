"""`editkit merge`, `diff` and `extract` from a shell."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from editkit.patch.file import Patch
from tests.merging import contents, differing, w_out

A, B, C, D = (f"{name}.editkit.safetensors" for name in "abcd")


def sentence(answer: Any, code: int) -> str:
    """What a refusal says, in one line and nothing else."""
    assert (answer.code, answer.out) == (code, "")
    (line,) = answer.err.splitlines()
    assert "bug" not in line
    return str(line)


def last(answer: Any) -> str:
    """The last line on stderr, below the stages of the work."""
    return str(answer.err.splitlines()[-1])


# merge


def test_the_order_of_patches_does_not_show(call: Any, base: Path, tmp_path: Path) -> None:
    answer = call("merge", A, B, "--base", base, "-o", "ab.safetensors", "--json")
    assert answer.code == 0, answer.err
    made = Patch.load(tmp_path / "ab.safetensors")
    assert answer.document == {
        "status": "done",
        "patch": "ab.safetensors",
        "digest": made.digest,
        "neurons": 15,
        "made_of": sorted(Patch.load(tmp_path / name).digest for name in (A, B)),
    }
    assert made.provenance.accepted is False
    answer = call("merge", B, A, "--base", base)
    assert answer.out == "merged.editkit.safetensors: 15 neurons, made of 2 patches\n"
    assert (tmp_path / "merged.editkit.safetensors").read_bytes() == (
        tmp_path / "ab.safetensors"
    ).read_bytes()
    answer = call("merge", A, B, "--base", base, "--force", "-q")
    assert (answer.out, answer.err) == ("merged.editkit.safetensors\n", "")
    assert call("merge", A, "-o", "alone").out == "alone: 9 neurons, made of 1 patch\n"
    assert (tmp_path / "alone").read_bytes() == (tmp_path / A).read_bytes()


@pytest.mark.parametrize("rule", ["first", "last", "sum"])
def test_what_holds_where_patches_overlap(call: Any, base: Path, tmp_path: Path, rule: str) -> None:
    assert call("merge", A, C, "--base", base, "--overlap", rule, "-o", "p").code == 0
    assert call("export", "p", "--base", base, "--merged", "m").code == 0
    assert differing(base, tmp_path / "m") == set(w_out(base))
    one, other, made = (Patch.load(tmp_path / name).entries[0] for name in (A, C, "p"))
    row = made.edited[made.neurons.tolist().index(5)].tobytes()
    first = row == one.edited[one.neurons.tolist().index(5)].tobytes()
    second = row == other.edited[other.neurons.tolist().index(5)].tobytes()
    assert (first, second) == (rule == "first", rule == "last")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "Missing argument"),
        (["none"], 1, "none: the patch can't be read"),
        ([A, "base/config.json"], 1, "no patch, or a damaged one"),
        ([A, B], 1, "name the base with --base"),
        ([A, C, "--base", "base"], 1, "L0.N5"),
        ([A, C, "--base", "base", "--overlap", "refuse"], 2, "'first', 'last', 'sum'"),
        ([A, B, "--base", "nowhere"], 1, "no such folder"),
        ([A, B, "--base", "other"], 1, "base differs"),
        ([A, "alien"], 1, "for different models"),
        ([A, B, "--base", "base", "-o", A], 1, "is there already"),
        ([A, B, "--base", "base", "-o", "base"], 1, "is there already"),
        ([A, B, "--base", "base", "-o", f"{A}/x"], 1, "can't be written"),
    ],
)
def test_what_can_not_be_merged(
    call: Any, base: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    shutil.copytree(base, tmp_path / "other")
    tensors = load_file(base / "model.safetensors")
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, tmp_path / "other/model.safetensors")
    alien = Patch.load(tmp_path / B)
    replace(alien, base=replace(alien.base, id="org/other")).save(tmp_path / "alien")
    before = contents(tmp_path)
    assert said in sentence(call("merge", *words), code)
    assert contents(tmp_path) == before


# diff


def test_patches_side_by_side(call: Any, base: Path) -> None:
    answer = call("diff", A, C, "--json")
    found = answer.document
    assert (answer.code, found["status"], found["of"], found["equal"]) == (3, "done", "patches", False)
    which = {one["neuron"]: one["which"] for one in found["neurons"]}
    assert {name: way for name, way in which.items() if name.startswith("L1.")} == {
        "L1.N1": "only in the first",
        "L1.N5": "other rows",
        "L1.N7": "only in the second",
        "L1.N30": "only in the first",
    }
    answer = call("diff", A, C)
    assert answer.code == 3
    assert answer.out.startswith("Neurons: 6 only in the first, 3 only in the second, 3 other rows.\n")
    assert call("diff", A, C, "-q").out == "different\n"
    answer = call("diff", A, A)
    assert (answer.code, answer.out.splitlines()[0]) == (0, "The same file, byte for byte.")
    assert call("-q", "diff", A, A).out == "equal\n"


def test_markdown(call: Any, base: Path) -> None:
    answer = call("diff", A, C, "--md")
    assert answer.code == 3
    head, first, second = answer.out.strip().split("\n\n")
    assert head == "Neurons: 6 only in the first, 3 only in the second, 3 other rows."
    for table, n_rows in ((first, 3), (second, 12)):
        lines = table.splitlines()
        assert len(lines) == n_rows + 2
        assert {line.count("|") for line in lines} == {lines[0].count("|")}
        assert set(lines[1]) == set("| -")


def test_the_same_change_from_elsewhere_is_equal(call: Any, base: Path, tmp_path: Path) -> None:
    patch = Patch.load(tmp_path / A)
    replace(patch, provenance=replace(patch.provenance, seed=5)).save(tmp_path / "again")
    answer = call("diff", A, "again")
    assert (
        answer.code,
        "only what they say of where they came from differs" in " ".join(answer.out.split()),
    ) == (0, True)


def test_checkpoints_side_by_side(call: Any, base: Path, merged: str, tmp_path: Path) -> None:
    answer = call("diff", base, merged, "--json")
    found = answer.document
    assert (answer.code, found["of"], found["equal"]) == (3, "checkpoints", False)
    assert found["changed"] == list(w_out(base))
    assert [one["neuron"] for one in found["neurons"]] == [str(n) for n in Patch.load(tmp_path / A).neurons()]
    shown = {one["name"]: one["ratio"] for one in call("show", A, "--json").document["neurons"]}
    assert {one["neuron"]: one["ratio"] for one in found["neurons"]} == pytest.approx(shown)
    answer = call("diff", base, merged)
    assert "3 of 30 tensors that both have differ; 9 neurons of W_out moved." in answer.out
    answer = call("diff", base, base)
    assert (answer.code, answer.out) == (
        0,
        "All 30 tensors are equal, byte for byte, and so is the config.\n",
    )


def test_what_is_no_neuron_differs_too(call: Any, base: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(base, other)
    tensors = load_file(base / "model.safetensors")
    tensors["lm_head.weight"] += 1
    tensors[w_out(base)[0]][3, 4] = float("inf")
    tensors["more"] = tensors.pop("model.norm.weight")
    save_file(tensors, other / "model.safetensors")
    config = json.loads((base / "config.json").read_text())
    (other / "config.json").write_text(
        json.dumps({**config, "rms_norm_eps": 1.0, "transformers_version": "1"})
    )
    found = call("diff", base, other, "--json").document
    assert found["changed"] == ["lm_head.weight", w_out(base)[0]]
    assert (found["only_in_first"], found["only_in_second"]) == (["model.norm.weight"], ["more"])
    assert found["config"] == ["rms_norm_eps"]
    assert found["neurons"] == [{"neuron": "L0.N4", "tensor": w_out(base)[0], "length": None, "ratio": None}]
    answer = call("diff", base, other, "--md")
    assert (answer.code, "config.json differs in rms_norm_eps." in answer.out) == (3, True)


def test_a_model_that_can_not_be_laid_out(call: Any, base: Path, merged: str, tmp_path: Path) -> None:
    """What differs is told all the same, but not as neurons."""
    for folder in (base, tmp_path / merged):
        (folder / "config.json").write_text('{"model_type": "nobody-knows"}')
    answer = call("diff", base, merged, "--json")
    assert (answer.code, answer.document["changed"], answer.document["neurons"]) == (3, list(w_out(base)), [])
    assert "which neurons moved can't be told" in answer.err


def test_folders_with_a_patch_in_them_are_patches(call: Any, base: Path) -> None:
    assert call("export", A, "--base", base, "--lora", "l", "--hub", "h").code == 0
    for place in ("l", "h"):
        answer = call("diff", place, A, "-q")
        assert (answer.code, answer.out) == (0, "equal\n")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([A], 2, "Missing argument 'B'"),
        ([A, "base"], 2, "is a patch and base is none"),
        (["base", A], 2, "is a patch and base is none"),
        ([A, C, "--md", "--json"], 2, "--json or --md"),
        ([A, "none.editkit.safetensors"], 1, "can't be read"),
        ([A, "base/config.json"], 1, "no patch, or a damaged one"),
        (["base", "nowhere"], 1, "no such folder"),
        (["base", "pickled"], 1, "pickles"),
        (["base", "empty"], 1, "has no config.json"),
    ],
)
def test_what_can_not_be_compared(
    call: Any, base: Path, tmp_path: Path, words: list[str], code: int, said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "pickled").mkdir()
    (tmp_path / "pickled" / "config.json").write_text("{}")
    (tmp_path / "pickled" / "pytorch_model.bin").touch()
    answer = call("diff", *words)
    assert answer.code == code
    assert said in last(answer)


# extract


def test_extract_what_was_merged(call: Any, base: Path, merged: str, tmp_path: Path) -> None:
    answer = call("extract", "--base", base, "--edited", merged, "-o", "p", "--json")
    found = Patch.load(tmp_path / "p")
    assert (answer.code, answer.document) == (
        0,
        {
            "status": "done",
            "patch": "p",
            "digest": found.digest,
            "neurons": 9,
            "tensors": sorted(w_out(base)),
        },
    )
    assert call("export", "p", "--base", base, "--merged", "again").code == 0
    assert differing(tmp_path / merged, tmp_path / "again") == set()
    assert call("extract", "--base", base, "--edited", merged, "-o", "q").out == "q: 9 neurons in 3 tensors\n"
    assert call("extract", "--base", base, "--edited", merged, "-o", "q", "--force", "-q").out == "q\n"
    answer = call("extract", "--base", base, "--edited", base, "-o", "nothing")
    assert answer.out == "nothing: the two are the same; the patch changes nothing\n"


def test_what_is_no_row_is_left_out_only_where_asked(
    call: Any, base: Path, merged: str, tmp_path: Path
) -> None:
    tensors = load_file(tmp_path / merged / "model.safetensors")
    tensors["lm_head.weight"] += torch.ones_like(tensors["lm_head.weight"])
    save_file(tensors, tmp_path / merged / "model.safetensors")
    answer = call("extract", "--base", base, "--edited", merged, "-o", "p")
    assert (answer.code, answer.out) == (1, "")
    assert "tensor lm_head.weight differs and is no W_out" in last(answer)
    assert not (tmp_path / "p").exists()
    answer = call("extract", "--base", base, "--edited", merged, "-o", "p", "--only-w-out")
    assert (answer.code, answer.out) == (0, "p: 9 neurons in 3 tensors\n")
    assert "the patch leaves that out" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--base", "base", "-o", "p"], 2, "--edited"),
        (["--base", "base", "--edited", "base"], 2, "-o"),
        (["--base", "nowhere", "--edited", "base", "-o", "p"], 1, "no such folder"),
        (["--base", "base", "--edited", A, "-o", "p"], 1, "no such folder"),
        (["--base", "base", "--edited", "base", "-o", A], 1, "is there already"),
    ],
)
def test_what_can_not_be_extracted(call: Any, base: Path, words: list[str], code: int, said: str) -> None:
    assert said in sentence(call("extract", *words), code)
