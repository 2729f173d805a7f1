"""Self-evolution: the model tries, and learns to prefer what people wrote over its own worst try.

    python -m training.recipes.self_evolution run-folder/config.toml

Inspired by the translation self-evolution of Lu et al. (COLING 2025), whose algorithm was not published in full: this
is ours, and claims no fidelity. The release's completions are learnt first, as in `training/recipes/qlora.py`. Then, in
each round, the model as it is writes some answers to every training request by chance; the try with the lowest chrF++
is set beside what a person wrote, and the pairs are learnt as in `training/recipes/dpo.py`, with the round's beginning
as reference. A try that is not worse by the margin makes no pair: it is no mistake to learn from.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.evaluation.scores import sentence_chrf
from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.dpo import Pair, Pairs, with_references
from training.recipes.generation import sample_batch
from training.recipes.journal import Journal, Stopped
from training.recipes.qlora import Qlora
from training.recipes.stages import Stage
from training.recipes.text import Example, Row, encode, ordered, prompt_of, read_rows

REQUESTS_AT_ONCE = 8


class SelfEvolution(Qlora):
    """A QLoRA that learns completions, then from its own tries."""

    name = "self_evolution"

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """Completions, then one stage a round."""
        kept = {example.id: example for example in examples["train"]}
        by_id = {row.id: row for row in read_rows(config.data.train)}
        # What is tried together follows from the rows, not from where they lie in the file.
        rows = [by_id[example.id] for example in ordered(examples["train"], seed=config.recipe.seed, epoch=-6)]
        rounds = [Round(number, rows, kept, tokenizer, config) for number in range(1, config.preference.rounds + 1)]
        return [*super().stages(config, tokenizer, examples), *rounds]


class Round(Pairs):
    """One round: try, compare, learn."""

    def __init__(
        self, number: int, rows: list[Row], written: dict[str, Example], tokenizer: Any, config: Configuration
    ) -> None:
        super().__init__([], config)
        self.name = f"round {number}"
        self._number, self._rows, self._written, self._tokenizer = number, rows, written, tokenizer

    def expected(self) -> int:
        """A pair for each request."""
        return len(self._rows)

    def begin(self, model: Any, config: Configuration, journal: Journal) -> list[Pair]:
        """Try every request, and keep the pairs with a margin."""
        model.eval()
        pairs: list[Pair] = []
        scores: list[float] = []
        for start in range(0, len(self._rows), REQUESTS_AT_ONCE):
            for row, tries in self._tries(model, self._rows[start : start + REQUESTS_AT_ONCE], config):
                scored = sorted((sentence_chrf(text, row.completion), text) for text in tries)
                scores += [score for score, _ in scored]
                pairs += self._pair(row, *scored[0], config)
            done = min(start + REQUESTS_AT_ONCE, len(self._rows))
            journal.write("progress", phase="trying", done=done, of=len(self._rows))
            if journal.stop_asked:
                raise Stopped
        self.notes = {
            "chrf_of_tries": round(math.fsum(scores) / len(scores), 3),
            "without_margin": len(self._rows) - len(pairs),
        }
        return with_references(model, pairs, journal)

    def _tries(self, model: Any, rows: Sequence[Row], config: Configuration) -> list[tuple[Row, list[str]]]:
        """Some answers to each request; the same for the same seed, round and first request."""
        prompts = [prompt_of(self._tokenizer, system=row.system, request=row.request) for row in rows]
        each, seed = config.preference.tries, f"{config.recipe.seed}:{self._number}:{rows[0].id}"
        longest = config.preference.longest_try
        texts = sample_batch(model, self._tokenizer, prompts, each=each, max_new_tokens=longest, seed=seed)
        return [(row, texts[place * each : (place + 1) * each]) for place, row in enumerate(rows)]

    def _pair(self, row: Row, score: float, text: str, config: Configuration) -> list[Pair]:
        """What a person wrote beside the worst try, where it is worse by the margin."""
        if not text or 100 - score < config.preference.margin:
            return []
        worse = encode(self._tokenizer, Row(row.id, row.system, row.request, text), max_length=config.recipe.max_length)
        return [] if worse is None else [Pair(row.id, self._written[row.id], worse)]


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, SelfEvolution())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
