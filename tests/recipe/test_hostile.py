"""A stranger's recipe can be looked at: nothing in it runs, and the answer comes within a second."""

from __future__ import annotations

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from time import process_time

import pytest

from editkit.cli.checks import load_recipe, problems
from editkit.errors import RecipeError
from editkit.recipe import parse_recipe

SMALL = (
    "version: 1\nname: small\nmodel: demo/scenes\nprobe: {images: {demo: guns}}\nedits: [{suppress: gun}]\n"
)
WIDE = 900_000
LAUGHS = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
BOMBS = {
    "laughs": SMALL + LAUGHS,
    "laughs in keys": SMALL + LAUGHS.replace("[", "{x: ").replace(", ", ", y: ").replace("]", "}"),
    "merge keys": SMALL
    + "b0: &b0 {x: 1}\n"
    + "".join(f"b{n}: &b{n} {{<<: *b{n - 1}}}\n" for n in range(1, 900)),
    "an alias of itself": SMALL + "a: &a {b: [*a, *a]}\n",
    "wide": "a: [" + "x, " * (WIDE // 3) + "x]",
    "long": "- x\n" * (WIDE // 4),
    "keys": "".join(f"k{n}: 1\n" for n in range(WIDE // 10)),
    "the same key": "a: 1\n" * (WIDE // 5),
    "no values": "? a\n" * (WIDE // 4),
    "anchors": "".join(f"- &a{n} x\n" for n in range(WIDE // 13)),
    "nested lists": "[" * WIDE,
    "nested tables": "{" * WIDE,
    "nested lines": "- " * (WIDE // 2),
    "indented": "".join(" " * n + "a:\n" for n in range(1300)),
    "deep and wide": "[" * 50 + "x, " * 100_000,
    "unknown keys": SMALL + "".join(f"versiom{n}: 1\n" for n in range(9_000)),
    "unknown settings": SMALL + "solve: {" + "".join(f"stepz{n}: 1, " for n in range(9_000)) + "}\n",
    "wrong edits": SMALL.replace("[{suppress: gun}]", "\n" + "- supress: 1\n" * 6_000),
    "wrong words": SMALL.replace("gun}]", "[" + "1, " * 15_000 + "1]}]"),
    "wrong metrics": SMALL + "evaluate: {metrics: [" + "efficaci, " * 15_000 + "x]}\n",
    "much folded": "a: >\n" + " x\n" * (WIDE // 3),
    "a hundred megabytes": "#" * 100_000_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name: str, tmp_path: Path) -> None:
    path = tmp_path / "stranger.yaml"
    path.write_text(BOMBS[name])
    began = process_time()
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert process_time() - began < 3
    assert len(str(caught.value).splitlines()) <= 100


@pytest.mark.parametrize("name", ["laughs", "merge keys", "wide", "nested lists", "a hundred megabytes"])
def test_bombs_take_little_memory(name: str, tmp_path: Path) -> None:
    path = tmp_path / "stranger.yaml"
    path.write_text(BOMBS[name])
    tracemalloc.start()
    with pytest.raises(RecipeError):
        load_recipe(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000_000


TAGS = (
    "!!python/object/apply:os.system ['touch pwned']",
    "!!python/object/new:subprocess.Popen [[touch, pwned]]",
    "!!python/name:os.system",
    "!!python/module:os",
    "!python/object:os.system {}",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch pwned']",
    "!!binary cHduZWQ=",
    "!!set {a, b}",
    "!!omap [a: 1]",
    "!!timestamp 2024-01-01",
)


@pytest.mark.parametrize("tag", TAGS)
def test_tags_are_refused_and_nothing_runs(tag: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in (SMALL.replace("gun", tag), f"{SMALL}seed: {tag}\n", tag, f"{tag}: 1\n"):
        with pytest.raises(RecipeError, match=r"tags|key must be a word|no YAML|expected"):
            parse_recipe(text)
    assert not list(tmp_path.iterdir())


HOLDERS = (
    "{%s: 1}",
    "{locate: {%s: 1}}",
    "{model: {id: a, %s: 1}}",
    "{edits: [{suppress: [a], %s: 1}]}",
    "{probe: {images: {demo: guns, %s: 1}}}",
)


@pytest.mark.parametrize(
    "key", ["'<<'", "<<", "'<list>'", "'<text>'", "'<suppress>'", "'<'", "''", "'a.b'", "0"]
)
@pytest.mark.parametrize("holder", HOLDERS)
def test_odd_keys_are_problems_like_others(key: str, holder: str) -> None:
    with pytest.raises(RecipeError, match="unknown key"):
        parse_recipe(holder % key, check=problems)


def test_what_it_quotes_can_be_printed(tmp_path: Path) -> None:
    path = tmp_path / "stranger.yaml"
    path.write_text(SMALL + '"\\e[2J\\u202e\\x07": 1\nlocate: {"met\\nhod": x}\n', encoding="utf-8")
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    assert all(line.isprintable() for line in str(caught.value).splitlines())


OUTSIDE = """version: 1
name: outside
model: demo/scenes
probe: {images: %s, prompts: {file: %s}}
control: {images: {folder: %s}}
edits: [{suppress: gun}]
"""


@pytest.mark.parametrize("place", ["/etc/passwd", "../../../etc", "~/.ssh/id_rsa", "pipe", "/dev/zero"])
def test_validate_reads_and_writes_nothing_else(place: str, tmp_path: Path) -> None:
    """In a process that says every file it opens: a stranger's recipe names files, and none is touched."""
    (tmp_path / "stranger.yaml").write_text(OUTSIDE % (place, place, place))
    os.mkfifo(tmp_path / "pipe")
    script = """
import os, sys
from pathlib import Path
from editkit.cli.main import run
import editkit.cli.validate, editkit.cli.checks, editkit.locate, editkit.solve, editkit.evaluate
seen = []
def hook(event, arguments):
    if event == "open":
        seen.append((str(arguments[0]), arguments[1], arguments[2]))
    elif event in ("os.listdir", "os.scandir"):
        seen.append((str(arguments[0]), "r", 0))
    elif event.startswith(("os.", "subprocess", "socket", "shutil")) and event != "os.putenv":
        seen.append((event, arguments, 0))
sys.addaudithook(hook)
code = run(["validate", "stranger.yaml"])
python = (sys.prefix, str(Path(sys.prefix).resolve()), sys.base_prefix)
own = ("stranger.yaml", *python, os.environ["EDITKIT_ROOT"])
for what, mode, flags in seen:
    assert what.startswith(own), (what, mode)
    assert not isinstance(mode, str) or "w" not in mode, (what, mode)
assert "torch" not in sys.modules
sys.exit(code)
"""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-B", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": root, "EDITKIT_ROOT": root},
    )
    assert done.returncode == 0, done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"stranger.yaml", "pipe"}
