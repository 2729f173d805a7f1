"""A sentence on which a model failed becomes one that people answer."""

from __future__ import annotations

import json
from datetime import datetime

from django.db import transaction

from annotation.corpora.models import Source
from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import add_tasks, require_combinable
from people.models import Person
from people.refusals import Conflicting
from training.playground.models import Generation
from training.playground.suggesting import project_of

TITLE = "Playground"


class NoTask(Conflicting):
    """The project cannot ask about the sentence now."""


@transaction.atomic
def make_task(*, generation: Generation, made_by: Person, licence: str, now: datetime) -> int:
    """Bring what a steward tried into the corpus, on the steward's terms for their own sentence, and let the project
    ask about it; how many tasks were made: none where it asks about the very sentence already.

    What the models wrote stays outside. Raises NotAllowed, NoTask, Invalid.
    """
    project = project_of(generation.adapter)
    if project.state != Project.State.OPEN:
        raise NoTask("This project is closed for now. Thank you for your work.")
    used = Source.objects.filter(items__tasks__project=project).distinct().values_list("licence", flat=True)
    require_combinable([*used, licence])
    record = import_upload(
        community=generation.adapter.community,
        imported_by=made_by,
        name=f"playground-{generation.pk}.jsonl",
        content=json.dumps({"text": generation.source}).encode(),
        licence=licence,
        title=TITLE,
        language_tag=project.source_language_tag,
        now=now,
    )
    return add_tasks(project=project, sources=Source.objects.filter(items__imported=record).distinct())
