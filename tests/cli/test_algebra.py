"""`editkit merge`, `diff`, `extract`, `verify` and `show` from a shell."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from safetensors.torch import load_file, save_file

from editkit.patch.algebra import inverted
from editkit.patch.file import Patch
from editkit.patch.manifest import MANIFEST, digest_of
from tests.merging import contents, differing, patch_on, w_out


@pytest.fixture
def base(tiny_checkpoint: Callable[..., Path], tmp_path: Path) -> Path:
    folder = tmp_path / "base"
    shutil.copytree(tiny_checkpoint("llama", "bfloat16"), folder)
    patch_on(folder, w_out(folder)).save(tmp_path / "a.editkit.safetensors")
    patch_on(folder, w_out(folder), (2, 7), seed=1, accepted=False).save(tmp_path / "b.editkit.safetensors")
    patch_on(folder, w_out(folder), (5, 7), seed=2).save(tmp_path / "c.editkit.safetensors")
    patch_on(folder, w_out(folder)[2:], (9,), seed=3).save(tmp_path / "d.editkit.safetensors")
    return folder


A, B, C, D = (f"{name}.editkit.safetensors" for name in "abcd")


@pytest.fixture
def merged(call: Any, base: Path) -> str:
    """A folder with the patch A in it."""
    assert call("export", A, "--base", base, "--merged", "m").code == 0
    return "m"


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


# verify


def test_a_patch_is_checked_as_far_as_something_is_given(call: Any, base: Path, tmp_path: Path) -> None:
    digest = digest_of(tmp_path / A)
    bare = call("verify", A, "--json").document
    assert (bare["status"], bare["kind"], bare["digest"], bare["wrong"]) == ("done", "patch", digest, [])
    assert [len(bare["checked"]), len(bare["unchecked"])] == [1, 2]
    whole = call("verify", A, "--base", base, "--digest", digest, "--json")
    assert (whole.code, len(whole.document["checked"]), whole.document["unchecked"]) == (0, 3, [])
    answer = call("verify", A, "-q")
    assert (answer.code, answer.out, answer.err) == (0, f"{digest}\n", "")
    answer = call("verify", A, "--digest", "0" * 64)
    assert (answer.code, answer.out) == (1, "")
    assert digest in last(answer)
    assert call("verify", B, "--base", base).code == 0  # a rejected edit is what it says it is
    (base / "config.json").write_text((base / "config.json").read_text() + " ")
    answer = call("verify", A, "--base", base)
    assert (answer.code, "its config.json is not that of the patch's base" in last(answer)) == (1, True)


def test_a_folder_says_what_was_checked_and_what_was_not(call: Any, base: Path, merged: str) -> None:
    answer = call("verify", merged)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0].startswith("m: merged, 6 files, ")
    assert [line.split("  ")[1] for line in lines[1:]] == [*["checked"] * 3, *["not checked"] * 3, "SHA-256"]
    document = call(
        "verify", merged, "--base", base, "--digest", digest_of(Path("m") / MANIFEST), "--json"
    ).document
    assert document["unchecked"] == ["who made it: it is not signed"]
    answer = call("verify", merged, "--digest", "0" * 64)
    assert (answer.code, "the SHA-256 of editkit.json is " in last(answer)) == (1, True)


@pytest.mark.parametrize("form", ["--merged", "--lora", "--hub"])
def test_any_change_of_a_folder_is_one_sentence(call: Any, base: Path, form: str, tmp_path: Path) -> None:
    assert call("export", A, "--base", base, form, "out").code == 0
    assert call("verify", "out", "-q").code == 0
    for path in [path for path in (tmp_path / "out").rglob("*") if path.is_file()]:
        whole = path.read_bytes()
        path.write_bytes(whole[:-3] + bytes([whole[-3] ^ 1]) + whole[-2:])
        answer = call("verify", "out", "-q")
        assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1)
        document = call("verify", "out", "--json")
        assert (document.code, document.document["status"]) == (1, "failed")
        assert document.document["error"] in document.err
        path.write_bytes(whole)
    (tmp_path / "out" / "extra").touch()
    assert "extra: is not one of the folder's files" in last(call("verify", "out"))


def test_many_things_that_are_wrong_are_one_sentence(call: Any, merged: str, tmp_path: Path) -> None:
    for at in range(9):
        (tmp_path / merged / f"extra{at}").touch()
    answer = call("verify", merged, "-q")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert answer.err.endswith("; and 6 more\n")
    assert len(call("verify", merged, "--json").document["wrong"]) == 9


def test_a_file_of_which_nothing_is_known(
    call: Any, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editkit.export.rewriting.SMALL_BYTES", 20_000)
    assert call("export", A, "--base", base, "--merged", "m", "--no-digests").code == 0
    answer = call("verify", "m")
    assert (answer.code, answer.out) == (1, "")
    assert last(answer) == (
        "error: m: 1 file without a SHA-256 in editkit.json (model.safetensors): give the base with --base"
    )
    assert call("verify", "m", "--base", base).code == 0


def test_signatures(call: Any, merged: str, tmp_path: Path) -> None:
    for name in ("mine", "other"):
        key = ec.generate_private_key(ec.SECP256R1())
        form, nothing = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (tmp_path / f"{name}.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, form, nothing))
        form_of_public = serialization.PublicFormat.SubjectPublicKeyInfo
        public = key.public_key().public_bytes(serialization.Encoding.PEM, form_of_public)
        (tmp_path / f"{name}.pub").write_bytes(public)
    assert "not signed" in last(call("verify", merged, "--public-key", "mine.pub"))
    assert call("sign", merged, "--private-key", "mine.pem").code == 0
    unasked = call("verify", merged, "--json").document["unchecked"]
    assert "the signature (--public-key or --certificate)" in unasked
    answer = call("verify", merged, "--public-key", "mine.pub", "--json")
    assert (answer.code, "the signature in model.sig" in answer.document["checked"]) == (0, True)
    answer = call("verify", merged, "--public-key", "other.pub")
    assert (answer.code, "not a signature that this key" in last(answer)) == (1, True)
    answer = call("verify", merged, "--certificate", "mine.pub")
    assert answer.code == 2
    (tmp_path / merged / "config.json").write_text("{}")
    answer = call("verify", merged, "--public-key", "mine.pub", "-q")
    assert (answer.code, answer.err.count("\n")) == (1, 1)
    assert "not as it was signed: config.json" in answer.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ([], 2, "Missing argument"),
        (["none"], 1, "none: the patch can't be read"),
        (["base"], 1, "this is no folder that editkit wrote"),
        (["base/config.json"], 1, "no patch, or a damaged one"),
        ([A, "--digest", "abc"], 2, "no SHA-256"),
        ([A, "--base", "nowhere"], 1, "no such folder"),
        ([A, "--public-key", "key"], 2, "signatures are of folders"),
        (["base", "--public-key", "key", "--certificate", "root"], 2, "one of both"),
    ],
)
def test_what_can_not_be_verified(call: Any, base: Path, words: list[str], code: int, said: str) -> None:
    assert said in sentence(call("verify", *words), code)


# show


def test_merged_and_inverted_patches_say_so(call: Any, base: Path, tmp_path: Path) -> None:
    assert call("merge", A, B, "--base", base, "-o", "ab").code == 0
    made_of = call("show", "ab", "--json").document["made_of"]
    assert [one["digest"] for one in made_of] == sorted(Patch.load(tmp_path / n).digest for n in (A, B))
    assert all(one["locate"]["name"] == "listed" for one in made_of)
    assert "made of  2 patches" in call("show", "ab").out
    inverted(Patch.load(tmp_path / B)).save(tmp_path / "back")
    document = call("show", "back", "--json").document
    assert (document["undoes"]["name"], document["undoes"]["accepted"]) == ("gradient", False)
    assert "undoes   gradient, rejected" in call("show", "back").out
    plain = call("show", A, "--json").document
    assert (plain["made_of"], plain["undoes"]) == (None, None)


def test_a_folder_and_the_patches_in_it(call: Any, base: Path, merged: str, tmp_path: Path) -> None:
    patch_on(tmp_path / merged, w_out(base), (4,), seed=9).save(tmp_path / "e")
    assert call("export", "e", "--base", merged, "--merged", "both").code == 0
    document = call("show", "both", "--json").document
    assert (document["kind"], document["files"]) == ("merged", len(contents(tmp_path / "both")) - 1)
    assert [one["digest"] for one in document["patches"]] == [
        Patch.load(tmp_path / name).digest for name in (A, "e")
    ]
    out = call("show", "both").out
    assert "folder   both: merged, " in out
    assert "patch 2 of 2" in out
    assert "no folder that editkit wrote" in sentence(call("show", base), 1)
    (tmp_path / merged / "editkit" / A).unlink()
    assert "can't be read" in sentence(call("show", merged), 1)


def test_no_torch_where_none_is_needed(base: Path, merged: str, tmp_path: Path) -> None:
    lines = [
        ["verify", merged, "--base", "base"],
        ["show", merged],
        ["diff", A, C],
        ["merge", A, B, "--base", "base"],
    ]
    code = f"import sys; from editkit.cli.main import run; print([run(line) for line in {lines!r}]);"
    code += "print(sorted({'torch', 'transformers', 'mlflow'} & sys.modules.keys()))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.splitlines()[-2:] == ["[0, 0, 3, 0]", "[]"]
