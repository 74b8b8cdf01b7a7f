"""The JSON of a patch: canonical when written, refused when anything in it is not as version 1 has it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, FailFast, TypeAdapter, ValidationError

from editkit.checkpoint.strict import Density, strict_json
from editkit.errors import PatchError
from editkit.patch.format import STRICT, VERSION, Base, Contents, Provenance, Site


@dataclass(frozen=True)
class Document:
    """What stands in the metadata key; the rows stand in tensors beside it."""

    version: int
    base: Base
    entries: Annotated[tuple[Site, ...], FailFast()]
    provenance: Provenance

    __pydantic_config__: ClassVar[ConfigDict] = STRICT


ADAPTER: Final = TypeAdapter(Document)
# An entry has two containers in 350 bytes, a neuron's score 12 bytes.
DENSITY: Final = Density(bytes_per_container=32, bytes_per_item=10, most_items=250_000)


def to_json(contents: Contents) -> str:
    """Equal contents give equal text: sorted keys, no spaces, ASCII.

    Raises:
        PatchError: the provenance holds something that JSON can't say, or that reading would refuse.
    """
    names = [field.name for field in fields(Site)]
    sites = tuple(Site(**{name: getattr(entry, name) for name in names}) for entry in contents.entries)
    text = _canonical(Document(VERSION, contents.base, sites, contents.provenance))
    # Through the reader and back: 1 and 1.0 become one text, and what could not be read is never written.
    return _canonical(from_json(text))


def _canonical(document: Document) -> str:
    try:
        return json.dumps(document, default=_plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise PatchError(f"the patch's provenance can't be written as JSON ({error})") from error


def _plain(value: object) -> dict[str, Any]:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} is not of JSON")


def _check_version(raw: object) -> None:
    version = raw.get("version") if isinstance(raw, dict) else None
    if type(version) is not int or version != VERSION:
        shown = "of another kind" if isinstance(version, dict | list) else repr(version)[:40]
        raise PatchError(f"the patch has format version {shown}; this editkit reads {VERSION}")


def from_json(text: str) -> Document:
    """The checked document.

    Raises:
        PatchError: another version, an unknown or missing field, a wrong type, anything ambiguous.
    """
    try:
        if not text.isascii():
            raise PatchError("the patch's description is not written in ASCII")
        _check_version(strict_json(text, DENSITY))
        return ADAPTER.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise PatchError(f"the patch's field {where!r:.200} is wrong: {first['msg']:.200}") from error
    except ValueError as error:
        raise PatchError(f"the patch's description can't be used: {error}") from error
