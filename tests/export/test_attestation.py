"""`provenance.json` is what the in-toto and SLSA specifications ask for, and says what the folder has."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from editkit.export.attestation import attestation, base_files, to_json
from editkit.export.folder import export_hub
from editkit.model.editable import Editable
from editkit.patch.file import Patch
from editkit.recipe import Recipe

Asked = Callable[..., Recipe]
Told = Callable[..., Patch]

# What the specifications require: in-toto Statement v1, ResourceDescriptor v1, SLSA provenance v1.
URI = {"type": "string", "pattern": "^[a-z][a-z0-9+.-]*:[^ ]+$"}
DIGESTS = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {"type": "string", "pattern": "^[0-9a-f]+$"},
}
DESCRIPTOR = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "uri": URI,
        "digest": DIGESTS,
        "annotations": {"type": "object"},
        "mediaType": {"type": "string"},
        "downloadLocation": URI,
        "content": {"type": "string"},
    },
    "additionalProperties": False,
}
SUBJECT = {**DESCRIPTOR, "required": ["digest"]}  # a subject is matched by its digest
BUILD = {
    "type": "object",
    "required": ["buildType", "externalParameters"],
    "properties": {
        "buildType": URI,
        "externalParameters": {"type": "object"},
        "internalParameters": {"type": "object"},
        "resolvedDependencies": {"type": "array", "items": DESCRIPTOR},
    },
    "additionalProperties": False,
}
RUN = {
    "type": "object",
    "required": ["builder"],
    "properties": {
        "builder": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": URI,
                "version": {"type": "object", "additionalProperties": {"type": "string"}},
                "builderDependencies": {"type": "array", "items": DESCRIPTOR},
            },
            "additionalProperties": False,
        },
        "metadata": {"type": "object"},
        "byproducts": {"type": "array", "items": DESCRIPTOR},
    },
    "additionalProperties": False,
}
STATEMENT = {
    "type": "object",
    "required": ["_type", "subject", "predicateType", "predicate"],
    "properties": {
        "_type": {"const": "https://in-toto.io/Statement/v1"},
        "subject": {"type": "array", "minItems": 1, "items": SUBJECT},
        "predicateType": {"const": "https://slsa.dev/provenance/v1"},
        "predicate": {
            "type": "object",
            "required": ["buildDefinition", "runDetails"],
            "properties": {"buildDefinition": BUILD, "runDetails": RUN},
            "additionalProperties": False,
        },
    },
    "additionalProperties": False,
}


@pytest.fixture
def folder(asked: Asked, told: Told, llava: Editable, tmp_path: Path) -> Path:
    recipe = asked()
    return export_hub(told(recipe), Path(llava.folder), tmp_path / "hub", recipe=recipe).folder


@pytest.fixture
def statement(folder: Path) -> Any:
    return json.loads((folder / "provenance.json").read_text())


def test_it_has_what_the_specifications_ask_for(statement: Any) -> None:
    jsonschema.validate(statement, STATEMENT)
    for part in ("_type", "subject", "predicateType", "predicate"):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({key: value for key, value in statement.items() if key != part}, STATEMENT)


def test_in_totos_own_library_reads_it(statement: Any) -> None:
    from google.protobuf.json_format import ParseDict
    from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
    from in_toto_attestation.v1.statement_pb2 import Statement

    whole = ParseDict(statement, Statement())
    assert [one.name for one in whole.subject] == sorted(one["name"] for one in statement["subject"])
    read = ParseDict(statement["predicate"], Provenance())
    assert read.build_definition.build_type == "pkg:pypi/editkit#docs/trust.md"
    assert read.run_details.builder.id.startswith("pkg:pypi/editkit@")


def test_its_subjects_are_the_files_with_their_digests(folder: Path, statement: Any) -> None:
    said = {one["name"]: one["digest"] for one in statement["subject"]}
    there = {path.name for path in folder.iterdir()} - {"provenance.json", "editkit.json"}
    assert said == {name: {"sha256": sha256((folder / name).read_bytes()).hexdigest()} for name in there}


def test_it_names_the_base_its_config_its_tensors_and_what_was_copied(
    statement: Any, asked: Asked, told: Told, llava: Editable
) -> None:
    patch = told(asked())
    model, config, *others = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    revision = "0123456789" * 4
    assert model["uri"] == f"pkg:huggingface/org/base@{revision}"
    assert model["digest"] == {"gitCommit": revision}
    real = sha256((Path(llava.folder) / "config.json").read_bytes()).hexdigest()
    assert config == {"name": "config.json", "digest": {"sha256": real}}
    tensors = {one["name"]: one["digest"]["sha256"] for one in others if "annotations" not in one}
    assert tensors == {entry.tensor: entry.base_digest for entry in patch.entries}
    copied = {one["name"]: one["digest"]["sha256"] for one in others if "annotations" in one}
    assert base_files(statement) == frozenset(copied.values())
    assert "tokenizer.json" in copied
    for name, digest in copied.items():
        assert sha256((Path(llava.folder) / name).read_bytes()).hexdigest() == digest


def test_it_says_what_was_asked_and_masks_the_words(statement: Any, asked: Asked, told: Told) -> None:
    came = told(asked()).provenance
    definition = statement["predicate"]["buildDefinition"]
    given = definition["externalParameters"]
    assert given["edits"] == list(came.edits)
    assert given["recipeDigest"] == came.recipe_digest
    assert given["locate"] == {"name": "contribution", "settings": {"top": 8}}
    assert given["seed"] == 3
    assert "hmac-" in given["recipe"]
    assert definition["internalParameters"] == {"patch": told(asked()).digest, "accepted": True}


def test_a_local_base_is_named_by_its_digest_and_the_embedded_one_has_no_address(
    asked: Asked, told: Told
) -> None:
    local, embedded = (
        attestation(told(asked(), base=base), {"a": "0" * 64}, {})["predicate"]["buildDefinition"]
        for base in (f"sha256:{'1' * 64}", "demo/scenes")
    )
    assert local["resolvedDependencies"][0]["digest"] == {"editkitCheckpoint": "1" * 64}
    assert not {"uri", "digest"} & set(embedded["resolvedDependencies"][0])


def test_equal_edits_give_equal_text(asked: Asked, told: Told) -> None:
    patch = told(asked())
    one = to_json(attestation(patch, {"b": "1" * 64, "a": "0" * 64}, {}))
    assert one == to_json(attestation(patch, {"a": "0" * 64, "b": "1" * 64}, {}))


@pytest.mark.parametrize(
    "other",
    [None, [], {}, {"predicate": []}, {"predicate": {"buildDefinition": {"resolvedDependencies": [1]}}}],
)
def test_of_anything_else_no_file_is_known_to_be_the_bases(other: object) -> None:
    assert base_files(other) == frozenset()
