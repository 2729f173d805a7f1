"""Pairs of made-up sentences about made-up groups, written and checked by the cast."""

from __future__ import annotations

from collections.abc import Sequence

from annotation.answers.models import Answer
from annotation.corpora.services import import_upload
from annotation.projects.services import open_project
from people.models import Community, Person
from tests.conftest import NOW
from tests.stored import store_answer, store_approvals


def write_pairs(community: Community, steward: Person, speakers: Sequence[Person], *, number: int) -> list[Answer]:
    """So many validated pairs, of the speakers in turn."""
    lines = "".join(f"tema {n}\n" for n in range(number))
    import_upload(
        community=community,
        imported_by=steward,
        name="themes.tsv",
        content=f"text\n{lines}".encode(),
        licence="CC0",
        title=f"{number} themes",
        language_tag="es",
        now=NOW,
    )
    project = open_project(
        community=community,
        created_by=steward,
        sources=[community.sources.order_by("-pk")[0]],
        now=NOW,
        title="Pairs",
        kind="contrast",
        settings={"groups": ["ones", "others"]},
        source_language_name="Spanish",
        source_language_tag="es",
    )
    answers = [
        store_answer(
            task,
            speakers[n % len(speakers)],
            payload={"about": {"ones": f"ya ñä {n} pɛfi", "others": f"ya ñu {n} pɛfi"}},
            now=NOW,
        )
        for n, task in enumerate(project.tasks.order_by("item__position"))
    ]
    store_approvals(answers, speakers, now=NOW)
    return answers
