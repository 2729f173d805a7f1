"""Self-evolution on a toy task: word for word into a made-up code, by a tiny model that half knows it."""

import itertools
import json

import numpy as np
import pytest
import tomli_w
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from training.evaluation.paired import compare_texts
from training.evaluation.tasks import chrf_measure
from training.recipes import loop, qlora, self_evolution, stages
from training.recipes.configuration import Configuration
from training.recipes.generation import generate_batch
from training.recipes.intruders import load
from training.recipes.text import prompt_of, read_rows
from training.recipes.tiny_base import make_base

CODE = {
    "uno": "ba",
    "dos": "ke",
    "tres": "lu",
    "cuatro": "mo",
    "cinco": "ni",
    "seis": "pa",
    "siete": "ri",
    "ocho": "to",
}
TRAINED, HELD_OUT = 80, 200


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the task, and a base that has read its training rows for a while."""
    folder = tmp_path_factory.mktemp("toy")
    every, drawn = list(itertools.product(CODE, repeat=3)), np.random.default_rng(6)
    asked = [every[place] for place in drawn.permutation(len(every))]
    parts = {
        "train": asked[:TRAINED],
        "validation": asked[TRAINED : TRAINED + 4],
        "test": asked[TRAINED + 4 : TRAINED + 4 + HELD_OUT],
    }
    for split, some in parts.items():
        lines = []
        for number, words in enumerate(some):
            lesson = {"system": "", "request": " ".join(words), "completion": " ".join(CODE[word] for word in words)}
            lines.append(json.dumps({"id": f"{split}-{number}", "source": lesson["request"], "lesson": lesson}) + "\n")
        (folder / f"{split}.jsonl").write_text("".join(lines))
    base = make_base(folder / "base")
    config = Configuration.read(written(folder, "before", "full"), "full")
    examples = loop.load_examples(config, AutoTokenizer.from_pretrained(base), "train")
    model = AutoModelForCausalLM.from_pretrained(base).train()
    learning = list(model.parameters())
    optimiser = torch.optim.AdamW(learning, lr=3e-3)
    for _ in range(80):
        batch = [examples[place] for place in drawn.choice(len(examples), 20, replace=False)]
        stages.one_step(model, batch, optimiser, learning, 1.0)
    model.save_pretrained(base)
    return folder


def written(place, name, method, **preference):
    """A run's config.toml; its completions are read once and hardly learnt from."""
    folder = place / name
    folder.mkdir()
    config = {
        "base": {"path": str(place / "base")},
        "data": {split: str(place / f"{split}.jsonl") for split in ("train", "validation", "test")},
        "language": {"source_name": "Spanish", "target_name": "Test"},
        "recipe": {"method": method, "epochs": 1, "learning_rate": 1e-4, "threads": 1},
        "preference": {"longest_try": 10, **preference},
        "mixing": {"replay": 0.0},
        "evaluation": {
            **{"max_items": 8, "generate_items": 1, "max_new_tokens": 8},
            **{"shots": 0, "memorised": 0, "samples": 0},
        },
    }
    (folder / "config.toml").write_text(tomli_w.dumps(config))
    return folder / "config.toml"


def says(path, method):
    """What a run's adapter answers to every held-out request, and what is right."""
    config = Configuration.read(path, method)
    tokenizer = AutoTokenizer.from_pretrained(config.base.path)
    rows = read_rows(config.data.test)
    prompts = [prompt_of(tokenizer, system=row.system, request=row.request) for row in rows]
    model = load(config, path.parent / "adapter")
    return generate_batch(model, tokenizer, prompts, max_new_tokens=12), [row.completion for row in rows]


def test_rounds_make_it_surely_better_than_completions_did(place):
    plain = written(place, "plain", "qlora")
    assert qlora.main(plain) == 0
    before, right = says(plain, "qlora")
    rounds = written(
        place,
        "rounds",
        "self_evolution",
        **{"rounds": 2, "beta": 0.02, "anchor": 1.0, "preference_epochs": 4, "preference_learning_rate": 2e-3},
    )
    assert self_evolution.main(rounds) == 0
    after, _ = says(rounds, "self_evolution")
    found = compare_texts(chrf_measure(right), before, after)
    assert 30 < found["base"] < 97
    assert found["difference_ci95"][0] > 0
