"""Files that runs of tests learn from beside a release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from people.models import Community, Person
from tests.conftest import NOW
from tests.recipes.conftest import lesson
from training.recipes.base_model import sha256_of_file
from training.releases.models import Release
from training.runs.additions import upload_addition
from training.runs.models import Addition

TINY = {
    "recipe": {"rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 1, "checkpoint_every": 1, "threads": 1},
    "evaluation": {"max_items": 4, "generate_items": 1, "max_new_tokens": 4, "shots": 0, "memorised": 0, "samples": 0},
    "mixing": {"both_directions": True, "temperature": 1.0},
}
TEXT = b'{"id": 1, "text": "un pasaje"}\n\n{"id": 2, "text": "otro"}\n'
RELATED = "".join(
    json.dumps({"id": f"r{n}", "language": "nah" if n else "es-MX", "lesson": lesson(f"dos {n}", "uno")}) + "\n"
    for n in range(3)
).encode()


def uploaded(community: Community, person: Person, kind: str = "text", content: bytes = TEXT, **more: Any) -> Addition:
    about = {"title": "Made-up passages", "origin": "Nowhere", "terms": "CC0", "name": "given.jsonl", "language": "ote"}
    about |= {"now": NOW, **more}
    return upload_addition(community=community, added_by=person, kind=kind, content=content, **about)


def related(community: Community, person: Person) -> Addition:
    return uploaded(community, person, "related", RELATED, language="")


def rows_of(release: Release) -> bytes:
    """Rows as a machine makes them of a release's first training sentence."""
    parent = str(release.items.filter(split="train").first().answer_id)
    one = {"id": "bt:1", "how": "back_translation", "parents": [parent], "made_by": "a" * 64}
    return (json.dumps({**one, "lesson": lesson("<BT> uno", "ñu̱")}) + "\n").encode()


def placed_base(folder: Path, *, extends: str = "0" * 64) -> Path:
    """A base with more tokens as the recipe leaves it, but for its weights, which are none."""
    folder.mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"weights")
    told = {"token": "tsatsa", "of": ["t", "sa", "t", "sa"], "times": 9}
    (folder / "tokens.jsonl").write_text(json.dumps(told) + "\n", encoding="utf-8")
    fertility = {"texts": 5, "words": 20, "bytes_per_token": 2.5, "times_english": 2.0}
    measured = {
        "before": {**fertility, "tokens_per_word": 3.0},
        "after": {**fertility, "tokens_per_word": 2.25},
        **{"bpb_before": 7.5, "bpb_by_mean": 7.25, "bpb_by_chance": 10.5, "file_ratio": 1.01, "learnt_from": 40},
    }
    about = {
        "sha256": sha256_of_file(folder / "model.safetensors"),
        "extends": extends,
        "vocabulary": {"tokens": 7, **measured},
    }
    (folder / "model.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
