"""A small project of every other kind, over published sentences and a few prompts, for visitors to try.

The demo accounts answer only where the corpus, or the sentence itself, says what the answer is.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.utils import timezone

from annotation.answers.services import submit_answer
from annotation.corpora.models import Item, Source
from annotation.corpora.packaged import read_tsunkua
from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import NothingToDo, lease_task, open_project
from people.models import Community, Person
from wordhearth.demo.community import CHECKS, ELOTL_TERMS, Cast

ITEMS = 12
PROMPTS = (
    "Cuenta cómo empieza un día en tu casa.",
    "Describe la plaza de tu pueblo a alguien que nunca la ha visto.",
    "Escribe lo que quieras.",
)
INSTRUCTIONS = (
    "Explica cómo se prepara una comida que te gusta.",
    "¿Qué le dirías a un niño que quiere aprender tu lengua?",
    "Di tres cosas que se necesitan para un viaje largo.",
)
SPANISH = {
    "target_language_name": "Spanish",
    "target_language_tag": "es",
    "target_script": "Latn",
    "target_direction": "ltr",
}


def open_kinds(community: Community, cast: Cast) -> list[Project]:
    """One project of each kind that the demo's main job does not use. Running it again finds them."""
    known = {project.kind: project for project in community.projects.all()}
    for kind, title, rows, fields in _plans(community):
        if kind not in known:
            source = _source(community, cast, f"Demo: {title}", rows)
            known[kind] = open_project(
                community=community,
                created_by=cast.steward,
                sources=[source],
                now=timezone.now(),
                title=f"{title} (demo)",
                kind=kind,
                source_language_name="Spanish",
                source_language_tag="es",
                orthography=None if fields.get("target_language_tag") == "es" else community.orthographies.first(),
                **fields,
            )
    return [known[kind] for kind in known if kind != "translate"]


def _plans(community: Community) -> Iterator[tuple[str, str, list[dict[str, str]], dict[str, Any]]]:
    items = list(Item.objects.filter(source__community=community).exclude(reference="").order_by("source", "position"))
    short = [item for item in items if 40 <= len(item.text) <= 120][:ITEMS]
    sentences = [{"text": item.text} for item in short]
    yield (
        "simplify",
        "Simpler Spanish",
        [{"text": item.text} for item in items if len(item.text) > 120][:ITEMS],
        {**SPANISH, "checks": CHECKS},
    )
    yield "write", "Write something", [{"text": prompt} for prompt in PROMPTS], {}
    yield "respond", "Answer a question", [{"text": prompt} for prompt in INSTRUCTIONS], {}
    yield (
        "label",
        "Names in sentences",
        sentences,
        {"settings": {"labels": [{"name": "PER", "words": "a person"}, {"name": "LOC", "words": "a place"}]}},
    )
    yield (
        "classify",
        "Question or not",
        sentences,
        {"settings": {"labels": ["question", "no question"], "question": "Is the sentence a question?"}},
    )
    yield "compare", "Two published translations", _twice_translated()[:ITEMS], {}
    yield (
        "rate",
        "Rate published translations",
        [{"text": item.text, "candidate": item.reference} for item in short],
        {"settings": {"axes": ["adequacy", "fluency"], "from": 1, "to": 5}},
    )


def _twice_translated() -> list[dict[str, str]]:
    """Sentences that the corpus holds with two different translations, the longest first."""
    wordings: dict[str, list[str]] = defaultdict(list)
    for row in read_tsunkua():
        if row.translation not in wordings[row.text]:
            wordings[row.text].append(row.translation)
    pairs = [(text, found) for text, found in wordings.items() if len(found) > 1]
    ordered = sorted(pairs, key=lambda pair: -len(pair[0]))
    return [{"text": text, "option_a": found[0], "option_b": found[1]} for text, found in ordered]


def _source(community: Community, cast: Cast, title: str, rows: list[dict[str, str]]) -> Source:
    content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    import_upload(
        community=community,
        imported_by=cast.steward,
        name="demo.jsonl",
        content=content.encode(),
        licence=ELOTL_TERMS,
        title=title,
        language_tag="es",
        now=timezone.now(),
    )
    return community.sources.get(title=title)


def classify_questions(project: Project, cast: Cast) -> int:
    """Two demo speakers say of each sentence whether it holds a question mark; returns the number of answers."""
    answers = 0
    for speaker in cast.speakers[:2]:
        while (lease := _lease(project, speaker)) is not None:
            label = "question" if "?" in lease.task.item.text else "no question"
            submit_answer(
                assignment=lease,
                author=speaker,
                payload={"labels": [label]},
                client_id=uuid5(NAMESPACE_URL, f"wordhearth-demo:{lease.pk}"),
                now=timezone.now(),
            )
            answers += 1
    return answers


def _lease(project: Project, speaker: Person) -> Any:
    try:
        return lease_task(project=project, person=speaker, now=timezone.now())
    except NothingToDo:
        return None
