"""Files that runs of tests learn from beside a release."""

from __future__ import annotations

import json
from typing import Any

from people.models import Community, Person
from tests.conftest import NOW
from tests.recipes.conftest import lesson
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
