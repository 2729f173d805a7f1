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


@torch.inference_mode()
def stream_tokens(
    model: Any, tokenizer: Any, prompt: str, *, max_new_tokens: int, temperature: float, seed: int
) -> Iterator[tuple[int, str]]:
    """Yield (tokens so far, new text) for each token up to the end mark; a text never ends inside a character.

    A character may be spread over several tokens: the text is empty until its last one, and what is still unfinished
    at the end comes as U+FFFD. Greedy at temperature 0, otherwise sampled, the same for the same seed.
    """
    generator = torch.Generator().manual_seed(seed)
    ids = torch.tensor([tokenizer(prompt, add_special_tokens=False)["input_ids"]])
    cache, made, shown = None, [], ""
    for _ in range(max_new_tokens):
        output = model(input_ids=ids, past_key_values=cache, use_cache=True)
        cache, logits = output.past_key_values, output.logits[0, -1].float()
        if temperature > 0:
            token = int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator))
        else:
            token = int(logits.argmax())
        if token == tokenizer.eos_token_id:
            break
        made.append(token)
        text = tokenizer.decode(made, skip_special_tokens=True)
        whole = shown if text.endswith("\ufffd") else text
        yield len(made), whole[len(shown) :]
        shown = whole
        ids = torch.tensor([[token]])
    rest = tokenizer.decode(made, skip_special_tokens=True)[len(shown) :]
    if rest:
        yield len(made), rest
