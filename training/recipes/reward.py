"""A reward model (Ouyang et al. 2022): a number that says how good people would find an answer.

    python -m training.recipes.reward run-folder/config.toml

First the release's completions are learnt as `training/recipes/qlora.py` does. Then a linear layer on what the model
thinks at an answer's end mark learns to give the better of two answers the higher number:

    loss = weight (-log sigmoid(reward_better - reward_worse)),

the model under it staying as it is. So the adapter writes as any other, and the layer, `reward_head.weight` in the same
file, scores: with `--score rows.jsonl` behind it, the command prints a number for each lesson of a file. The number
means nothing alone; the higher of two is better.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import AutoTokenizer

from training.evaluation.likelihood import packed_hidden
from training.evaluation.scores import mean_interval
from training.recipes import loop
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.dpo import Pair, pairs_of
from training.recipes.journal import Journal, Stopped
from training.recipes.judged import read_preferred
from training.recipes.kto import said_in
from training.recipes.qlora import Qlora
from training.recipes.stages import RecipeError, Stage, add_gradient, on_device, shares_of
from training.recipes.text import TOKENS_AT_ONCE, Example, encode, pack, parts_of, read_rows

HEAD = "reward_head.weight"
ANSWERS_AT_ONCE = 32


class Reward(Qlora):
    """A QLoRA that learns completions, and a layer on it that learns which of two answers is better."""

    name = "reward"

    def __init__(self) -> None:
        self._held_out: list[Pair] = []

    def prepare(self, config: Configuration, journal: Journal) -> Any:
        """The base with an adapter, and a layer that gives every answer 0."""
        model = super().prepare(config, journal)
        model.reward_head = nn.Linear(model.config.hidden_size, 1, bias=False, device=model.device)
        nn.init.zeros_(model.reward_head.weight)
        return model

    def learnt(self, model: Any) -> dict[str, Tensor]:
        """The adapter's matrices and the layer's weights."""
        adapter = {name: one for name, one in super().learnt(model).items() if "reward_head" not in name}
        return {**adapter, HEAD: model.reward_head.weight.detach()}

    @torch.no_grad()
    def restore(self, model: Any, learnt: dict[str, Tensor]) -> None:
        """Put both back."""
        super().restore(model, {name: one for name, one in learnt.items() if name != HEAD})
        model.reward_head.weight.copy_(learnt[HEAD])

    def save(self, model: Any, folder: Path, config: Configuration) -> None:
        """The adapter as peft reads it, which passes over the layer beside it."""
        super().save(model, folder, config)
        weights = folder / "adapter_model.safetensors"
        adapter = {name: one for name, one in load_file(weights).items() if "reward_head" not in name}
        head = model.reward_head.weight.detach().float().cpu().contiguous()
        save_file({**adapter, HEAD: head}, weights, metadata={"format": "pt"})

    def stages(self, config: Configuration, tokenizer: Any, examples: dict[str, list[Example]]) -> Sequence[Stage]:
        """Completions, then rewards."""
        pairs = pairs_of(said_in(config.data.judged_train, read_preferred), tokenizer, config)
        if not pairs:
            raise RecipeError("The release holds no two judged answers to one request that are short enough.")
        if config.data.judged_test:
            self._held_out = pairs_of(said_in(config.data.judged_test, read_preferred), tokenizer, config)
        return [*super().stages(config, tokenizer, examples), Rewards(pairs, config)]

    def also_evaluate(
        self, model: Any, validation: Sequence[Example], config: Configuration, journal: Journal
    ) -> dict[str, Any]:
        """In how many held-out pairs the better answer has the higher number; 0.5 is chance."""
        head = model.reward_head.weight.detach()
        better = thoughts(model, [pair.better for pair in self._held_out], journal) @ head.T
        worse = thoughts(model, [pair.worse for pair in self._held_out], journal) @ head.T
        won = [float(value) for value in (better > worse).float()[:, 0]]
        facts: dict[str, Any] = {"pairs": len(won)}
        if won:
            interval = mean_interval(won, seed=config.recipe.seed)
            facts |= {"in_order": math.fsum(won) / len(won), "in_order_ci95": [interval.low, interval.high]}
        return {"votes": facts}


class Rewards(Stage):
    """Learning which of two answers is better, from what the model thinks of them once it has learnt the completions.

    The layer alone learns, so what the model thinks is computed once: a step costs next to nothing.
    """

    name = "rewards"

    def __init__(self, pairs: list[Pair], config: Configuration) -> None:
        self.epochs = config.preference.preference_epochs
        self.learning_rate = config.preference.preference_learning_rate
        self._pairs = pairs
        self._thoughts: dict[str, Tensor] = {}

    def expected(self) -> int:
        """One lesson for each."""
        return len(self._pairs)

    def facts(self) -> list[Any]:
        """The pairs and their tokens."""
        return [*super().facts(), [asdict(pair) for pair in self._pairs]]

    def begin(self, model: Any, config: Configuration, journal: Journal) -> list[Pair]:
        """The pairs; what the model thinks of them is the same in the middle as at the beginning, for it stays."""
        better = thoughts(model, [pair.better for pair in self._pairs], journal)
        worse = thoughts(model, [pair.worse for pair in self._pairs], journal)
        self._thoughts = {pair.id: one for pair, one in zip(self._pairs, better - worse, strict=True)}
        return self._pairs

    def learn(self, model: Any, batch: Sequence[Pair]) -> float:
        """Add the gradient of the mean loss."""
        total = 0.0
        for part, share in shares_of(batch, self.tokens_at_once):
            apart = torch.stack([self._thoughts[pair.id] for pair in part])
            weights = apart.new_tensor([pair.weight for pair in part])
            total += add_gradient(share * reward_loss(model.reward_head(apart)[:, 0], weights) / len(batch))
        return total


def reward_loss(apart: Tensor, weights: Tensor) -> Tensor:
    """Summed loss of pairs, from how far the better answer's number is above the worse one's, float32 (pairs,)."""
    return -(weights * F.logsigmoid(apart)).sum()


@torch.no_grad()
def thoughts(model: Any, examples: Sequence[Example], journal: Journal) -> Tensor:
    """The last layer at each example's last token, float32 (examples, width). Raises Stopped."""
    model.eval()
    found = [torch.zeros(0, model.config.hidden_size, device=model.device)]
    for start in range(0, len(examples), ANSWERS_AT_ONCE):
        for part in parts_of(examples[start : start + ANSWERS_AT_ONCE], TOKENS_AT_ONCE):
            batch = on_device(model, pack(part))
            hidden = packed_hidden(model, batch)[0]
            lengths = torch.tensor([len(example.tokens) for example in part], device=hidden.device)
            found.append(hidden[lengths.cumsum(0) - 1].float())
        done = min(start + ANSWERS_AT_ONCE, len(examples))
        journal.write("progress", phase="reading answers", done=done, of=len(examples))
        if journal.stop_asked:
            raise Stopped
    return torch.cat(found)


def score(config: Configuration, path: Path) -> list[tuple[str, float]]:
    """(id, number) of each lesson of a file, by a finished run. Raises RecipeError, ValueError, OSError."""
    tokenizer, rows = AutoTokenizer.from_pretrained(config.base.path), read_rows(path)
    method, journal = Reward(), Journal(config.folder, is_muted=True)
    model = method.prepare(config, journal)
    method.restore(model, load_file(config.folder / "adapter" / "adapter_model.safetensors"))
    encoded = [encode(tokenizer, row, max_length=config.recipe.max_length) for row in rows]
    kept = [example for example in encoded if example is not None]
    numbers = thoughts(model, kept, journal) @ model.reward_head.weight.detach().T
    return [(example.id, float(number)) for example, number in zip(kept, numbers[:, 0], strict=True)]


def main(path: Path, scored: Path | None = None) -> int:
    """Train, evaluate and report, or score a file of lessons; returns the exit code."""
    if scored is None:
        return loop.main(path, Reward())
    try:
        found = score(Configuration.read(path, "reward"), scored)
    except (ConfigurationError, RecipeError, ValueError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for name, number in found:
        print(json.dumps({"id": name, "reward": round(number, 5)}))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[3]) if sys.argv[2:3] == ["--score"] else None))
