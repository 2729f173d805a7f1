"""How well a model foretells text: summed negative log-likelihood of the completions, in nats."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

IGNORED = -100


def completion_losses(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Negative log-likelihood in nats of every labelled token, shape (labelled tokens,).

    Labels are shifted: position t foretells token t + 1. The output layer, a fifth of a small model's work, is
    computed at labelled positions only; the result is the same.
    """
    labels = batch["labels"][:, 1:]
    wanted = labels != IGNORED
    core = model.get_base_model() if hasattr(model, "get_base_model") else model
    hidden = core.model(
        input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], use_cache=False
    ).last_hidden_state[:, :-1]
    logits = core.lm_head(hidden[wanted])
    return F.cross_entropy(logits.float(), labels[wanted], reduction="none")


@torch.no_grad()
def sentence_losses(model: Any, batch: dict[str, Tensor]) -> list[float]:
    """Summed loss in nats of each row's completion, end mark included."""
    wanted = batch["labels"][:, 1:] != IGNORED
    losses = completion_losses(model, batch)
    sums = torch.zeros(wanted.shape[0], dtype=torch.float64)
    rows = wanted.nonzero()[:, 0]
    sums.index_add_(0, rows.cpu(), losses.double().cpu())
    return [float(value) for value in sums]
