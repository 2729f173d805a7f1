"""Base model against adapter: bits per byte and the scores of the task on held-out sentences, what was forgotten of
other languages, and samples side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from training.evaluation.forgetting import FixedText, forgotten, texts_beside
from training.evaluation.memorisation import changed_by_training, memorised
from training.evaluation.scores import bits_per_byte, chrf, difference_interval, sentence_chrf
from training.evaluation.tasks import compare_on_task
from training.recipes.configuration import Configuration
from training.recipes.few_shot import measure_shots, shots_of
from training.recipes.generation import generate_batch
from training.recipes.journal import Journal, Stopped
from training.recipes.recalling import drawn, recalls_of
from training.recipes.respelling import read_respelt, respelt, robustness
from training.recipes.stages import RecipeError, losses_of
from training.recipes.text import TOKENS_AT_ONCE, Example, Row, ordered, parts_of, prompt_of, read_rows

GENERATION_BATCH = 12


def compare(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    rows: Sequence[Row],
    config: Configuration,
    journal: Journal,
    base_of: Callable[[Any, Configuration], AbstractContextManager[Any]],
    trained: Sequence[Example] = (),
) -> dict[str, Any]:
    """The evaluation part of a report. `base_of` gives the base model; an adapter's is the same model without it.
    `trained` are rows that it learnt from."""
    chosen, read, asked = _chosen(examples, rows, config)
    batches = parts_of(chosen, TOKENS_AT_ONCE)
    beside = texts_beside(config.language.target_tag, config.language.source_tag)
    shots = shots_of(tokenizer, read_rows(config.data.train), config.evaluation.shots, config)
    # As many as are answered: what is asked is long, and all of it is read anew.
    plainly = respelt(tokenizer, asked, config)
    by_heart = [drawn(some, config) for some in (trained, examples)]
    in_both = len(beside) + sum(len(one.examples) for one in plainly) + sum(map(len, by_heart))
    work = _Work(journal, of=(3 if shots else 2) * (len(chosen) + len(asked)) + 2 * in_both)

    adapter_nats, adapter_texts = _measure(model, tokenizer, batches, asked, config, work)
    after = _read_all(model, tokenizer, beside, work)
    adapter_plainly = read_respelt(model, plainly, work.add)
    adapter_recalls = [recalls_of(model, some, work.add) for some in by_heart]
    with base_of(model, config) as base:
        base_nats, base_texts = _measure(base, tokenizer, batches, asked, config, work)
        before = _read_all(base, tokenizer, beside, work)
        base_plainly = read_respelt(base, plainly, work.add)
        base_recalls = [recalls_of(base, some, work.add) for some in by_heart]
        shown = _with_shots(base, tokenizer, read, len(asked), shots, config, work)

    sizes = [example.target_bytes for batch in batches for example in batch]
    interval = difference_interval(base_nats, adapter_nats, sizes, seed=config.recipe.seed)
    references, sources = _said_and_asked(asked)
    return {
        "items": len(sizes),
        "generated_items": len(asked),
        "base_bpb": bits_per_byte(base_nats, sizes),
        "adapter_bpb": bits_per_byte(adapter_nats, sizes),
        "bpb_difference_ci95": [interval.low, interval.high],
        "base_chrf": chrf(base_texts, references),
        "adapter_chrf": chrf(adapter_texts, references),
        **_beside_few_shot(shown, adapter_nats, sizes, config),
        **compare_on_task(_kind_of(config.data.test), sources, references, base_texts, adapter_texts),
        "memorisation": memorised(*map(changed_by_training, adapter_recalls, base_recalls)),
        "robustness": robustness(read, (base_nats, adapter_nats), sizes, plainly, (base_plainly, adapter_plainly)),
        "forgetting": [
            forgotten(text, first, second, tokens, seed=config.recipe.seed)
            for text, (first, tokens), (second, _) in zip(beside, before, after, strict=True)
        ],
        "samples": [
            _sample(*one)
            for one in list(zip(asked, base_texts, adapter_texts, strict=True))[: config.evaluation.samples]
        ],
    }


def measure_alone(
    model: Any,
    tokenizer: Any,
    examples: Sequence[Example],
    rows: Sequence[Row],
    config: Configuration,
    journal: Journal,
) -> dict[str, Any]:
    """`figures_of` a model on the rows on which `compare` measures, without a base model beside it."""
    chosen, _, asked = _chosen(examples, rows, config)
    work = _Work(journal, of=len(chosen) + len(asked))
    nats, texts = _measure(model, tokenizer, parts_of(chosen, TOKENS_AT_ONCE), asked, config, work)
    references, sources = _said_and_asked(asked)
    scores = compare_on_task(_kind_of(config.data.test), sources, references, texts, texts)["scores"]
    return figures_of(bits_per_byte(nats, [example.target_bytes for example in chosen]), scores)


def figures_of(bpb: float, scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What is said of each training where several are measured; `scores` as `compare_on_task` gives them."""
    first = {"score_name": scores[0]["name"], "score": scores[0]["adapter"]} if scores else {}
    return {"bpb": bpb, **first}


def _chosen(
    examples: Sequence[Example], rows: Sequence[Row], config: Configuration
) -> tuple[list[Example], list[Row], list[Row]]:
    """The held-out rows that are read, as tokens and as they are, and the first of them, which are answered."""
    chosen = ordered(examples, seed=config.recipe.seed, epoch=-2)[: config.evaluation.max_items]
    by_id = {row.id: row for row in rows}
    read = [by_id[example.id] for example in chosen]
    return chosen, read, read[: config.evaluation.generate_items]


def _said_and_asked(rows: Sequence[Row]) -> tuple[list[str], list[str]]:
    """What people answered, and to what."""
    return [row.completion for row in rows], [row.source or row.request for row in rows]


def _sample(row: Row, base: str, adapter: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "source": row.source or row.request,
        "reference": row.completion,
        "base": base,
        "adapter": adapter,
        "base_chrf": sentence_chrf(base, row.completion),
        "adapter_chrf": sentence_chrf(adapter, row.completion),
    }


def _with_shots(
    base: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    asked: int,
    shots: Sequence[Row],
    config: Configuration,
    work: _Work,
) -> tuple[list[float], dict[str, Any]] | None:
    """The base model with examples before each question; None where that is not wanted, or more than it can read."""
    if not shots:
        return None
    try:
        return measure_shots(base, tokenizer, rows, asked, shots, config, work.add)
    except RecipeError:
        return None


def _beside_few_shot(
    shown: tuple[list[float], dict[str, Any]] | None,
    adapter_nats: Sequence[float],
    sizes: Sequence[int],
    config: Configuration,
) -> dict[str, Any]:
    """What the examples make of the base model, and the interval of the adapter's bits per byte minus theirs."""
    if shown is None:
        return {}
    nats, figures = shown
    interval = difference_interval(nats, adapter_nats, sizes, seed=config.recipe.seed)
    return {"few_shot": {**figures, "difference_ci95": [interval.low, interval.high]}}


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
        nats += losses_of(model, batch)
        work.add(len(batch))
    texts: list[str] = []
    for start in range(0, len(asked), GENERATION_BATCH):
        part = asked[start : start + GENERATION_BATCH]
        prompts = [prompt_of(tokenizer, system=row.system, request=row.request) for row in part]
        texts += generate_batch(model, tokenizer, prompts, max_new_tokens=config.evaluation.max_new_tokens)
        work.add(len(part))
    return nats, texts


def read_plainly(model: Any, tokenizer: Any, text: FixedText) -> tuple[list[float], int]:
    """Each sentence's summed nats, read as it stands, without a question; and how many tokens were foretold.

    The end mark before it foretells the first token, as between documents that a model learnt from.
    """
    examples = []
    for place, sentence in enumerate(text.sentences):
        tokens = tokenizer(sentence, add_special_tokens=False)["input_ids"]
        marked = (tokenizer.eos_token_id, *tokens)
        examples.append(Example(f"{text.language}:{place}", marked, 1, len(sentence.encode())))
    return losses_of(model, examples), sum(len(example.tokens) - 1 for example in examples)


def _read_all(model: Any, tokenizer: Any, texts: Sequence[FixedText], work: _Work) -> list[tuple[list[float], int]]:
    found = []
    for text in texts:
        found.append(read_plainly(model, tokenizer, text))
        work.add(1)
    return found


def _kind_of(path: str) -> str:
    """The kind of task that a release's rows come from; empty in files that do not say."""
    with Path(path).open(encoding="utf-8") as file:
        first = next((line for line in file if line.strip()), "{}")
    return str(json.loads(first).get("kind", ""))
