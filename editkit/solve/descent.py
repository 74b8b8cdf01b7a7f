"""The loss of a change, and the descent along it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from editkit.errors import SolveError
from editkit.events import Measured, Tell, stage
from editkit.model.editable import Editable
from editkit.model.hooks import Spots, recording
from editkit.neuron import MatrixKey
from editkit.solve.constraint import project
from editkit.solve.lessons import Lesson


@dataclass(frozen=True)
class Change:
    """The rows that may move in one W_out.

    Attributes:
        neurons: int64 `[k]`; `rows` their weights, float32 `[k, d_model]`.
        bound: the longest change of each row, `[k]`.
        delta: the change, `[k, d_model]`, a leaf that gradients flow to.
        moment: second moment of the neurons' activations on preserve cases, `[k, k]`.
    """

    neurons: Tensor
    rows: Tensor
    bound: Tensor
    delta: Tensor
    moment: Tensor


@torch.no_grad()
def second_moments(
    editable: Editable, lessons: Sequence[Lesson], places: Mapping[MatrixKey, Tensor]
) -> dict[MatrixKey, Tensor]:
    """Mean outer product of the chosen neurons' activations at the lessons' positions, W_out -> `[k, k]`."""
    total = {key: torch.zeros(len(own), len(own), device=own.device) for key, own in places.items()}
    count = 0
    for lesson in lessons:
        where = lesson.replay.where

        def watch(key: MatrixKey, activations: Tensor) -> None:
            some = activations[:, places[key]].float()
            total[key] += some.T @ some

        with recording(editable, watch, places, Spots(where.rows, where.columns)):
            lesson.replay.logits({}, shortcut=False)
        count += len(where.rows)
    return {key: value / max(1, count) for key, value in total.items()}


def _divergence(wanted_log: Tensor, log_p: Tensor) -> Tensor:
    """KL(wanted || p) of each position, in nats; zero probabilities count nothing."""
    wanted = wanted_log.exp()
    return (wanted * (wanted_log.clamp(min=-1e4) - log_p)).sum(-1)


@dataclass(frozen=True)
class Losses:
    """What one lesson asks for, in nats.

    Attributes:
        target: weighted KL(wanted || p) at the positions where another distribution is wanted.
        margin: weighted shortfall there of the likeliest wanted token's lead over those it has to overtake.
        kept: summed KL(before || p) at the other `count` positions.
    """

    target: Tensor
    margin: Tensor
    kept: Tensor
    count: int


def losses(lesson: Lesson, changes: Mapping[MatrixKey, Change], margin: float) -> Losses:
    """The losses of one lesson under a change.

    Args:
        margin: the lead asked for, in nats: greedy decoding says the likeliest token, so a lost word with a
            small share of a spread-out distribution would still be said.
    """
    rows = {key: (change.neurons, change.delta) for key, change in changes.items()}
    log_p = lesson.replay.logits(rows).float().log_softmax(-1)
    target = short = kept = log_p.new_zeros(())
    if len(lesson.changed):
        there = log_p[lesson.changed]
        target = (_divergence(lesson.wanted.log(), there) * lesson.weight).sum()
        lead = there.gather(1, lesson.wanted.argmax(-1, keepdim=True)).squeeze(1)
        rival = there.masked_fill(~lesson.lost, -torch.inf).amax(-1)
        short = ((margin - lead + rival).clamp(min=0.0) * lesson.weight).sum()
    if len(lesson.kept):
        kept = _divergence(lesson.replay.before()[lesson.kept], log_p[lesson.kept]).sum()
    return Losses(target, short, kept, len(lesson.kept))


def _endless(lessons: Sequence[Lesson], seed: int) -> Iterator[Lesson]:
    generator = torch.Generator().manual_seed(seed)
    while True:
        for place in torch.randperm(len(lessons), generator=generator).tolist():
            yield lessons[place]


def descend(
    edits: Sequence[Lesson],
    preserves: Sequence[Sequence[Lesson]],
    changes: Mapping[MatrixKey, Change],
    *,
    steps: int,
    lr: float,
    kl_weight: float,
    drift_weight: float,
    margin: float,
    stop_at: float,
    seed: int,
    tell: Tell,
) -> None:
    """Adam on the changes' deltas, projected into their bounds after every step; the step size falls to zero.

    Args:
        preserves: groups of lessons (far, near); each step takes one lesson of every group.

    Raises:
        SolveError: the loss is no number.
    """
    parameters = [change.delta for change in changes.values()]
    scale = float(torch.cat([change.rows.flatten() for change in changes.values()]).pow(2).mean().sqrt())
    optimizer = torch.optim.Adam(parameters, lr=lr * scale)
    streams = [_endless(group, seed + 1 + place) for place, group in enumerate(preserves) if group]
    stream, calm = _endless(edits, seed), 0
    with stage(tell, "solve", steps) as advance:
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = lr * scale * (1 - step / steps)
            optimizer.zero_grad()
            own = losses(next(stream), changes, margin)
            # A lesson is one of that many parts of the edit cases.
            target, short = own.target * len(edits), own.margin * len(edits)
            preserve = own.kept / max(1, own.count)
            for other in streams:
                some = losses(next(other), changes, margin)
                preserve = preserve + some.kept / max(1, some.count)
            drift = sum(
                (((change.moment @ change.delta) * change.delta).sum() for change in changes.values()),
                start=target.new_zeros(()),
            )
            loss = target + short + kl_weight * preserve + drift_weight * drift / len(changes)
            if not torch.isfinite(loss):
                raise SolveError(
                    f"the loss is no number at step {step}: lower solve.lr, or use dtype float32"
                )
            loss.backward()
            optimizer.step()
            for change in changes.values():
                project(change.delta, change.bound)
            for key, value in (
                ("target", target),
                ("margin", short),
                ("preserve", preserve),
                ("drift", drift),
            ):
                tell(Measured(f"loss/{key}", value.item(), step))
            advance(1, f"target {target.item():.4f}, preserve {preserve.item():.4f}")
            calm = calm + 1 if target.item() + short.item() < stop_at else 0
            if calm >= 2 * len(edits):
                break
