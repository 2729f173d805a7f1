"""The tiny base model, run folders with made-up lessons, and signals put back."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from training.recipes.base_model import SMOLLM2, sha256_of_file
from training.recipes.tiny_base import make_base


def place_base(models: Path) -> Path:
    """Make the tiny model in the place where a worker looks for the default base model."""
    folder = make_base(models / SMOLLM2)
    facts = {"name": folder.name, "sha256": sha256_of_file(folder / "model.safetensors")}
    (folder / "model.json").write_text(json.dumps(facts))
    return folder


@pytest.fixture(autouse=True)
def signals_as_before() -> Iterator[None]:
    """A recipe takes over two signals of its process; here that is pytest's."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny base model."""
    return make_base(tmp_path_factory.mktemp("base"))


def lesson(source: str, completion: str) -> dict[str, str]:
    """A lesson as releases hold it."""
    request = f"Translate from Spanish to Test:\n{source}"
    return {"system": "You are a careful translator.", "request": request, "completion": completion}


def judged(split: str, count: int) -> list[dict[str, Any]]:
    """For each lesson of `write_run`, its own completion with an approving vote, and nonsense with a rejecting one."""
    rows = []
    for n in range(count):
        for kind, completion in (("good", f"ñu̱ {'ab' * (n % 5 + 1)}"), ("bad", f"zz {'q' * (n % 4)}")):
            votes = [{"by": "someone", "good": kind == "good", "skill": 0.8}]
            row = {"id": f"{split}-{n}-{kind}", "group": f"{split}-{n}", "lesson": lesson(f"uno {n}", completion)}
            rows.append(row | {"votes": votes})
    return rows


def write_run(folder: Path, base: Path, *, preference: dict[str, Any] | None = None, **recipe: Any) -> Path:
    """A run folder with its config.toml and 24 + 6 + 6 made-up sentence pairs, judged as well."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for split, count in (("train", 24), ("validation", 6), ("test", 6)):
        rows = [
            {"id": f"{split}-{n}", "source": f"uno {n}", "lesson": lesson(f"uno {n}", f"ñu̱ {'ab' * (n % 5 + 1)}")}
            for n in range(count)
        ]
        path = folder / f"{split}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        paths[split] = str(path)
        if split != "validation":
            path = folder / f"judged_{split}.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in judged(split, count)))
            paths[f"judged_{split}"] = str(path)
    config = {
        "base": {"path": str(base), "sha256": sha256_of_file(base / "model.safetensors")},
        "data": paths,
        "language": {"source_name": "Spanish", "target_name": "Test"},
        "recipe": {
            "rank": 4,
            "alpha": 8,
            "learning_rate": 0.01,
            "epochs": 4,
            "validate_every": 5,
            "checkpoint_every": 2,
            "threads": 1,
            **recipe,
        },
        "preference": {"longest_try": 8, **(preference or {})},
        "mixing": {"replay": 0.0},
        "evaluation": {"max_items": 6, "generate_items": 3, "max_new_tokens": 8, "samples": 2},
        "energy": {"watts": 60.0, "region": "KEN"},
    }
    (folder / "config.toml").write_text(tomli_w.dumps(config))
    return folder / "config.toml"
