"""A small project of any kind, over four made-up items."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from django.utils import timezone

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import lease_task, open_project
from people.models import Community, Person
from tests.conftest import NOW

SETTINGS: dict[str, dict[str, Any]] = {
    "label": {"labels": ["PER", "LOC"]},
    "classify": {"labels": ["glad", "sad"]},
    "compare": {},
    "contrast": {"groups": ["ones", "others"]},
    "rate": {"axes": ["adequacy", "fluency"], "from": 1, "to": 5},
}
PAIRS = "text\toption_a\toption_b\tcandidate\n" + "".join(
    f"frase {n}\tuna cosa {n}\totra cosa {n}\tuna cosa {n}\n" for n in range(1, 5)
)


def open_kind(community: Community, founder: Person, kind: str, **fields: Any) -> Project:
    """Import the items, and open a project of the kind over them."""
    import_upload(
        community=community,
        imported_by=founder,
        name="pairs.tsv",
        content=PAIRS.encode(),
        licence="CC0",
        title=f"Pairs for {kind}",
        language_tag="es",
        now=NOW,
    )
    return open_project(
        **{
            "community": community,
            "created_by": founder,
            "sources": [community.sources.order_by("-pk")[0]],
            "now": NOW,
            "title": kind,
            "kind": kind,
            "settings": SETTINGS.get(kind, {}),
            "source_language_name": "Spanish",
            "source_language_tag": "es",
            **fields,
        }
    )


def answer_of(project: Project, person: Person, *, text: str = "", payload: dict[str, Any] | None = None) -> Answer:
    """The person's answer to the next task of the project."""
    lease = lease_task(project=project, person=person, now=timezone.now())
    return submit_answer(
        assignment=lease, author=person, client_id=uuid4(), now=timezone.now(), text=text, payload=payload
    )
