"""What single ideas of the recipes save, as `script/bench training` asks: the same work with and without each.

    python -m training.recipes.part_speed NAME run-folder/config.toml

NAME is `head` (the output layer on completions only, beside all tokens), `reference` (what a preference's reference
says, computed once, beside in every step) or `intruders` (ours with the base's directions at hand, beside peft's).
Seconds are the processor's. One JSON object on the last line.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.intruders import reduce_intruder_dimension
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.likelihood import packed_hidden
from training.recipes.configuration import Configuration
from training.recipes.dpo import Pair, Pairs, with_references
from training.recipes.intruders import audit
from training.recipes.journal import Journal
from training.recipes.loop import load_examples
from training.recipes.speed import lora_of
from training.recipes.stages import add_gradient, learn_completions
from training.recipes.text import IGNORED, Example, batches_of, pack

Facts = dict[str, Any]
BATCHES = 3
# peft decomposes three matrices for each adapted one, which takes minutes for a whole model.
LAYERS = 2


def head(config: Configuration) -> Facts:
    """A step's forward and backward pass with scores of the vocabulary at completions, and at every token."""
    model, examples = _adapted(config, lora_of(config.recipe)), _examples(config)
    batches = batches_of(examples, config.recipe.batch_size)[:BATCHES]
    ours, theirs = _both(
        model,
        [partial(learn_completions, model, batch) for batch in batches],
        [partial(learn_from_all_scores, model, batch) for batch in batches],
    )
    used = [example for batch in batches for example in batch]
    tokens = sum(len(example.tokens) for example in used)
    masked = sum(example.prompt for example in used)
    return {"masked_share": masked / tokens, "seconds": ours, "whole_seconds": theirs, "ratio": theirs / ours}


def learn_from_all_scores(model: Any, batch: list[Example]) -> float:
    """The same loss as transformers computes it: every score is made, and most are thrown away."""
    packed = pack(batch)
    scores = model.get_output_embeddings()(packed_hidden(model, packed)[0, :-1]).float()
    return add_gradient(F.cross_entropy(scores, packed["labels"][0, 1:], ignore_index=IGNORED))


def reference(config: Configuration) -> Facts:
    """A step of DPO with what the reference says at hand, and one that asks it each time, as without a cache."""
    model, examples = _adapted(config, lora_of(config.recipe)), _examples(config)
    with TemporaryDirectory() as folder:
        journal = Journal(Path(folder), is_muted=True)
        pairs = with_references(model, _pairs(examples), journal)
        stage = Pairs(pairs, config)
        batches = batches_of(pairs, config.recipe.batch_size)[:BATCHES]

        def asked_again(batch: list[Pair]) -> None:
            with model.disable_adapter():
                told = with_references(model, batch, journal)
            model.train()
            stage.learn(model, told)

        ours, theirs = _both(
            model,
            [partial(stage.learn, model, batch) for batch in batches],
            [partial(asked_again, batch) for batch in batches],
        )
    return {"seconds": ours, "without_cache_seconds": theirs, "ratio": theirs / ours}


def _pairs(examples: list[Example]) -> list[Pair]:
    """Each answer beside another one to the same request: what they say does not matter to the clock."""
    return [
        Pair(one.id, one, Example(one.id, (*one.tokens[: one.prompt], *other.tokens[other.prompt :]), one.prompt, 1))
        for one, other in pairwise(examples)
    ]


def intruders(config: Configuration) -> Facts:
    """The intruders of a chance adapter on the first layers, the base's directions at hand; and by peft, which
    decomposes the base anew and makes the scaled adapter at once."""
    lora = lora_of(config.recipe)
    lora.layers_to_transform = list(range(LAYERS))
    model = _adapted(config, lora)
    drawn = torch.Generator().manual_seed(config.recipe.seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if ".lora_B." in name:
                parameter.copy_(torch.randn(parameter.shape, generator=drawn) * 0.05)
    with TemporaryDirectory() as folder:
        cache = Path(folder) / "cache.safetensors"
        first = _seconds(partial(audit, model, cache))
        found = audit(model, cache)
        ours = min(_seconds(partial(audit, model, cache)) for _ in range(BATCHES))
    lines: list[str] = []
    theirs = _seconds(partial(reduce_intruder_dimension, model, logging_sink=lines.append))
    counted = sum(int(line.rsplit(" ", 1)[1]) for line in lines if "Intruders: " in line)
    return {
        "matrices": len(found),
        "intruders": sum(one.count for one in found.values()),
        "intruders_of_peft": counted,
        "seconds": ours,
        "first_seconds": first,
        "peft_seconds": theirs,
        "ratio": theirs / ours,
    }


def _adapted(config: Configuration, lora: LoraConfig) -> Any:
    base = AutoModelForCausalLM.from_pretrained(config.base.path, dtype=torch.float32)
    return get_peft_model(base, lora).train()


def _examples(config: Configuration) -> list[Example]:
    return load_examples(config, AutoTokenizer.from_pretrained(config.base.path), "train")


def _both(model: Any, ours: list[Callable[[], Any]], theirs: list[Callable[[], Any]]) -> tuple[float, float]:
    """Median seconds of either, taken in turns, so that what else the machine does meets both."""
    found: tuple[list[float], list[float]] = ([], [])
    for acts in zip(ours, theirs, strict=True):
        for act, seconds in zip(acts, found, strict=True):
            seconds.append(_seconds(act))
            model.zero_grad(set_to_none=True)
    # Of the sums' ratio a single slow batch would decide.
    return statistics.median(found[0]), statistics.median(found[1])


def _seconds(act: Callable[[], Any]) -> float:
    began = time.process_time()
    act()
    return time.process_time() - began


PARTS = {"head": head, "reference": reference, "intruders": intruders}


def main() -> int:
    """Command line."""
    name, path = sys.argv[1], Path(sys.argv[2])
    config = Configuration.read(path, "lora")
    torch.set_num_threads(config.recipe.threads)
    torch.manual_seed(config.recipe.seed)
    print(json.dumps(PARTS[name](config)))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
