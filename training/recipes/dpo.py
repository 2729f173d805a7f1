"""DPO (Rafailov et al. 2023): learning which of two answers people find better.

    python -m training.recipes.dpo run-folder/config.toml

First the release's completions are learnt as `training/recipes/qlora.py` does; the model that comes of it is the
reference. Then, with r = log p(answer) - log p_reference(answer) of the better and the worse answer,

    loss = weight (-log sigmoid(beta (r_better - r_worse)) + anchor * loss of the better one, in nats per token).

Without the anchor both may grow less likely, the better one only less so (Pang et al. 2024). What the reference says is
computed once and kept. A pair weighs by how firmly people told the two apart.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from training.evaluation.likelihood import completion_losses
from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal
from training.recipes.judged import Preferred, read_preferred
from training.recipes.kto import reference_of, said_in
from training.recipes.qlora import Qlora
from training.recipes.stages import RecipeError, Stage, add_gradient, losses_of, on_device, shares_of
from training.recipes.text import Example, encode, pack


@dataclass(frozen=True)
class Pair:
    """Two answers as tokens, the better and the worse, and what the reference says of both, in nats."""

    id: str
    better: Example
    worse: Example
    weight: float = 1.0
    better_reference: float = 0.0
    worse_reference: float = 0.0

    @property
    def tokens(self) -> tuple[int, ...]:
        """All that is read for it."""
        return (*self.better.tokens, *self.worse.tokens)


class Dpo(Qlora):
    """A QLoRA that learns completions, then pairs."""

    name = "dpo"

    def __init__(self) -> None:
        self._held_out: list[Pair] = []

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """Completions, then pairs."""
        pairs = pairs_of(said_in(config.data.judged_train, read_preferred), tokenizer, config)
        if not pairs:
            raise RecipeError("The release holds no two judged answers to one request that are short enough.")
        if config.data.judged_test:
            self._held_out = pairs_of(said_in(config.data.judged_test, read_preferred), tokenizer, config)
        return [*super().stages(config, tokenizer, examples), Pairs(pairs, config)]

    def also_evaluate(
        self, model: Any, validation: Sequence[Example], config: Configuration, journal: Journal
    ) -> dict[str, Any]:
        """In how many held-out pairs the better answer gained more. It chooses nothing, so it may see the test."""
        better, worse = [pair.better for pair in self._held_out], [pair.worse for pair in self._held_out]
        with self.base_of(model, config) as base:
            before = [a - b for a, b in zip(losses_of(base, worse), losses_of(base, better), strict=True)]
        after = [a - b for a, b in zip(losses_of(model, worse), losses_of(model, better), strict=True)]
        facts: dict[str, Any] = {"pairs": len(after)}
        if after:
            won = [float(new > old) for old, new in zip(before, after, strict=True)]
            facts["in_order"] = sum(won) / len(won)
        return {"votes": facts}


def pairs_of(preferred: Sequence[Preferred], tokenizer: Any, config: Configuration) -> list[Pair]:
    """Pairs as tokens, those with an answer that is too long left out."""
    length, found = config.recipe.max_length, []
    for one in preferred:
        better, worse = (encode(tokenizer, row, max_length=length) for row in (one.better, one.worse))
        if better is not None and worse is not None:
            found.append(Pair(one.id, better, worse, one.weight))
    return found


class Pairs(Stage):
    """Learning from pairs, from the model as it is when the stage begins."""

    name = "pairs"

    def __init__(self, pairs: list[Pair], config: Configuration) -> None:
        self.epochs = config.preference.preference_epochs
        self.learning_rate = config.preference.preference_learning_rate
        self._pairs, self._beta, self._anchor = pairs, config.preference.beta, config.preference.anchor

    def expected(self) -> int:
        """One lesson for each."""
        return len(self._pairs)

    def facts(self) -> list[Any]:
        """The pairs and their tokens."""
        return [*super().facts(), self.kept(self._pairs)]

    def begin(self, model: Any, config: Configuration, journal: Journal) -> list[Pair]:
        """The pairs, with what the model says of them now."""
        return with_references(model, self._pairs, journal)

    def kept(self, pairs: Sequence[Pair]) -> list[Any]:
        """What the model said at the beginning is not to be had again."""
        return [asdict(pair) for pair in pairs]

    def recalled(self, kept: Sequence[Any], model: Any, config: Configuration, journal: Journal) -> list[Pair]:
        """Pairs out of plain values."""
        return [Pair(**{**one, "better": Example(**one["better"]), "worse": Example(**one["worse"])}) for one in kept]

    def learn(self, model: Any, batch: Sequence[Pair]) -> float:
        """Add the gradient of the mean loss."""
        total = 0.0
        for part, share in shares_of(batch, self.tokens_at_once):
            both = [pair.better for pair in part] + [pair.worse for pair in part]
            nats = completion_losses(model, on_device(model, pack(both)))
            loss = dpo_loss(nats[: len(part)], nats[len(part) :], part, self._beta, self._anchor)
            total += add_gradient(share * loss / len(batch))
        return total


def with_references(model: Any, pairs: Sequence[Pair], journal: Journal) -> list[Pair]:
    """The pairs, with what the model says of them now. Raises Stopped."""
    better = reference_of(model, [pair.better for pair in pairs], journal)
    worse = reference_of(model, [pair.worse for pair in pairs], journal)
    return [
        replace(pair, better_reference=one, worse_reference=other)
        for pair, one, other in zip(pairs, better, worse, strict=True)
    ]


def dpo_loss(better: Tensor, worse: Tensor, pairs: Sequence[Pair], beta: float, anchor: float) -> Tensor:
    """Summed loss of pairs, from what the model says of their two answers in nats, float32 (pairs,) each."""
    gained = better.new_tensor([pair.better_reference for pair in pairs]) - better
    lost = worse.new_tensor([pair.worse_reference for pair in pairs]) - worse
    weights = better.new_tensor([pair.weight for pair in pairs])
    lengths = better.new_tensor([float(len(pair.better.tokens) - pair.better.prompt) for pair in pairs])
    return (weights * (anchor * better / lengths - F.logsigmoid(beta * (gained - lost)))).sum()


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Dpo())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
