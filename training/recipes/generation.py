"""Greedy and sampled generation, in batches for evaluation and token by token for the playground."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch


def require_adapter(folder: str) -> None:
    """Raise ValueError when a folder holds the whole model that full fine-tuning made."""
    if (Path(folder) / "model.safetensors").is_file():
        raise ValueError("This is a whole model, made by full fine-tuning to be compared with; only adapters are used.")


@torch.inference_mode()
def generate_batch(model: Any, tokenizer: Any, prompts: Sequence[str], *, max_new_tokens: int) -> list[str]:
    """Greedy continuations of the prompts (left-padded together), up to the end mark."""
    return _continue(model, tokenizer, prompts, max_new_tokens=max_new_tokens, do_sample=False)


@torch.inference_mode()
def sample_batch(
    model: Any, tokenizer: Any, prompts: Sequence[str], *, each: int, max_new_tokens: int, seed: str
) -> list[str]:
    """Some continuations of each prompt, one behind the other, drawn from the model's own distribution.

    The same prompts and seed give the same texts; the process's own random numbers go on as if nothing had been drawn.
    """
    drawn = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:6], "big")
    with torch.random.fork_rng():
        torch.manual_seed(drawn)
        sampled = {"do_sample": True, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "num_return_sequences": each}
        return _continue(model, tokenizer, prompts, max_new_tokens=max_new_tokens, **sampled)


def _continue(model: Any, tokenizer: Any, prompts: Sequence[str], **how: Any) -> list[str]:
    encoded = [tokenizer(prompt, add_special_tokens=False)["input_ids"] for prompt in prompts]
    length = max(len(tokens) for tokens in encoded)
    pad = tokenizer.pad_token_id
    ids = torch.tensor([[pad] * (length - len(tokens)) + tokens for tokens in encoded])
    mask = torch.tensor([[0] * (length - len(tokens)) + [1] * len(tokens) for tokens in encoded])
    made = model.generate(
        input_ids=ids.to(model.device),
        attention_mask=mask.to(model.device),
        pad_token_id=pad,
        eos_token_id=tokenizer.eos_token_id,
        **how,
    )
    return [tokenizer.decode(row[length:], skip_special_tokens=True).strip() for row in made]


def stream_tokens(
    model: Any, tokenizer: Any, prompt: str, *, max_new_tokens: int, temperature: float, seed: int
) -> Iterator[tuple[int, str]]:
    """Yield (tokens so far, new text) for each token up to the end mark; a text never ends inside a character.

    A character may be spread over several tokens: the text is empty until its last one, and what is still unfinished
    at the end comes as U+FFFD. Greedy at temperature 0, otherwise sampled, the same for the same seed.
    """
    how: dict[str, Any] = {"max_new_tokens": max_new_tokens, "temperature": temperature, "seed": seed}
    for _, count, piece in stream_together(model, tokenizer, prompt, [""], **how):
        yield count, piece


@torch.inference_mode()
def stream_together(
    model: Any,
    tokenizer: Any,
    prompt: str,
    names: Sequence[str],
    *,
    max_new_tokens: int,
    temperature: float,
    seed: int,
) -> Iterator[tuple[int, int, str]]:
    """The same for several adapters of one peft model that answer one prompt at once, a row of a batch each: (row,
    tokens so far, new text). The name "__base__" is the base alone; a single "" is the model as it is.

    Each row has the draws that it would have alone. A row that has come to its end takes no more time.
    """
    ids = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]] * len(names))
    said = [_Said(tokenizer, torch.Generator().manual_seed(seed)) for _ in names]
    going, cache = list(range(len(names))), None
    for _ in range(max_new_tokens):
        chosen = {"adapter_names": [names[row] for row in going]} if any(names) else {}
        output = model(input_ids=ids, past_key_values=cache, use_cache=True, **chosen)
        cache = output.past_key_values
        tokens = [
            said[row].draw(logits, temperature) for row, logits in zip(going, output.logits[:, -1].float(), strict=True)
        ]
        kept = [place for place, token in enumerate(tokens) if token != tokenizer.eos_token_id]
        for place in kept:
            row = going[place]
            yield row, *said[row].add(tokens[place])
        if not kept:
            break
        if len(kept) < len(going):
            cache.batch_select_indices(torch.tensor(kept))
        going = [going[place] for place in kept]
        ids = torch.tensor([[tokens[place]] for place in kept])
    for row, one in enumerate(said):
        if rest := one.rest():
            yield row, *rest


class _Said:
    """What one row has said so far, and how much of it was shown."""

    def __init__(self, tokenizer: Any, draws: torch.Generator) -> None:
        self._tokenizer, self._draws = tokenizer, draws
        self._tokens: list[int] = []
        self._shown = ""

    def draw(self, logits: torch.Tensor, temperature: float) -> int:
        """The next token."""
        if temperature > 0:
            return int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=self._draws))
        return int(logits.argmax())

    def add(self, token: int) -> tuple[int, str]:
        """(tokens so far, new text) with one more token."""
        self._tokens.append(token)
        text = self._tokenizer.decode(self._tokens, skip_special_tokens=True)
        whole = self._shown if text.endswith("\ufffd") else text
        piece, self._shown = whole[len(self._shown) :], whole
        return len(self._tokens), piece

    def rest(self) -> tuple[int, str] | None:
        """What is left of a character that was never finished."""
        rest = self._tokenizer.decode(self._tokens, skip_special_tokens=True)[len(self._shown) :]
        return (len(self._tokens), rest) if rest else None
