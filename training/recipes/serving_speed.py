"""What serving several adapters from one base costs, as `script/bench playground` asks: memory, time and taking turns.

    python -m training.recipes.serving_speed adapters BASE FOLDER
    python -m training.recipes.serving_speed shelf|models|alone|turns|mixed|many BASE FOLDER

The first makes adapters of the usual size with random numbers, which are as large and as slow as learnt ones. Each
other one measures in a process of its own and prints its figures as JSON on the last line. Times are the processor's,
on one thread, but for `alone` and `turns`, which are what somebody waits.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import psutil
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

from training.recipes.generation import generate_batch, stream_together
from training.recipes.serving import Shelf, Side
from training.recipes.text import prompt_of

ADAPTERS, RANK = 8, 16
NEW_TOKENS = 24
ASKED_AT_ONCE = 10
SYSTEM = "You are a careful translator."
WORDS = "la casa del río está lejos y nadie la ha visto desde que volvió mi abuela"

Facts = dict[str, Any]


def adapters(base: str, folder: Path) -> Facts:
    """Write the adapters; bytes of one."""
    model = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    lora = LoraConfig(task_type="CAUSAL_LM", r=RANK, lora_alpha=RANK, target_modules="all-linear")
    adapted: Any = get_peft_model(model, lora)
    for number in range(ADAPTERS):
        drawn = torch.Generator().manual_seed(number)
        with torch.no_grad():
            for name, parameter in adapted.named_parameters():
                if ".lora_" in name:
                    parameter.copy_(torch.randn(parameter.shape, generator=drawn) * 0.005)
        adapted.save_pretrained(folder / str(number))
    return {"adapter_bytes": (folder / "0" / "adapter_model.safetensors").stat().st_size}


def sides_of(folder: Path) -> list[Side]:
    """The adapters, as a shelf is asked for them."""
    return [Side(str(folder / str(number))) for number in range(ADAPTERS)]


def shelf(base: str, folder: Path) -> Facts:
    """Memory of this process with one base and all adapters, each of which has answered."""
    kept = Shelf(base, most=ADAPTERS)
    before = resident()
    for side in sides_of(folder):
        answer(kept, [side], new_tokens=2)
    return {"before_mb": before, "shelf_mb": resident(), "kept": len(kept.kept)}


def models(base: str, folder: Path) -> Facts:
    """Memory with one whole model, and with two: each further one costs the difference."""
    before, ids, loaded, found = resident(), torch.tensor([[1, 2, 3]]), [], []
    for _ in range(2):
        model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
        with torch.no_grad():
            # A file is read where it lies until somebody changes the numbers, as merging does.
            for parameter in model.parameters():
                parameter.add_(0)
            model(input_ids=ids)
        loaded.append(model)
        found.append(resident())
    return {"before_mb": before, "one_mb": found[0], "two_mb": found[1]}


def alone(base: str, folder: Path) -> Facts:
    """One adapter in a process of its own: memory, and seconds from the start of the process to its first word."""
    kept = Shelf(base, most=1)
    answer(kept, sides_of(folder)[:1], new_tokens=1)
    seconds = time.time() - psutil.Process().create_time()
    return {"process_mb": resident(), "process_seconds": seconds}


def turns(base: str, folder: Path) -> Facts:
    """Seconds until another adapter can answer: one that is in memory, and one that is not. The base is in memory."""
    kept, sides, half = Shelf(base, most=ADAPTERS // 2), sides_of(folder), ADAPTERS // 2
    for side in sides[:half]:
        answer(kept, [side], new_tokens=1)
    warm = [waited(partial(kept.take, [side])) for side in sides[:half] * 2]
    cold = [waited(partial(kept.take, [side])) for side in sides[half:] + sides[:half]]
    return {
        "warm_turn_seconds": max(clock for clock, _ in warm),
        "cold_turn_seconds": max(clock for clock, _ in cold),
        "cold_turn_median_seconds": statistics.median(clock for clock, _ in cold),
        "cold_turn_processor_seconds": max(processor for _, processor in cold),
    }


def mixed(base: str, folder: Path) -> Facts:
    """Tokens a processor second when eight rows of a batch are for eight adapters, for one, and one row alone."""
    kept, sides = Shelf(base, most=ADAPTERS), sides_of(folder)
    for side in sides:
        answer(kept, [side], new_tokens=1)
    return {
        "mixed_tokens_per_second": rate(kept, sides),
        "single_adapter_tokens_per_second": rate(kept, sides[:1] * ADAPTERS),
        "one_row_tokens_per_second": rate(kept, sides[:1]),
    }


def many(base: str, folder: Path) -> Facts:
    """Processor seconds for some questions one by one, and for all of them at once; and how many answers agree."""
    kept, sides = Shelf(base, most=ADAPTERS), sides_of(folder)
    ((model, _, (name,)),) = kept.take(sides[:1])
    model.set_adapter(name)
    prompts = [question(kept, WORDS[: 12 + 6 * n]) for n in range(ASKED_AT_ONCE)]
    began, alone = time.process_time(), []
    for prompt in prompts:
        alone += generate_batch(model, kept.tokenizer, [prompt], max_new_tokens=NEW_TOKENS)
    between = time.process_time()
    at_once = generate_batch(model, kept.tokenizer, prompts, max_new_tokens=NEW_TOKENS)
    ended = time.process_time()
    return {
        "one_by_one_seconds": between - began,
        "at_once_seconds": ended - between,
        "asked": len(prompts),
        "same": sum(one == other for one, other in zip(alone, at_once, strict=True)),
    }


def question(kept: Shelf, words: str) -> str:
    """A prompt as a release has it."""
    return prompt_of(kept.tokenizer, system=SYSTEM, request=f"Translate from Spanish to Otomi:\n{words}")


def answer(kept: Shelf, sides: list[Side], *, new_tokens: int) -> int:
    """Let the sides answer together; how many tokens they said."""
    ((model, _, names),) = kept.take(sides)
    how: dict[str, Any] = {"max_new_tokens": new_tokens, "temperature": 0.0, "seed": 0}
    return len(list(stream_together(model, kept.tokenizer, question(kept, "la casa"), names, **how)))


def rate(kept: Shelf, sides: list[Side]) -> float:
    """Tokens a processor second."""
    began = time.process_time()
    said = answer(kept, sides, new_tokens=NEW_TOKENS)
    return said / (time.process_time() - began)


def waited(act: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock, and of a processor: others may keep it busy."""
    began, spent = time.monotonic(), time.process_time()
    act()
    return time.monotonic() - began, time.process_time() - spent


def resident() -> float:
    """Memory of this process now, in MiB."""
    return float(psutil.Process().memory_info().rss) / (1 << 20)


PARTS: dict[str, Callable[[str, Path], Facts]] = {
    "adapters": adapters,
    "shelf": shelf,
    "models": models,
    "alone": alone,
    "turns": turns,
    "mixed": mixed,
    "many": many,
}


def main() -> int:
    """Command line; the figures as JSON on the last line."""
    parser = argparse.ArgumentParser(description="Measure serving several adapters from one base.")
    parser.add_argument("part", choices=list(PARTS))
    parser.add_argument("base")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(json.dumps(PARTS[given.part](given.base, given.folder)))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
