"""Every family goes the whole way: recorded, scored, edited, saved, merged, undone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from editkit.checkpoint import Checkpoint
from editkit.events import nobody
from editkit.locate.contribution import Contribution
from editkit.model.editable import Editable
from editkit.model.feed import feed
from editkit.model.forward import call_inputs, log_probabilities
from editkit.model.generate import answers
from editkit.model.hooks import Spots, adding, recording
from editkit.model.patching import patched, undo_patch, write_patch
from editkit.model.pushes import pushing
from editkit.patch.file import Patch
from editkit.patch.verify import verify
from editkit.plan import Case, EditPlan, PlannedEdit, Question, Wanted
from editkit.solve.gradient import Gradient
from tests.families import FAMILIES, Family
from tests.families.ask import questions

pytestmark = pytest.mark.filterwarnings(
    # PaliGemma's processor hands torch's tensors to numpy in a way that numpy will drop.
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
SAID = ([20, 21, 22], [23], [])


@pytest.fixture(params=FAMILIES.values(), ids=FAMILIES)
def family(request: pytest.FixtureRequest) -> Family:
    return request.param


@pytest.fixture
def model(family: Family, editable: Callable[[Family], Editable]) -> Editable:
    return editable(family)


@pytest.fixture
def asked(model: Editable) -> list[Question]:
    return questions(model)


def logits(editable: Editable, asked: list[Question]) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = editable.model(**call_inputs(editable, feed(editable, asked, SAID))).logits
    return found


def length(fed: Any) -> int:
    """Tokens of the sequence that is gone on with."""
    inputs = fed.inputs
    return int(inputs["decoder_input_ids" if "decoder_input_ids" in inputs else "input_ids"].shape[1])


def close(one: torch.Tensor, other: torch.Tensor, bound: float) -> bool:
    scale = max(1.0, float(other.abs().max()))
    return float((one - other).abs().max()) <= bound * scale


def test_a_padded_batch_says_what_each_input_says_alone(model: Editable, asked: list[Question]) -> None:
    together = log_probabilities(model, asked, SAID)
    for question, tokens, table in zip(asked, SAID, together, strict=True):
        alone = log_probabilities(model, [question], [tokens])[0]
        assert close(table, alone, 1e-5)


def test_greedy_answers_are_the_likeliest_tokens(model: Editable, asked: list[Question]) -> None:
    said = answers(model, asked, max_new_tokens=4)
    assert sum(len(answer.tokens) for answer in said) > 4
    for answer, table in zip(
        said, log_probabilities(model, asked, [answer.tokens for answer in said]), strict=True
    ):
        table[:, model.picture_tokens] = -torch.inf
        assert table[: len(answer.tokens)].argmax(-1).tolist() == list(answer.tokens)


def test_every_w_out_is_a_matrix_of_the_language_model(family: Family, model: Editable) -> None:
    config = model.text_config
    assert len(model.layers) == config.num_hidden_layers
    assert {place.layer for place in model.w_outs} == set(range(len(model.layers)))
    assert {place.shape[1] for place in model.w_outs} == {config.hidden_size}
    assert any(place.expert is not None for place in model.w_outs) == family.moe
    assert not model.layout.guessed


def test_a_direction_is_what_moves_the_logit(model: Editable, asked: list[Question]) -> None:
    """Behind the final norm a direction times the hidden state is the logit, without the head's bias."""
    tokens = torch.tensor([20, 23, 30])
    kept: list[torch.Tensor] = []
    named = dict(model.model.named_modules())
    final = next((named[name] for name in named if name.endswith("decoder.final_layer_norm")), None)
    narrow = next((named[name] for name in named if name.endswith("project_out")), None)
    if model.encoder_decoder and final is not None:
        hook = final.register_forward_hook(lambda m, given, out: kept.append(out))
    else:
        before = narrow if isinstance(narrow, torch.nn.Module) else model.head
        hook = before.register_forward_pre_hook(lambda m, given: kept.append(given[0]))
    found = logits(model, asked)[..., tokens]
    hook.remove()
    if model.logit_cap is not None:
        found = model.logit_cap * torch.atanh(found / model.logit_cap)
    bias = getattr(model.head, "bias", None)
    expected = kept[-1] @ model.directions(tokens).T
    assert close(found - (0.0 if bias is None else bias[tokens] * model.logit_scale), expected, 1e-4)


def test_contributions_sum_to_the_layers_push(family: Family, model: Editable, asked: list[Question]) -> None:
    """Against the layer run again with W_out emptied: all that it added to the stream is gone then."""
    fed = feed(model, asked, SAID)
    spots = Spots(torch.arange(3), torch.full((3,), fed.n_prompt - 1))
    directions = model.directions(torch.tensor([20, 23, 30]))
    summed: dict[int, torch.Tensor] = {}

    def add(key: tuple[int, int | None], activations: torch.Tensor, pulls: torch.Tensor) -> None:
        scores = activations * (pulls @ model.w_out(*key).rows.T)
        summed[key[0]] = summed.get(key[0], torch.zeros(3)) + scores.sum(1)

    before = logits(model, asked)
    with pushing(model, range(len(model.layers)), spots, directions, add):
        watched = model.model(**call_inputs(model, fed)).logits
    assert torch.equal(watched, before)
    for layer in range(len(model.layers)):
        push = (_added(family, model, layer, fed, spots) * directions).sum(1)
        assert close(summed[layer], push, 1e-4)


def _added(family: Family, model: Editable, layer: int, fed: Any, spots: Spots) -> torch.Tensor:
    """What the layer's neurons add to the stream at the spots, `[n_spots, d_model]`."""
    call: dict[str, Any] = {}
    norm: dict[str, torch.Tensor] = {}
    module: Any = model.layers[layer]

    def keep(layer: Any, arguments: Any, named: Any, output: Any) -> None:
        call.update(arguments=arguments, named=named)

    remover = module.register_forward_hook(keep, with_kwargs=True)
    with torch.no_grad():
        model.model(**call_inputs(model, fed))
    remover.remove()

    def again() -> torch.Tensor:
        with torch.no_grad():
            output = module(*call["arguments"], **call["named"])
        return spots.of(output[0] if isinstance(output, tuple) else output, length(fed))

    if family.name == "gemma4_text":
        # Behind its post-norm stands a branch that is not linear: the slope along the norm's output is meant,
        # with the branch's own norm frozen as all norms are.
        ratios: list[torch.Tensor] = []

        def freeze(norm: Any, given: tuple[torch.Tensor, ...], output: torch.Tensor) -> torch.Tensor:
            ratios.append(output / given[0])
            return given[0] * ratios[0]

        def scaled(by: float) -> torch.Tensor:
            hooks = [
                module.post_feedforward_layernorm.register_forward_hook(lambda m, i, out: out * by),
                module.post_per_layer_input_norm.register_forward_hook(freeze),
            ]
            found = again().double()
            for hook in hooks:
                hook.remove()
            return found

        scaled(1.0)
        return ((scaled(1.01) - scaled(0.99)) / 0.02).float()
    if family.name == "opt350m":
        # The sum is normalised: with its scale frozen, what W_out adds is centred and divided by it.
        seen: list[torch.Tensor] = []
        hooks = [
            module.fc2.register_forward_hook(lambda m, i, out: norm.update(out=out - m.bias)),
            module.final_layer_norm.register_forward_pre_hook(lambda m, i: seen.append(i[0])),
        ]
        again()
        for hook in hooks:
            hook.remove()
        scale = spots.of(seen[0], length(fed)).var(-1, keepdim=True, correction=0).add(1e-5).rsqrt()
        added = spots.of(norm["out"], length(fed))
        return (added - added.mean(-1, keepdim=True)) * scale * module.final_layer_norm.weight
    with emptied(model, layer):
        without = again()
    return again() - without


@contextmanager
def emptied(model: Editable, layer: int) -> Iterator[None]:
    own = [(place, place.rows.clone()) for place in model.w_outs if place.layer == layer]
    for place, _ in own:
        place.rows.zero_()
    try:
        yield
    finally:
        for place, rows in own:
            place.rows.copy_(rows)


def test_hooked_is_written_and_undone_bit_for_bit(
    model: Editable,
    asked: list[Question],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    rows = random_rows(model, 1)
    patch_of(model, rows).save(tmp_path / "p.editkit.safetensors")
    patch = Patch.load(tmp_path / "p.editkit.safetensors")
    verify(patch, Checkpoint.open(model.folder))
    before, weights = logits(model, asked), [place.rows.clone() for place in model.w_outs]
    with adding(model, rows):
        hooked = logits(model, asked)
    write_patch(model.model, patch)
    written = logits(model, asked)
    undo_patch(model.model, patch)
    assert close(hooked, written, 1e-5)
    assert not close(before, written, 1e-2)
    assert torch.equal(logits(model, asked), before)
    assert all(torch.equal(old, place.rows) for old, place in zip(weights, model.w_outs, strict=True))


def test_recording_leaves_nothing_and_sees_every_matrix(model: Editable, asked: list[Question]) -> None:
    def hooks() -> int:
        return sum(len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.model.modules())

    before, seen = hooks(), {}
    with recording(model, lambda key, activations: seen.update({key: activations.shape})):
        logits(model, asked)
    assert hooks() == before
    dense = {place.key for place in model.w_outs if place.expert is None}
    assert dense <= set(seen) <= {place.key for place in model.w_outs}
    assert {layer for layer, _ in seen} == set(range(len(model.layers)))
    for key, shape in seen.items():
        assert (shape[0], shape[2]) == (3, model.w_out(*key).shape[0])


def test_a_merged_checkpoint_is_the_patched_model(
    family: Family,
    model: Editable,
    asked: list[Question],
    random_rows: Callable[..., Any],
    patch_of: Callable[..., Patch],
    tmp_path: Path,
) -> None:
    from editkit.model.open import open_model
    from editkit.recipe import ModelRef

    patch = patch_of(model, random_rows(model, 2))
    with patched(model.model, patch):
        expected = logits(model, asked)
        model.model.save_pretrained(tmp_path / "merged")
    model.processor.save_pretrained(tmp_path / "merged")
    again = open_model(ModelRef(id=str(tmp_path / "merged")))
    assert torch.equal(logits(again, asked), expected)


def test_it_is_located_and_solved_until_the_target_is_said(
    model: Editable,
    asked: list[Question],
    make_case: Callable[..., Case],
    make_edit: Callable[..., PlannedEdit],
    patch_of: Callable[..., Patch],
) -> None:
    tokenizer = model.tokenizer
    tokens = tuple(tokenizer.encode(" cup", add_special_tokens=False))
    text = tokenizer.decode(tokens)
    wanted = Wanted(text, tokens, tuple(range(len(tokens))))
    cases = [
        replace(make_case(tokenizer, question, " cup"), said=text, said_tokens=tokens, wanted=wanted)
        for question in asked
    ]
    plan = EditPlan((make_edit(tokenizer, "cup", kind="rewrite", target="cup"),), tuple(cases), 3)
    layers = tuple(range(len(model.layers)))
    found = Contribution().locate(model, plan, layers, 48, nobody)[0]
    assert len(found) == 48
    solver = Gradient(max_ratio=None, kl_weight=0.0, steps=80, lr=0.5, stop_at=0.02)
    delta = solver.solve(model, plan, found, seed=0, tell=nobody)
    assert set(delta.neurons()) == set(found.items)
    rows = {
        (part.layer, part.expert): (torch.tensor(part.neurons), torch.from_numpy(part.rows))
        for part in delta.layers
    }
    with patched(model.model, patch_of(model, rows)):
        said = [answer.tokens for answer in answers(model, asked, max_new_tokens=len(tokens))]
    assert said == [tokens] * 3
