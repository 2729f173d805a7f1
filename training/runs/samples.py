"""What people may still see of an adapter's evaluation."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from annotation.answers.models import Answer
from people.models import Person
from training.runs.models import Adapter


def readable_samples(adapter: Adapter, person: Person) -> list[dict[str, Any]]:
    """The report's samples whose reference this person may still read.

    A report is a file of the past: it keeps the words of somebody who has withdrawn them since.
    """
    samples: list[dict[str, Any]] = adapter.report.get("evaluation", {}).get("samples", [])
    ids = {identifier for sample in samples if (identifier := _uuid(sample.get("id"))) is not None}
    readable = set(Answer.objects.visible_to(person).filter(pk__in=ids).values_list("pk", flat=True))
    return [sample for sample in samples if _uuid(sample.get("id")) in readable]


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(str(value))
    except ValueError:
        return None
