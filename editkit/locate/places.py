"""Where neurons are looked at in a fed batch, and what they do there in one number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from editkit.model.editable import Editable
from editkit.model.feed import Fed
from editkit.model.hooks import Spots
from editkit.model.sight import PicturePlace, picture_places

Reduce = Literal["max", "mean"]
At = Literal["picture", "answer"]


@dataclass(frozen=True)
class Places:
    """Some positions of every row of a batch, such as its picture's tokens, padded to the longest row.

    Attributes:
        spots: `n * length` of them, row by row.
        seen: which of them are no padding, bool `[n, length]`.
        pictures: where they are picture tokens, the one picture of each row, or the first of several.
    """

    spots: Spots
    seen: Tensor
    pictures: tuple[PicturePlace, ...]

    def reduced(self, values: Tensor, how: Reduce, within: Tensor | None = None) -> Tensor:
        """`[n * length, d]` -> `[n, d]`, over all places of a row or those `within`, bool `[n, length]`."""
        kept = (self.seen if within is None else within & self.seen).to(values.device)
        table = values.unflatten(0, self.seen.shape)
        if how == "max":
            return torch.amax(table.masked_fill(~kept[..., None], -torch.inf), 1)
        total = torch.sum(table.masked_fill(~kept[..., None], 0.0), 1)
        return total / kept.sum(1, keepdim=True).clamp(min=1)

    def of_columns(self, columns: Sequence[Tensor]) -> Tensor:
        """Which places are at these columns, given for every row: bool `[n, length]`."""
        own = self.spots.columns.unflatten(0, self.seen.shape)
        rows = [torch.isin(row, wanted) for row, wanted in zip(own, columns, strict=True)]
        return torch.stack(rows) & self.seen


def at_answers(fed: Fed, said: Sequence[Sequence[int]]) -> Places:
    """Positions whose next token is one of some in each row's answer.

    Args:
        said: for each row the places of those tokens in what it says, one at least.
    """
    longest = max(len(row) for row in said)
    columns = torch.tensor([[*row, *[row[-1]] * (longest - len(row))] for row in said]) + fed.n_prompt - 1
    seen = torch.arange(longest)[None] < torch.tensor([len(row) for row in said])[:, None]
    rows = torch.arange(len(said))[:, None].expand_as(columns)
    return Places(Spots(rows.flatten(), columns.flatten()), seen, ())


def at_pictures(editable: Editable, fed: Fed) -> Places | None:
    """Where a batch's pictures are; None where its layers see no picture token.

    That is so for text, where an encoder reads the prompt, and where pictures are seen through
    cross-attention.
    """
    if editable.encoder_decoder:
        return None
    pictures = picture_places(editable, fed)
    columns = [torch.cat([one.columns for one in row]) if row else torch.zeros(0) for row in pictures]
    if any(len(row) == 0 for row in columns):
        return None
    longest = max(len(row) for row in columns)
    padded = torch.stack([torch.cat([row, row[-1:].expand(longest - len(row))]) for row in columns])
    seen = torch.arange(longest)[None] < torch.tensor([len(row) for row in columns])[:, None]
    rows = torch.arange(len(columns))[:, None].expand_as(padded)
    return Places(Spots(rows.flatten(), padded.flatten().long()), seen, tuple(row[0] for row in pictures))
