"""From release rows to token batches: the prompt, the loss mask, and an order that depends on the rows alone."""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from training.recipes.configuration import RecipeSettings
from training.recipes.rows import Row, read_rows

IGNORED = -100
# A step's activations are the largest part of the memory, so a larger batch is read in parts of this many tokens. The
# gradient is the same.
TOKENS_AT_ONCE = RecipeSettings().tokens_at_once

AnyLesson = TypeVar("AnyLesson", bound="Lesson")


class Lesson(Protocol):
    """What one step may learn from: something with an id, and the tokens that are read for it."""

    @property
    def id(self) -> str:
        """By which it is ordered."""

    @property
    def tokens(self) -> Sequence[int]:
        """All that the model reads."""


@dataclass(frozen=True)
class Example:
    """A row as tokens: `tokens` = prompt + completion + end mark; the first `prompt` of them carry no loss."""

    id: str
    tokens: tuple[int, ...]
    prompt: int
    target_bytes: int


def prompt_of(tokenizer: Any, *, system: str, request: str, shots: Sequence[Row] = ()) -> str:
    """The chat prompt up to where the answer begins; `shots` are rows that are shown with their answers before it.

    Without a system message of our own the template adds a long one that costs tokens in every row.
    """
    messages = [{"role": "system", "content": system}]
    for shot in shots:
        messages += [{"role": "user", "content": shot.request}, {"role": "assistant", "content": shot.completion}]
    messages.append({"role": "user", "content": request})
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def encode(tokenizer: Any, row: Row, *, max_length: int, shots: Sequence[Row] = ()) -> Example | None:
    """The row as tokens; None when it is longer than `max_length` (a cut sentence would teach a wrong end)."""
    prompt = prompt_of(tokenizer, system=row.system, request=row.request, shots=shots)
    first = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    rest = tokenizer(row.completion, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    if len(first) + len(rest) > max_length:
        return None
    return Example(row.id, (*first, *rest), len(first), len(row.completion.encode()))


def ordered(examples: Sequence[AnyLesson], *, seed: int, epoch: int) -> list[AnyLesson]:
    """The examples by a keyed hash of their ids: taking rows away never changes the order of the others."""

    def key(example: Lesson) -> bytes:
        return hmac.new(f"{seed}:{epoch}".encode(), example.id.encode(), hashlib.sha256).digest()

    return sorted(examples, key=key)


def within_budget(examples: Sequence[Example], settings: RecipeSettings) -> list[Example]:
    """The first examples, one at least, whose tokens are no more than `token_budget` and `token_share` allow.

    Which come first follows from seed and ids, so that a small budget's examples are among those of a larger one.
    """
    whole = sum(len(example.tokens) for example in examples)
    budget = min(settings.token_budget or whole, math.floor(settings.token_share * whole))
    if budget >= whole:
        return list(examples)
    order = ordered(examples, seed=settings.seed, epoch=-8)
    ends = accumulate(len(example.tokens) for example in order)
    return [example for place, (example, end) in enumerate(zip(order, ends, strict=True)) if end <= budget or not place]


def batches_of(examples: Sequence[AnyLesson], size: int) -> list[list[AnyLesson]]:
    """Cut into batches of `size` examples, the last perhaps smaller, in the order given.

    Rows that are packed waste nothing on unlike lengths, so nothing is sorted: order and batches follow from the
    remaining rows alone (docs/decisions/0005-rows-are-packed.md).
    """
    return [list(examples[start : start + size]) for start in range(0, len(examples), size)]


def parts_of(batch: Sequence[AnyLesson], tokens: int) -> list[list[AnyLesson]]:
    """Cut a batch, in its order, into parts of at most `tokens` tokens; a longer example is a part alone."""
    parts: list[list[AnyLesson]] = [[]]
    size = 0
    for example in batch:
        if parts[-1] and size + len(example.tokens) > tokens:
            parts.append([])
            size = 0
        parts[-1].append(example)
        size += len(example.tokens)
    return parts if parts[0] else []


def pack(batch: Sequence[Example]) -> dict[str, Tensor]:
    """The examples one behind the other in one row of int64 tensors (1, tokens), without any padding.

    `position_ids` begin at 0 in every example: by that, and because no attention mask is given, the model keeps them
    apart (`completion_hidden` in training/evaluation/likelihood.py). `labels` are on completions only, and never on an
    example's first token, which nothing foretells. `rows` says to which example each token belongs.
    """
    ids = [token for example in batch for token in example.tokens]
    labels = [
        token if place >= max(example.prompt, 1) else IGNORED
        for example in batch
        for place, token in enumerate(example.tokens)
    ]
    return {
        "input_ids": torch.tensor([ids]),
        "position_ids": torch.tensor([[place for example in batch for place in range(len(example.tokens))]]),
        "labels": torch.tensor([labels]),
        "rows": torch.tensor([[row for row, example in enumerate(batch) for _ in example.tokens]]),
    }


__all__ = [
    "IGNORED",
    "TOKENS_AT_ONCE",
    "AnyLesson",
    "Example",
    "Lesson",
    "Row",
    "batches_of",
    "encode",
    "ordered",
    "pack",
    "parts_of",
    "prompt_of",
    "read_rows",
    "within_budget",
]
