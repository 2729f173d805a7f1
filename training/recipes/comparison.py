"""Base model against adapter on held-out sentences: bits per byte, chrF++, and samples side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from training.evaluation.likelihood import sentence_losses
from training.evaluation.scores import bits_per_byte, chrf, difference_interval, sentence_chrf
from training.recipes.configuration import Configuration
from training.recipes.generation import generate_batch
from training.recipes.journal import Journal, Stopped
from training.recipes.text import TOKENS_AT_ONCE, Example, Row, ordered, pack, parts_of, prompt_of

GENERATION_BATCH = 12


def compare(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    rows: Sequence[Row],
    config: Configuration,
    journal: Journal,
    base_of: Callable[[Any, Configuration], AbstractContextManager[Any]],
) -> dict[str, Any]:
    """The evaluation part of a report. `base_of` gives the base model; an adapter's is the same model without it."""
    chosen = ordered(examples, seed=config.recipe.seed, epoch=-2)[: config.evaluation.max_items]
    batches = parts_of(chosen, TOKENS_AT_ONCE)
    by_id = {row.id: row for row in rows}
    asked = [by_id[example.id] for example in chosen[: config.evaluation.generate_items]]
    work = _Work(journal, of=2 * (len(chosen) + len(asked)))

    adapter_nats, adapter_texts = _measure(model, tokenizer, batches, asked, config, work)
    with base_of(model, config) as base:
        base_nats, base_texts = _measure(base, tokenizer, batches, asked, config, work)

    sizes = [example.target_bytes for batch in batches for example in batch]
    interval = difference_interval(base_nats, adapter_nats, sizes, seed=config.recipe.seed)
    references = [row.completion for row in asked]
    return {
        "items": len(sizes),
        "generated_items": len(asked),
        "base_bpb": bits_per_byte(base_nats, sizes),
        "adapter_bpb": bits_per_byte(adapter_nats, sizes),
        "bpb_difference_ci95": [interval.low, interval.high],
        "base_chrf": chrf(base_texts, references),
        "adapter_chrf": chrf(adapter_texts, references),
        "samples": [
            {
                "id": row.id,
                "source": row.source or row.request,
                "reference": row.completion,
                "base": plain,
                "adapter": adapter,
                "base_chrf": sentence_chrf(plain, row.completion),
                "adapter_chrf": sentence_chrf(adapter, row.completion),
            }
            for row, plain, adapter in zip(asked, base_texts, adapter_texts, strict=True)
        ][: config.evaluation.samples],
    }


class _Work:
    """Progress of the evaluation, in sentences."""

    def __init__(self, journal: Journal, of: int) -> None:
        self._journal, self._of, self._done = journal, of, 0

    def add(self, done: int) -> None:
        self._done += done
        self._journal.write("progress", phase="evaluating", done=self._done, of=self._of)
        if self._journal.stop_asked:
            raise Stopped


def _measure(
    model: Any,
    tokenizer: Any,
    batches: Sequence[list[Example]],
    asked: Sequence[Row],
    config: Configuration,
    work: _Work,
) -> tuple[list[float], list[str]]:
    nats: list[float] = []
    for batch in batches:
        nats += sentence_losses(model, {name: value.to(model.device) for name, value in pack(batch).items()})
        work.add(len(batch))
    texts: list[str] = []
    for start in range(0, len(asked), GENERATION_BATCH):
        part = asked[start : start + GENERATION_BATCH]
        prompts = [prompt_of(tokenizer, system=row.system, request=row.request) for row in part]
        texts += generate_batch(model, tokenizer, prompts, max_new_tokens=config.evaluation.max_new_tokens)
        work.add(len(part))
    return nats, texts
