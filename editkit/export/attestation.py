"""`provenance.json`: what was made from what, as an in-toto statement with SLSA provenance.

Equal edits give equal bytes: there is no time, host, path or run in it. It says what editkit was told and
did; a signature over the folder says who says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final
from urllib.parse import quote

from editkit.model.files import EMBEDDED
from editkit.patch.file import Patch
from editkit.patch.format import Method

PROVENANCE: Final = "provenance.json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "pkg:pypi/editkit#docs/trust.md"
COMMIT: Final = re.compile(r"[0-9a-f]{40}")
CONFIG: Final = "config.json"


def attestation(
    patch: Patch,
    files: Mapping[str, str],
    from_base: Mapping[str, str],
    base_name: str | None = None,
    recipe: str | None = None,
) -> dict[str, Any]:
    """The statement as plain data.

    Args:
        files: every other file of the folder, the patch too -> SHA-256.
        from_base: those that are the base's own -> SHA-256.
        base_name: its name on the Hub, where the patch knows it by its digest.
        recipe: as others may see it.
    """
    came = patch.provenance
    subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(files.items())]
    asked: dict[str, Any] = {
        "form": "hub",
        "edits": list(came.edits),
        "locate": _method(came.locate),
        "solve": _method(came.solve),
        "seed": came.seed,
        "recipeDigest": came.recipe_digest,
    }
    if recipe is not None:
        asked["recipe"] = recipe
    definition = {
        "buildType": BUILD_TYPE,
        "externalParameters": asked,
        "internalParameters": {"patch": patch.digest, "accepted": came.accepted},
        "resolvedDependencies": _dependencies(patch, from_base, base_name),
    }
    builder = {
        "id": f"pkg:pypi/editkit@{version('editkit')}",
        # those that the patch was made with
        "version": dict(sorted(came.versions.items())),
    }
    return {
        "_type": STATEMENT,
        "subject": subjects,
        "predicateType": PREDICATE,
        "predicate": {"buildDefinition": definition, "runDetails": {"builder": builder}},
    }


def to_json(statement: Mapping[str, Any]) -> str:
    return json.dumps(statement, indent=2, sort_keys=True) + "\n"


def base_files(statement: object) -> frozenset[str]:
    """SHA-256 of the files that a statement says are the base's own; none where it is no such statement."""
    try:
        dependencies = statement["predicate"]["buildDefinition"]["resolvedDependencies"]  # type: ignore[index]
        found = [
            one["digest"]["sha256"] for one in dependencies if one.get("annotations") == {"copied": True}
        ]
    except (KeyError, TypeError, AttributeError):
        return frozenset()
    return frozenset(digest for digest in found if isinstance(digest, str))


def _method(method: Method) -> dict[str, Any]:
    return {"name": method.name, "settings": dict(method.settings)}


def _dependencies(patch: Patch, from_base: Mapping[str, str], base_name: str | None) -> list[dict[str, Any]]:
    base = patch.base
    model: dict[str, Any] = {"name": base_name or base.id, "annotations": {"dtype": base.dtype}}
    if base.id.startswith("sha256:"):
        model["digest"] = {"editkitCheckpoint": base.id.removeprefix("sha256:")}
    elif base.id not in EMBEDDED:
        # a purl, https://github.com/package-url/purl-spec
        at = f"@{base.revision}" if base.revision else ""
        model["uri"] = f"pkg:huggingface/{quote(base.id)}{at}"
        if base.revision and COMMIT.fullmatch(base.revision):
            model["digest"] = {"gitCommit": base.revision}
    config = {"name": CONFIG, "digest": {"sha256": base.config_digest}}
    tensors = {entry.tensor: entry.base_digest for entry in patch.entries}
    return [
        model,
        config,
        *({"name": tensor, "digest": {"sha256": digest}} for tensor, digest in tensors.items()),
        *(
            {"name": name, "digest": {"sha256": digest}, "annotations": {"copied": True}}
            for name, digest in sorted(from_base.items())
        ),
    ]
