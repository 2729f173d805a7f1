"""Few-shot prompting: the base model with some answered requests before the question. It learns nothing.

    python -m training.recipes.few_shot run-folder/config.toml

This is what an adapter must beat: one that does not has no reason to be trained (Brown et al. 2020). The examples are
rows of the training split, the same before every question, drawn by the seed; none is ever held out. Prints a table of
0, 1, 4 and 8 examples: bits per byte, chrF++, and how many tokens each question costs. Every run measures some of them
beside its own result (`evaluation.shots`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.scores import bits_per_byte, chrf, difference_interval
from training.recipes.configuration import Configuration, ConfigurationError
from training.recipes.devices import compute_dtype, device_map
from training.recipes.generation import generate_batch
from training.recipes.stages import RecipeError, losses_of
from training.recipes.text import Example, Row, encode, ordered, prompt_of, read_rows

NUMBERS = (0, 1, 4, 8)
GENERATION_BATCH = 4


def shots_of(tokenizer: Any, rows: Sequence[Row], number: int, config: Configuration) -> list[Row]:
    """The first so many short enough training rows, in an order that follows from the seed and their ids."""
    by_id = {row.id: row for row in rows}
    encoded = [encode(tokenizer, row, max_length=config.recipe.max_length) for row in rows]
    chosen = ordered([one for one in encoded if one is not None], seed=config.recipe.seed, epoch=-5)
    return [by_id[example.id] for example in chosen[:number]]


def measure_shots(
    model: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    asked: int,
    shots: Sequence[Row],
    config: Configuration,
    tick: Callable[[int], None] = lambda done: None,
) -> tuple[list[float], dict[str, Any]]:
    """Nats of each row's completion after the examples, and the figures; the first `asked` rows are answered, too.

    `tick` is told how many rows were done. A model reads as far as it was made to: rows may be too long for it.
    """
    longest = getattr(model.config, "max_position_embeddings", sys.maxsize)
    examples = [encode(tokenizer, row, max_length=longest, shots=shots) for row in rows]
    if any(example is None for example in examples):
        raise RecipeError(f"{len(shots)} examples and a question are longer than the model can read.")
    nats = []
    for example in examples:
        assert isinstance(example, Example)  # noqa: S101 - looked at above
        nats += losses_of(model, [example])
        tick(1)
    texts: list[str] = []
    for start in range(0, asked, GENERATION_BATCH):
        part = rows[start : min(start + GENERATION_BATCH, asked)]
        prompts = [prompt_of(tokenizer, system=row.system, request=row.request, shots=shots) for row in part]
        texts += generate_batch(model, tokenizer, prompts, max_new_tokens=config.evaluation.max_new_tokens)
        tick(len(part))
    tokens = sum(example.prompt for example in examples if example is not None)
    return nats, {
        "shots": len(shots),
        "bpb": bits_per_byte(nats, [len(row.completion.encode()) for row in rows]),
        "chrf": chrf(texts, [row.completion for row in rows[:asked]]),
        "prompt_tokens": round(tokens / len(rows), 1),
    }


def run(config: Configuration) -> list[dict[str, Any]]:
    """The figures of each number of examples, with the interval of the difference to none. Raises RecipeError."""
    torch.set_num_threads(config.recipe.threads)
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    model: Any = AutoModelForCausalLM.from_pretrained(config.base.path, device_map=device_map(), dtype=compute_dtype())
    model.eval()
    train, test = read_rows(config.data.train), read_rows(config.data.test)
    by_id = {row.id: row for row in test}
    encoded = [encode(tokenizer, row, max_length=config.recipe.max_length) for row in test]
    chosen = ordered([one for one in encoded if one is not None], seed=config.recipe.seed, epoch=-2)
    rows = [by_id[example.id] for example in chosen[: config.evaluation.max_items]]
    if not rows:
        raise RecipeError(f"The test split holds no sentence of at most {config.recipe.max_length} tokens.")
    sizes, found = [len(row.completion.encode()) for row in rows], []
    none: list[float] = []
    for number in NUMBERS:
        shots = shots_of(tokenizer, train, number, config)
        asked = min(config.evaluation.generate_items, len(rows))
        nats, figures = measure_shots(model, tokenizer, rows, asked, shots, config)
        none = none or nats
        interval = difference_interval(none, nats, sizes, seed=config.recipe.seed)
        found.append({**figures, "items": len(rows), "difference_ci95": [interval.low, interval.high]})
    return found


def main(path: Path) -> int:
    """Measure and print; returns the exit code. The figures are in few_shot.json of the folder, too."""
    try:
        config = Configuration.read(path, "lora")
        found = run(config)
    except (ConfigurationError, RecipeError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    (path.parent / "few_shot.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print("shots  bits per byte  chrF++  tokens a question")  # noqa: T201
    for row in found:
        print(f"{row['shots']:5}  {row['bpb']:13.3f}  {row['chrf']:6.2f}  {row['prompt_tokens']:17.1f}")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
