"""From release rows to token batches: the prompt, the loss mask, and an order that depends on the rows alone."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

IGNORED = -100


@dataclass(frozen=True)
class Row:
    """One lesson of a release: what the model is told it is, what it is asked, and what it should say."""

    id: str
    system: str
    request: str
    completion: str
    source: str = ""
    """The sentence alone, for people who look at samples; empty where the request is the sentence."""


@dataclass(frozen=True)
class Example:
    """A row as tokens: `tokens` = prompt + completion + end mark; the first `prompt` of them carry no loss."""

    id: str
    tokens: tuple[int, ...]
    prompt: int
    target_bytes: int


def read_rows(path: Path | str) -> list[Row]:
    """The rows of a release's JSON Lines file. Raises ValueError that names the line of a row it cannot use."""
    rows = []
    # Not splitlines(): a sentence may hold U+2028 and its like, which JSON leaves as they are.
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), start=1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
            lesson = value["lesson"]
            row = Row(
                id=str(value["id"]),
                system=lesson["system"],
                request=lesson["request"],
                completion=lesson["completion"],
                source=str(value.get("source") or value.get("text") or ""),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"Line {number} of {Path(path).name} is no lesson ({error!r}).") from error
        if not all(isinstance(part, str) for part in (row.system, row.request, row.completion)) or not row.completion:
            raise ValueError(f"Line {number} of {Path(path).name} has nothing to say.")
        rows.append(row)
    return rows


def prompt_of(tokenizer: Any, *, system: str, request: str) -> str:
    """The chat prompt up to where the answer begins.

    Without a system message of our own the template adds a long one that costs tokens in every row.
    """
    messages = [{"role": "system", "content": system}, {"role": "user", "content": request}]
    return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True))


def encode(tokenizer: Any, row: Row, *, max_length: int) -> Example | None:
    """The row as tokens; None when it is longer than `max_length` (a cut sentence would teach a wrong end)."""
    prompt = prompt_of(tokenizer, system=row.system, request=row.request)
    first = tokenizer(prompt, add_special_tokens=False)["input_ids"]
    rest = tokenizer(row.completion, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    if len(first) + len(rest) > max_length:
        return None
    return Example(row.id, (*first, *rest), len(first), len(row.completion.encode()))


def ordered(examples: Sequence[Example], *, seed: int, epoch: int) -> list[Example]:
    """The examples by a keyed hash of their ids: taking rows away never changes the order of the others."""

    def key(example: Example) -> bytes:
        return hmac.new(f"{seed}:{epoch}".encode(), example.id.encode(), hashlib.sha256).digest()

    return sorted(examples, key=key)


def batches_of(examples: Sequence[Example], size: int) -> list[list[Example]]:
    """Cut into batches within windows of eight batches, by length inside a window: little padding, mixed order."""
    window = 8 * size
    result: list[list[Example]] = []
    for start in range(0, len(examples), window):
        part = sorted(examples[start : start + window], key=lambda example: (len(example.tokens), example.id))
        cut = [part[i : i + size] for i in range(0, len(part), size)]
        # Not from short to long in every window: the position in it follows the batch's first id.
        result.extend(sorted(cut, key=lambda batch: hashlib.sha256(batch[0].id.encode()).digest()))
    return result


def parts_of(batch: Sequence[Example], tokens: int) -> list[list[Example]]:
    """Cut a batch into parts of at most `tokens` tokens, padding included; a longer example is a part alone."""
    parts: list[list[Example]] = [[]]
    for example in sorted(batch, key=lambda one: (len(one.tokens), one.id)):
        if parts[-1] and (len(parts[-1]) + 1) * len(example.tokens) > tokens:
            parts.append([])
        parts[-1].append(example)
    return parts


def collate(batch: Sequence[Example], pad: int) -> dict[str, Tensor]:
    """Right-padded int64 tensors (batch, length): input_ids, attention_mask, and labels on completions only."""
    length = max(len(example.tokens) for example in batch)
    ids = torch.full((len(batch), length), pad, dtype=torch.long)
    mask = torch.zeros((len(batch), length), dtype=torch.long)
    labels = torch.full((len(batch), length), IGNORED, dtype=torch.long)
    for row, example in enumerate(batch):
        size = len(example.tokens)
        ids[row, :size] = torch.tensor(example.tokens)
        mask[row, :size] = 1
        labels[row, example.prompt : size] = ids[row, example.prompt : size]
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}
