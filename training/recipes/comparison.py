"""Base model against adapter: bits per byte and the scores of the task on held-out sentences, what was forgotten of
other languages, and samples side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from training.evaluation.forgetting import FixedText, forgotten, texts_beside
from training.evaluation.likelihood import sentence_losses
from training.evaluation.scores import bits_per_byte, chrf, difference_interval, sentence_chrf
from training.evaluation.tasks import compare_on_task
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
    beside = texts_beside(config.language.target_tag, config.language.source_tag)
    work = _Work(journal, of=2 * (len(chosen) + len(asked) + len(beside)))

    adapter_nats, adapter_texts = _measure(model, tokenizer, batches, asked, config, work)
    after = [_read_plainly(model, tokenizer, text, work) for text in beside]
    with base_of(model, config) as base:
        base_nats, base_texts = _measure(base, tokenizer, batches, asked, config, work)
        before = [_read_plainly(base, tokenizer, text, work) for text in beside]

    sizes = [example.target_bytes for batch in batches for example in batch]
    interval = difference_interval(base_nats, adapter_nats, sizes, seed=config.recipe.seed)
    references = [row.completion for row in asked]
    sources = [row.source or row.request for row in asked]
    return {
        "items": len(sizes),
        "generated_items": len(asked),
        "base_bpb": bits_per_byte(base_nats, sizes),
        "adapter_bpb": bits_per_byte(adapter_nats, sizes),
        "bpb_difference_ci95": [interval.low, interval.high],
        "base_chrf": chrf(base_texts, references),
        "adapter_chrf": chrf(adapter_texts, references),
        **compare_on_task(_kind_of(config.data.test), sources, references, base_texts, adapter_texts),
        "forgetting": [
            forgotten(text, first, second, tokens, seed=config.recipe.seed)
            for text, (first, tokens), (second, _) in zip(beside, before, after, strict=True)
        ],
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


def _read_plainly(model: Any, tokenizer: Any, text: FixedText, work: _Work) -> tuple[list[float], int]:
    """Each sentence's summed nats, read as it stands, without a question; and how many tokens were foretold.

    The end mark before it foretells the first token, as between documents that a model learnt from.
    """
    examples = []
    for place, sentence in enumerate(text.sentences):
        tokens = tokenizer(sentence, add_special_tokens=False)["input_ids"]
        marked = (tokenizer.eos_token_id, *tokens)
        examples.append(Example(f"{text.language}:{place}", marked, 1, len(sentence.encode())))
    nats: list[float] = []
    for batch in parts_of(examples, TOKENS_AT_ONCE):
        nats += sentence_losses(model, {name: value.to(model.device) for name, value in pack(batch).items()})
    work.add(1)
    return nats, sum(len(example.tokens) - 1 for example in examples)


def _kind_of(path: str) -> str:
    """The kind of task that a release's rows come from; empty in files that do not say."""
    with Path(path).open(encoding="utf-8") as file:
        first = next((line for line in file if line.strip()), "{}")
    return str(json.loads(first).get("kind", ""))
