"""Which words of its request an answer of an adapter hangs on.

    python -m training.recipes.explain --base FOLDER --adapter FOLDER [--check] rows.jsonl

Rows are {"id", "system", "before", "units", "after", "completion"}: the request is before + the units + after, and
words are left out of the units. A row without a completion is answered first. One JSON line on stdout for each row:
{"id", "text", "weights", "r2", "agreement", "samples", "seconds"}, and with --check, which measures the method itself,
`seeds` (Spearman's correlation with a second seed), `lost` and `lost_by_chance` (what leaving words out one by one
cost, in the order of the weights and in orders drawn by chance). What the figures mean stands in
`training.evaluation.explaining`; the playground's process (`training.recipes.generate`) calls `explanation_events`.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.explaining import (
    SAMPLES,
    Masks,
    explain,
    lost,
    masks_of_deletion,
    rank_correlation,
    text_of,
)
from training.evaluation.likelihood import shared_recalls
from training.recipes.generation import generate_batch, require_adapter
from training.recipes.text import TOKENS_AT_ONCE, Example, parts_of, prompt_of

MAX_NEW_TOKENS = 40
CHANCE_ORDERS = 3


class Answered:
    """A request with the answer that is to be explained, and how likely the answer is without some of its words."""

    def __init__(self, model: Any, tokenizer: Any, asked: dict[str, Any]) -> None:
        self._model, self._tokenizer, self._asked = model, tokenizer, asked
        said = tokenizer(asked["completion"], add_special_tokens=False)["input_ids"]
        self._said = (*said, tokenizer.eos_token_id)

    def score(self, masks: Masks, told: Callable[[int], None] = lambda done: None) -> list[float]:
        """The mean log-likelihood of the answer's tokens, in nats, under each mask; `told` hears how many are done."""
        found: list[float] = []
        for part in parts_of([self._without(mask) for mask in masks], TOKENS_AT_ONCE):
            # What the requests begin alike, the system's words and those before the first gap, is read once.
            recalls = shared_recalls(self._model, [(example.tokens, example.prompt) for example in part])
            found += [-nats / len(self._said) for nats, _ in recalls]
            told(len(found))
        return found

    def _without(self, mask: Sequence[bool]) -> Example:
        asked = self._asked
        request = f"{asked['before']}{text_of(asked['units'], mask)}{asked['after']}"
        prompt = prompt_of(self._tokenizer, system=asked["system"], request=request)
        first = self._tokenizer(prompt, add_special_tokens=False)["input_ids"]
        return Example("", (*first, *self._said), len(first), 1)


def explanation_events(
    model: Any, tokenizer: Any, asked: dict[str, Any], tell: Callable[..., None], *, samples: int = SAMPLES
) -> None:
    """Tell how far it is (`done`, `of`), and last the weights."""
    answered, words = Answered(model, tokenizer, asked), len(asked["units"])
    of = min(2**words, samples)

    def score(masks: Masks) -> list[float]:
        return answered.score(masks, lambda done: tell(event="progress", done=done, of=of))

    found = explain(score, words, samples=samples)
    tell(event="explained", weights=found.weights, r2=found.r2, agreement=found.agreement, samples=found.samples)


def check(answered: Answered, words: int, weights: Sequence[float]) -> dict[str, float]:
    """How the method does on one answer: a second seed, and deletion against chance."""
    again = explain(answered.score, words, seed=1)
    by_weight = np.argsort(-np.asarray(weights), kind="stable").tolist()
    random_ = np.random.default_rng(0)
    orders = [random_.permutation(words).tolist() for _ in range(CHANCE_ORDERS)]
    return {
        "seeds": rank_correlation(weights, again.weights),
        "lost": lost(answered.score(masks_of_deletion(by_weight))),
        "lost_by_chance": fmean(lost(answered.score(masks_of_deletion(order))) for order in orders),
    }


def explained(model: Any, tokenizer: Any, rows: Sequence[dict[str, Any]], *, checks: bool) -> Iterator[dict[str, Any]]:
    """Each row's line."""
    for row in rows:
        request = f"{row['before']}{''.join(row['units'])}{row['after']}"
        prompt = prompt_of(tokenizer, system=row["system"], request=request)
        text = row.get("completion") or generate_batch(model, tokenizer, [prompt], max_new_tokens=MAX_NEW_TOKENS)[0]
        answered = Answered(model, tokenizer, {**row, "completion": text})
        began = time.monotonic()
        found = explain(answered.score, len(row["units"]))
        line = {
            "id": row["id"],
            "text": text,
            "weights": found.weights,
            "r2": found.r2,
            "agreement": found.agreement,
            "samples": found.samples,
            "seconds": time.monotonic() - began,
        }
        yield {**line, **(check(answered, len(row["units"]), found.weights) if checks else {})}


def main() -> int:
    """Explain the rows; each line is written as soon as it is known."""
    parser = argparse.ArgumentParser(description="Which words of a request an adapter's answer hangs on.")
    parser.add_argument("rows", type=Path)
    parser.add_argument("--base", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--check", action="store_true", help="measure the method, too: a second seed, and deletion")
    given = parser.parse_args()
    require_adapter(given.adapter)
    tokenizer = AutoTokenizer.from_pretrained(given.base)
    base = AutoModelForCausalLM.from_pretrained(given.base, dtype=torch.float32)
    model = PeftModel.from_pretrained(base, given.adapter)
    model.train(False)
    rows = [json.loads(line) for line in given.rows.read_text(encoding="utf-8").split("\n") if line.strip()]
    for line in explained(model, tokenizer, rows, checks=given.check):
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
