"""KTO (Ethayarajh et al. 2024): learning from answers that people took or turned down, one by one.

    python -m training.recipes.kto run-folder/config.toml

First the release's completions are learnt as `training/recipes/qlora.py` does. The model that comes of it is the
reference; then, with r = log p(answer) - log p_reference(answer),

    loss = weight (1 - sigmoid(beta (r - z)))   for an answer that is good,
    loss = weight (1 - sigmoid(beta (z - r)))   for one that is not,

where z, no less than 0, is the mean of r over answers to other requests (it gets no gradient). An answer weighs by how
firmly people judged it (`training/recipes/judged.py`), and good and bad ones weigh the same altogether. What the
reference says is computed once and kept.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from training.evaluation.likelihood import completion_losses
from training.evaluation.scores import share_in_order
from training.recipes import loop
from training.recipes.configuration import Configuration
from training.recipes.journal import Journal, Stopped
from training.recipes.judged import Judged, read_judged
from training.recipes.qlora import Qlora
from training.recipes.stages import RecipeError, Stage, add_gradient, losses_of, on_device, shares_of
from training.recipes.text import Example, Row, encode, ordered, pack

Said = TypeVar("Said")
ANSWERS_AT_ONCE = 32


@dataclass(frozen=True)
class Vote:
    """An answer as tokens, the same request with another's answer, and what the reference says of both, in nats."""

    answer: Example
    stranger: Example
    is_good: bool
    weight: float
    reference: float = 0.0
    stranger_reference: float = 0.0

    @property
    def id(self) -> str:
        """The answer's."""
        return self.answer.id

    @property
    def tokens(self) -> tuple[int, ...]:
        """All that is read for it."""
        return (*self.answer.tokens, *self.stranger.tokens)


class Kto(Qlora):
    """A QLoRA that learns completions, then votes."""

    name = "kto"

    def __init__(self) -> None:
        self._held_out: list[tuple[Example, bool]] = []

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """Completions, then votes."""
        judged = said_in(config.data.judged_train, read_judged)
        votes = votes_of(judged, tokenizer, config)
        if not votes:
            raise RecipeError("The release holds no judged answer that is short enough.")
        if config.data.judged_test:
            encoded = [
                (encode(tokenizer, one.row, max_length=config.recipe.max_length), one.is_good)
                for one in said_in(config.data.judged_test, read_judged)
            ]
            self._held_out = [(example, good) for example, good in encoded if example is not None]
        return [*super().stages(config, tokenizer, examples), Votes(votes, config)]

    def also_evaluate(
        self, model: Any, validation: Sequence[Example], config: Configuration, journal: Journal
    ) -> dict[str, Any]:
        """How often a held-out good answer gained more than a bad one. It chooses nothing, so it may see the test."""
        answers = [example for example, _ in self._held_out]
        with self.base_of(model, config) as base:
            before = losses_of(base, answers)
        gained = [old - new for old, new in zip(before, losses_of(model, answers), strict=True)]
        good, bad = (
            [g for g, (_, is_good) in zip(gained, self._held_out, strict=True) if is_good is w] for w in (True, False)
        )
        return {"votes": agreement(good, bad)}


def agreement(good: Sequence[float], bad: Sequence[float]) -> dict[str, Any]:
    """How often something good scores above something bad, over all such pairs; nothing known without both."""
    facts: dict[str, Any] = {"good": len(good), "bad": len(bad)}
    return facts | ({"in_order": share_in_order(good, bad)} if good and bad else {})


def said_in(path: str, read: Callable[[str], list[Said]]) -> list[Said]:
    """What people said of answers, as `read` takes it from a release's file. Raises RecipeError."""
    if not path:
        raise RecipeError("This method learns from what people said of answers, and the release holds nothing of it.")
    try:
        return read(path)
    except ValueError as error:
        raise RecipeError(str(error)) from error


def votes_of(judged: Sequence[Judged], tokenizer: Any, config: Configuration) -> list[Vote]:
    """Judged answers as tokens, those that are too long left out. Each gets the answer to another request that follows
    it in the order of their hashes; good and bad ones weigh the same altogether."""
    length = config.recipe.max_length
    encoded = [(one, encode(tokenizer, one.row, max_length=length)) for one in judged]
    kept = {example.id: (one, example) for one, example in encoded if example is not None}
    around = ordered([example for _, example in kept.values()], seed=config.recipe.seed, epoch=-3)
    sums = {good: math.fsum(one.weight for one, _ in kept.values() if one.is_good is good) for good in (True, False)}
    both = all(sums.values())
    votes = []
    for place, example in enumerate(around):
        one = kept[example.id][0]
        stranger = _stranger(kept[around[(place + 1) % len(around)].id][0].row, one.row, tokenizer, length) or example
        share = sum(sums.values()) / (2 * sums[one.is_good]) if both else 1.0
        votes.append(Vote(example, stranger, one.is_good, one.weight * share))
    return votes


def _stranger(other: Row, own: Row, tokenizer: Any, length: int) -> Example | None:
    return encode(tokenizer, replace(own, completion=other.completion), max_length=length)


class Votes(Stage):
    """Learning from judged answers, from the model as it is when the stage begins."""

    name = "votes"

    def __init__(self, votes: list[Vote], config: Configuration) -> None:
        self.epochs = config.preference.preference_epochs
        self.learning_rate = config.preference.preference_learning_rate
        self._votes, self._beta = votes, config.preference.beta

    def expected(self) -> int:
        """One lesson for each."""
        return len(self._votes)

    def facts(self) -> list[Any]:
        """The votes and their tokens."""
        return [*super().facts(), self.kept(self._votes)]

    def begin(self, model: Any, config: Configuration, journal: Journal) -> list[Vote]:
        """The votes, with what the model says of them now."""
        own = reference_of(model, [vote.answer for vote in self._votes], journal)
        others = reference_of(model, [vote.stranger for vote in self._votes], journal)
        return [
            replace(vote, reference=one, stranger_reference=other)
            for vote, one, other in zip(self._votes, own, others, strict=True)
        ]

    def kept(self, votes: Sequence[Vote]) -> list[Any]:
        """What the model said at the beginning is not to be had again."""
        return [asdict(vote) for vote in votes]

    def recalled(self, kept: Sequence[Any], model: Any, config: Configuration, journal: Journal) -> list[Vote]:
        """Votes out of plain values."""
        return [
            Vote(**{**one, "answer": Example(**one["answer"]), "stranger": Example(**one["stranger"])}) for one in kept
        ]

    def learn(self, model: Any, batch: Sequence[Vote]) -> float:
        """Add the gradient of the mean loss."""
        away = [
            vote.stranger_reference - nats
            for vote, nats in zip(batch, losses_of(model, [vote.stranger for vote in batch]), strict=True)
        ]
        shift, total = max(0.0, math.fsum(away) / len(away)), 0.0
        votes = {vote.answer: vote for vote in batch}
        for part, share in shares_of(list(votes), self.tokens_at_once):
            nats = completion_losses(model, on_device(model, pack(part)))
            total += add_gradient(share * kto_loss(nats, [votes[one] for one in part], self._beta, shift) / len(batch))
        return total


def kto_loss(nats: Tensor, votes: Sequence[Vote], beta: float, shift: float) -> Tensor:
    """Summed loss of votes, from what the model says of their answers in nats, float32 (votes,)."""
    reference = nats.new_tensor([vote.reference for vote in votes])
    signs = nats.new_tensor([1.0 if vote.is_good else -1.0 for vote in votes])
    weights = nats.new_tensor([vote.weight for vote in votes])
    return (weights * (1 - torch.sigmoid(beta * signs * (reference - nats - shift)))).sum()


def reference_of(model: Any, examples: Sequence[Example], journal: Journal) -> list[float]:
    """What the model says of completions now, in nats; with progress, and stopped when asked. Raises Stopped."""
    model.eval()
    nats: list[float] = []
    for start in range(0, len(examples), ANSWERS_AT_ONCE):
        nats += losses_of(model, examples[start : start + ANSWERS_AT_ONCE])
        journal.write("progress", phase="reading answers", done=len(nats), of=len(examples))
        if journal.stop_asked:
            raise Stopped
    return nats


def main(path: Path) -> int:
    """Train, evaluate and report; returns the exit code."""
    return loop.main(path, Kto())


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
