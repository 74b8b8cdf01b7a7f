"""Recipe, model -> EditPlan: the words in tokens, and every case with its role and its wanted answer."""

from __future__ import annotations

from dataclasses import replace

from editkit.errors import InputError
from editkit.events import Noted, Tell, stage
from editkit.model.editable import Editable
from editkit.model.generate import Answer, answers
from editkit.model.prompts import prompt_text
from editkit.model.room import fits
from editkit.plan import Case, EditPlan, PlannedEdit, Question
from editkit.probe.inputs import asked, control_inputs, prefixes, texts
from editkit.probe.questions import question
from editkit.probe.references import with_references
from editkit.probe.roles import roles
from editkit.probe.side.chair import with_objects
from editkit.probe.side.planned import side_cases
from editkit.probe.wanted import wanted
from editkit.probe.words import forms
from editkit.recipe import Edit, Recipe


def planned_edits(recipe: Recipe, editable: Editable) -> tuple[PlannedEdit, ...]:
    """The recipe's edits with all word forms in this model's tokens.

    Raises:
        InputError: a word that is nothing in these tokens.
    """
    return tuple(_planned(number, edit, editable) for number, edit in enumerate(recipe.edits))


def _planned(number: int, edit: Edit, editable: Editable) -> PlannedEdit:
    target = edit.targets[0] if edit.targets else None
    instead = target or "the next best"
    return PlannedEdit(
        number=number,
        kind=edit.kind,
        label=f"{edit.kind} {', '.join(edit.sources)} -> {instead}",
        sources=edit.sources,
        target=target,
        forms=forms(editable.tokenizer, edit.sources, target),
        when=edit.when,
        prompt=edit.rewrite.prompt if edit.kind == "rewrite" else None,
    )


def _distinct(questions: list[Question]) -> list[Question]:
    return list({(item.id, item.chat): item for item in questions}.values())


def _statements(recipe: Recipe) -> dict[str, tuple[int, str]]:
    """Prompts that rewrites name themselves -> (edit, part)."""
    found: dict[str, tuple[int, str]] = {}
    for number, edit in enumerate(recipe.edits):
        if edit.kind == "rewrite":
            for part, prompts in (
                ("prompt", (edit.rewrite.prompt,)),
                ("paraphrase", edit.rewrite.paraphrases),
                ("neighbor", edit.rewrite.neighbors),
            ):
                for prompt in prompts:
                    found.setdefault(prompt, (number, part))
    return found


def _as_read(editable: Editable, item: Question) -> str:
    """A prompt as the model reads it: a rewrite may name a chat turn in full, and that is the same input."""
    return prompt_text(editable, item).removeprefix(editable.tokenizer.bos_token or "")


def make_plan(
    recipe: Recipe, editable: Editable, *, preserve: int, tell: Tell, aims: bool = True
) -> EditPlan:
    """Ask the unedited model everything once, and give every input its one role.

    Args:
        preserve: how many far cases the solver keeps as they are.
        aims: whether anything will be solved or scored, for which wanted answers are needed.

    Raises:
        InputError: inputs that can't be read, or a source the model never says.
    """
    edits = planned_edits(recipe, editable)
    settings = recipe.evaluate
    questions = asked(recipe, editable, recipe.probe.images, recipe.probe.prompts, recipe.seed)
    n_far = int((preserve + recipe.control.count) * 1.2)
    questions += prefixes(
        texts(recipe, editable, tell),
        edits,
        others=n_far,
        seed=recipe.seed,
        fits=lambda text: fits(editable, text, settings.max_new_tokens),
    )
    questions += control_inputs(recipe, editable, preserve)
    named = _statements(recipe)
    questions = _distinct(
        [item for item in questions if item.images or _as_read(editable, item) not in named]
    )
    own = [question(prompt) for prompt in named]
    everything = questions + own
    with stage(tell, "ask the unedited model", len(everything)) as advance:
        said = answers(
            editable,
            everything,
            max_new_tokens=settings.max_new_tokens,
            batch_size=settings.batch_size,
            advance=advance,
        )
    cast = roles(
        list(zip(questions, said, strict=False)),
        edits,
        seed=recipe.seed,
        preserve=preserve,
        control=recipe.control.count,
    )
    cases = [
        Case(one.question, one.role, one.answer.text, one.answer.tokens, one.edits, one.near) for one in cast
    ]
    cases += [
        _own(item, answer, *named[item.prompt])
        for item, answer in zip(own, said[len(questions) :], strict=True)
    ]
    _said_at_all(edits, cases, len(everything), tell)
    changed = [case for case in cases if case.role in ("edit", "held_out")] if aims else []
    with stage(tell, "say what is wanted", len(changed)) as advance:
        instead = wanted(
            editable,
            [
                (
                    case.question,
                    Answer(case.said, case.said_tokens),
                    tuple(edits[number] for number in case.edits),
                )
                for case in changed
            ],
            max_new_tokens=settings.max_new_tokens,
            batch_size=settings.batch_size,
            advance=advance,
        )
    wants = {id(case): aim for case, aim in zip(changed, instead, strict=True)}
    cases = [replace(case, wanted=wants.get(id(case))) for case in cases]
    cases = with_references(recipe, cases, tell)
    if aims:
        cases = with_objects(recipe, cases)
    side = side_cases(recipe, editable, edits, cases, tell) if aims else ()
    return EditPlan(edits, (*cases, *side), len(everything) + len(side))


def _own(item: Question, answer: Answer, number: int, part: str) -> Case:
    if part == "neighbor":
        return Case(item, "control", answer.text, answer.tokens, (), False, "neighbor")
    if part == "paraphrase":
        return Case(item, "held_out", answer.text, answer.tokens, (number,), False, "paraphrase")
    return Case(item, "edit", answer.text, answer.tokens, (number,))


def _said_at_all(edits: tuple[PlannedEdit, ...], cases: list[Case], count: int, tell: Tell) -> None:
    for edit in edits:
        own = [case for case in cases if case.role == "edit" and edit.number in case.edits]
        if edit.kind == "rewrite":
            if not any(edit.says_source(case.said) for case in own):
                text = "the model does not say `from` after this prompt; it is rewritten all the same"
                tell(Noted(f"edits[{edit.number}]: {text}", warning=True))
        elif not own:
            where = " where the picture does not show it" if edit.when == "absent" else ""
            raise InputError(
                f"edits[{edit.number}]: the model says no form of the source{where} in enough of {count} "
                f"answers (0 cases to edit on): there is nothing to {edit.kind}, or the probe inputs do not "
                "bring it up"
            )
