"""How well a model foretells text: summed negative log-likelihood of the completions, in nats."""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = -100


def completion_logits(model: Any, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """Scores of the vocabulary where a labelled token is foretold: (labelled tokens, vocabulary) in float32; the
    tokens; and the row of the batch that each belongs to.

    Labels are shifted: position t foretells token t + 1. The output layer, a fifth of a small model's work, is
    computed at labelled positions only; the result is the same.
    """
    labels = batch["labels"][:, 1:]
    wanted = labels != IGNORED
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = core.model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    ).last_hidden_state[:, :-1]
    return core.lm_head(hidden[wanted]).float(), labels[wanted], wanted.nonzero()[:, 0]


def completion_losses(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Negative log-likelihood in nats of every labelled token, shape (labelled tokens,)."""
    logits, labels, _ = completion_logits(model, batch)
    return F.cross_entropy(logits, labels, reduction="none")


@torch.no_grad()
def sentence_losses(model: Any, batch: dict[str, Tensor]) -> list[float]:
    """Summed loss in nats of each row's completion, end mark included."""
    logits, labels, rows = completion_logits(model, batch)
    return _sums(F.cross_entropy(logits, labels, reduction="none"), rows, len(batch["labels"]))


@torch.no_grad()
def sentence_readings(model: Any, batch: dict[str, Tensor]) -> list[tuple[float, float]]:
    """For each row of the batch, its completion's summed loss in nats (as `sentence_losses`), and the mean entropy,
    in bits a token, of the distributions from which its tokens were foretold: how unsure the model was of them.

    A row without a labelled token gives (0, 0).
    """
    logits, labels, rows = completion_logits(model, batch)
    logarithms = F.log_softmax(logits, dim=-1)
    losses = F.nll_loss(logarithms, labels, reduction="none")
    entropies = -(logarithms.exp() * logarithms).sum(dim=-1) / math.log(2)
    size = len(batch["labels"])
    counts = torch.bincount(rows, minlength=size).clamp(min=1).tolist()
    means = [total / count for total, count in zip(_sums(entropies, rows, size), counts, strict=True)]
    return list(zip(_sums(losses, rows, size), means, strict=True))


def _sums(values: Tensor, rows: Tensor, size: int) -> list[float]:
    sums = torch.zeros(size, dtype=torch.float64)
    sums.index_add_(0, rows.cpu(), values.double().cpu())
    return [float(value) for value in sums]
