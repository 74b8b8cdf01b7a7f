"""A person's decision on an edit: who, when and why, in its run and in the registry."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from editkit.errors import UsageError
from editkit.track.models import NOTE
from editkit.track.reading import reading, run_of
from editkit.track.registry import REVIEW, REVIEWED_AT, Decision, aliases_now, settle, version_of
from editkit.track.words import cell

if TYPE_CHECKING:
    from mlflow import MlflowClient

HISTORY: Final = "editkit.reviews"
LONGEST_NOTE: Final = 2000
LONGEST_TAG: Final = 5000
# Stands between what a person decided and what the run said of itself; no note can hold it.
BELOW: Final = "\n\n---\n\n"
OPENING: Final = "**Reviewed: "


@dataclass(frozen=True)
class Review:
    """One decision; `at` is UTC, ISO 8601."""

    decision: Decision
    by: str
    at: str
    note: str


@dataclass(frozen=True)
class Reviewed:
    """What a review has done.

    Attributes:
        moved: alias -> version of the registered model `name` as it is now; empty where it is not there.
    """

    run_id: str
    review: Review
    earlier: int
    verdict: str
    name: str | None
    version: str | None
    moved: dict[str, str]


def review(uri: str | None, run_id: str, decision: Decision, *, by: str, note: str) -> Reviewed:
    """Record a decision. One run may be reviewed again: the last review counts, all are kept.

    Args:
        run_id: the run of an edit, or how its id begins.

    Raises:
        UsageError: no such edit, or a note that is empty or too long.
        TrackError: the store can't be used.
    """
    said, who = " ".join(note.split()), " ".join(by.split())
    if not said or len(said) > LONGEST_NOTE:
        raise UsageError(f"a review says why, in 1 to {LONGEST_NOTE:,} characters: --note has {len(said):,}")
    if not who or len(who) > 200:
        raise UsageError("a review says whose it is, in 1 to 200 characters: give --by NAME")
    with reading(uri) as (client, where):
        run = run_of(client, where, run_id)
        found, tags = run.info.run_id, run.data.tags
        made = Review(decision, who, datetime.now(UTC).isoformat(timespec="milliseconds"), said)
        history = [*_history(tags.get(HISTORY, "[]")), asdict(made)]
        # The whole note, for good: a tag is too short for many.
        client.log_text(
            found, json.dumps(asdict(made), indent=1), f"reviews/{made.at.replace(':', '-')}.json"
        )
        written = _tags(made) | {HISTORY: _fitting(history), NOTE: _described(made, tags.get(NOTE, ""))}
        for key, value in written.items():
            client.set_tag(found, key, value)
        name, _, number = tags.get("editkit.registered", "").rpartition("/")
        moved = _move(client, name, number, made) if name else {}
    return Reviewed(
        found, made, len(history) - 1, tags["editkit.verdict"], name or None, number or None, moved
    )


def _history(text: str) -> list[dict[str, str]]:
    """Earlier reviews; a tag that somebody has spoilt holds none, and their files are still there."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _tags(made: Review) -> dict[str, str]:
    return {
        REVIEW: made.decision,
        "editkit.reviewed_by": made.by,
        REVIEWED_AT: made.at,
        "editkit.review_note": made.note,
    }


def _move(client: MlflowClient, name: str, number: str, made: Review) -> dict[str, str]:
    version = version_of(client, f"{name}/{number}")
    if version is None:
        return {}
    for key, value in _tags(made).items():
        client.set_model_version_tag(name, number, key, value)
    client.update_model_version(name, number, _described(made, version.description or ""))
    settle(client, name)
    return aliases_now(client, name)


def _described(made: Review, text: str) -> str:
    """A description with the decision on top, in place of an earlier one."""
    own = text.partition(BELOW)[2] if text.startswith(OPENING) else text
    first = f"{OPENING}{made.decision}** by {cell(made.by)}, {made.at}: {cell(made.note, LONGEST_NOTE)}"
    return first + BELOW + own


def _fitting(history: list[dict[str, str]]) -> str:
    """As JSON that a tag can hold: of many reviews the oldest notes go, which their files keep."""
    kept = [dict(one) for one in history]
    for one in kept:
        if len(json.dumps(kept)) <= LONGEST_TAG:
            break
        one["note"] = one.get("note", "")[:40]
    while len(json.dumps(kept)) > LONGEST_TAG:
        kept.pop(0)
    return json.dumps(kept, ensure_ascii=False)
