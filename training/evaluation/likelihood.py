"""How well a model foretells text: negative log-likelihood of the completions, in nats.

A batch is one row of packed examples as `training.recipes.text.pack` makes it: input_ids, position_ids, labels and
rows, each (1, tokens).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from training.evaluation.apart import examples_apart

IGNORED = -100
# The scores of the vocabulary for 2048 tokens of a small model take 400 MB; so they are made in pieces this large.
LOGITS_BYTES = 64 << 20


def completion_hidden(model: Any, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
    """What the last layer says where a labelled token is foretold, (labelled tokens, width); the tokens; and the number
    of the example that each belongs to.

    Labels are shifted: position t foretells token t + 1.
    """
    labels = batch["labels"][:, 1:]
    wanted = labels != IGNORED
    hidden = packed_hidden(model, batch)
    return hidden[:, :-1][wanted], labels[wanted], batch["rows"][:, 1:][wanted]


def packed_hidden(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """What the last layer says of every token, (1, tokens, width).

    Examples do not see each other under three conditions, all of them needed: positions that begin anew, no attention
    mask (a mask of ones would let them), and no cache.
    """
    core, places = _core(model), batch["position_ids"]
    with examples_apart(core, places):
        hidden: Tensor = core.model(
            input_ids=batch["input_ids"], position_ids=places, attention_mask=None, use_cache=False
        ).last_hidden_state
    return hidden


def completion_loss(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """Negative log-likelihood in nats, summed over all labelled tokens; to be trained on.

    The output layer, a fifth of a small model's work, is computed at labelled positions only, and at no time are there
    more than LOGITS_BYTES of scores. Loss and gradient are the same as those of the whole.
    """
    losses, _ = _token_losses(model, batch)
    return losses.sum()


def completion_losses(model: Any, batch: dict[str, Tensor]) -> Tensor:
    """`completion_loss` of each example apart, float32 (examples,); each may weigh something else in what is trained
    on. Raises RuntimeError on the way back where the output layer itself is trained."""
    losses, rows = _token_losses(model, batch)
    return losses.new_zeros(_count(batch)).index_add(0, rows, losses)


def _token_losses(model: Any, batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    hidden, labels, rows = completion_hidden(model, batch)
    head = _core(model).lm_head
    if not isinstance(head, torch.nn.Linear) or head.bias is not None:
        return F.cross_entropy(head(hidden).float(), labels, reduction="none"), rows
    losses: Tensor = _TokenLosses.apply(hidden, head.weight, labels)
    return losses, rows


@torch.no_grad()
def sentence_losses(model: Any, batch: dict[str, Tensor]) -> list[float]:
    """Summed loss in nats of each example's completion, end mark included."""
    hidden, labels, rows = completion_hidden(model, batch)
    head = _core(model).lm_head
    losses = [
        F.cross_entropy(head(hidden[part]).float(), labels[part], reduction="none") for part in _pieces(hidden, head)
    ]
    return _sums(torch.cat(losses), rows, _count(batch))


@torch.no_grad()
def sentence_readings(model: Any, batch: dict[str, Tensor]) -> list[tuple[float, float]]:
    """For each example of the batch, its completion's summed loss in nats (as `sentence_losses`), and the mean entropy,
    in bits a token, of the distributions from which its tokens were foretold: how unsure the model was of them.

    An example without a labelled token gives (0, 0).
    """
    hidden, labels, rows = completion_hidden(model, batch)
    head = _core(model).lm_head
    losses, entropies = [labels.new_zeros(0).float()], [labels.new_zeros(0).float()]
    for part in _pieces(hidden, head):
        logarithms = F.log_softmax(head(hidden[part]).float(), dim=-1)
        losses.append(F.nll_loss(logarithms, labels[part], reduction="none"))
        entropies.append(-(logarithms.exp() * logarithms).sum(dim=-1) / math.log(2))
    size = _count(batch)
    counts = torch.bincount(rows, minlength=size).clamp(min=1).tolist()
    means = [total / count for total, count in zip(_sums(torch.cat(entropies), rows, size), counts, strict=True)]
    return list(zip(_sums(torch.cat(losses), rows, size), means, strict=True))


@torch.no_grad()
def shared_recalls(model: Any, examples: Sequence[tuple[Sequence[int], int]]) -> list[tuple[float, bool]]:
    """For each example (its tokens, and how many of them are its request) the summed loss of its answer in nats, and
    whether each of the answer's tokens is the likeliest: whether greedy decoding writes exactly this answer.

    What examples begin alike is read once for all, in one row: a token sees those before it of its own example, and
    nothing else. Answers to one request cost little more than one.
    """
    laid = _Laid(examples)
    core, device = _core(model), model.device
    hidden = core.model(
        input_ids=torch.tensor([laid.ids], device=device),
        position_ids=torch.tensor([laid.places], device=device),
        attention_mask=laid.mask(core.lm_head.weight.dtype).to(device),
        use_cache=False,
    ).last_hidden_state[0, laid.before]
    labels = torch.tensor(laid.labels, device=device)
    losses, misses = [], []
    for part in _pieces(hidden, core.lm_head):
        scores = core.lm_head(hidden[part]).float()
        losses.append(F.cross_entropy(scores, labels[part], reduction="none"))
        misses.append((scores.argmax(dim=-1) != labels[part]).float())
    rows = torch.tensor(laid.rows)
    nats, missed = (_sums(torch.cat(some), rows, len(examples)) for some in (losses, misses))
    return [(one, not number) for one, number in zip(nats, missed, strict=True)]


class _Laid:
    """Examples as a tree whose branches part where they differ: its tokens and their positions; and of each token of an
    answer the label, the number of the example, and where it is foretold."""

    def __init__(self, examples: Sequence[tuple[Sequence[int], int]]) -> None:
        self.ids: list[int] = []
        self.places: list[int] = []
        self.labels: list[int] = []
        self.rows: list[int] = []
        self.before: list[int] = []
        self._parents: list[int] = []
        known: dict[tuple[int, int], int] = {}
        for number, (tokens, prompt) in enumerate(examples):
            path = [-1]
            for place, token in enumerate(tokens):
                if (path[-1], token) not in known:
                    known[path[-1], token] = len(self.ids)
                    self.ids.append(token)
                    self.places.append(place)
                    self._parents.append(path[-1])
                path.append(known[path[-1], token])
            self.before += path[prompt:-1]
            self.labels += tokens[prompt:]
            self.rows += [number] * (len(tokens) - prompt)

    def mask(self, dtype: torch.dtype) -> Tensor:
        """What each token sees, to be added to the scores of attention, (1, 1, tokens, tokens)."""
        seen = torch.eye(len(self.ids), dtype=torch.bool)
        for one, parent in enumerate(self._parents):
            if parent >= 0:
                seen[one] |= seen[parent]
        return torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, torch.finfo(dtype).min)[None, None]


class _TokenLosses(torch.autograd.Function):
    """Cross entropy of hidden @ weight.T, piece by piece; a piece's gradient is taken while its scores are there.

    The gradient of a cross entropy is (softmax - one-hot) @ weight, so nothing of the vocabulary's size need be kept
    for the way back. By the weight it is kept as a sum, which is right only while all tokens weigh the same.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, labels: Tensor) -> Tensor:
        """The losses, float32 (tokens,), and the gradients for `backward`; one buffer is scores, probabilities and
        gradient in turn."""
        wants_hidden, wants_weight, _ = ctx.needs_input_grad
        by_hidden = torch.empty_like(hidden) if wants_hidden else None
        by_weight = torch.zeros_like(weight) if wants_weight else None
        losses = hidden.new_empty(len(hidden), dtype=torch.float32)
        for part in _pieces(hidden, weight):
            scores = F.linear(hidden[part], weight).float()
            places = torch.arange(len(scores), device=scores.device)
            most = scores.amax(dim=-1, keepdim=True)
            right = scores[places, labels[part]] - most[:, 0]
            mass = scores.sub_(most).exp_().sum(dim=-1, keepdim=True)
            losses[part] = mass[:, 0].log() - right
            scores.div_(mass)
            scores[places, labels[part]] -= 1
            if by_hidden is not None:
                by_hidden[part] = scores.to(weight.dtype) @ weight
            if by_weight is not None:
                by_weight.addmm_(scores.to(weight.dtype).T, hidden[part])
        ctx.save_for_backward(by_hidden, by_weight)
        return losses

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """The gradients of `forward`, times what comes from above for each token."""
        by_hidden, by_weight = ctx.saved_tensors
        above = gradients[0]
        if by_weight is not None and bool((above != above[0]).any()):
            raise RuntimeError("Tokens of unlike weight cannot train the output layer.")
        return (
            None if by_hidden is None else by_hidden * above[:, None].to(by_hidden.dtype),
            None if by_weight is None else by_weight * above[0].to(by_weight.dtype),
            None,
        )


def _core(model: Any) -> Any:
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def _pieces(hidden: Tensor, head: Any) -> Iterator[slice]:
    """Slices of the labelled tokens whose scores, in float32, fit into LOGITS_BYTES."""
    vocabulary = len(head) if isinstance(head, Tensor) else len(head.weight)
    size = max(1, LOGITS_BYTES // (4 * vocabulary))
    return (slice(start, start + size) for start in range(0, len(hidden), size))


def _count(batch: dict[str, Tensor]) -> int:
    return int(batch["rows"][0, -1]) + 1


def _sums(values: Tensor, rows: Tensor, size: int) -> list[float]:
    sums = torch.zeros(size, dtype=torch.float64)
    sums.index_add_(0, rows.cpu(), values.double().cpu())
    return [float(value) for value in sums]
