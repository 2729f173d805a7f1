"""What is noticed in an answer before it is stored: it warns its author, who may know better, and then its readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils.module_loading import import_string
from django.utils.translation import gettext

from annotation.answers.models import Answer
from annotation.corpora.models import Item
from annotation.kinds.contract import Written
from annotation.projects.models import Project, Task
from annotation.text.checks import check_text
from annotation.text.duplicates import bands, fingerprint, normal_key, resemblance
from annotation.text.findings import Finding, words
from annotation.text.profiles import Profile, build_profile, other_language
from annotation.text.readability import hints
from annotation.text.settings import read_settings
from care.models import Purpose
from people.models import Person
from people.refusals import Refusal

SHORT_WHILE = timedelta(minutes=120)
NEAR = 0.8
# Enough to know a language by; more would only make the first request of an hour slower.
MOST_TEXTS = 200
MOST_COMPARED = 200
PROFILES_LAST = 3600


class NeedsALook(Refusal):
    """Something was noticed that the author has not yet looked at. Sending it again with `confirmed` stores it."""

    status = 422

    def __init__(self, message: str, *, findings: list[Finding]) -> None:
        super().__init__(message)
        self.findings = findings

    @property
    def warnings(self) -> list[dict[str, str]]:
        """Each finding in words, with the key that confirms it."""
        return [{"key": finding.key, "code": finding.code, "message": in_words(finding)} for finding in self.findings]


def in_words(finding: Finding) -> str:
    """The finding in the reader's language."""
    return words(finding, gettext)


@dataclass(frozen=True)
class Look:
    """How far an author has looked at what was noticed."""

    confirmed: frozenset[str] = frozenset()
    """Keys of the findings that were shown, and that are to be sent as they are."""
    later: bool = False
    """The words were written without a connection and arrive now: there is nobody to ask."""


UNSEEN = Look()


def warnings_for(*, task: Task, author: Person, written: Written, look: Look, now: datetime) -> list[dict[str, Any]]:
    """What an answer keeps of the findings in it, each with whether its author went on. Raises NeedsALook."""
    found = find(task=task, author=author, written=written, now=now)
    if not look.later and any(finding.key not in look.confirmed for finding in found):
        raise NeedsALook("Please look at this once more. Change it, or say that it is right as it is.", findings=found)
    return [
        {"code": finding.code, "parameters": dict(finding.parameters), "confirmed": finding.key in look.confirmed}
        for finding in found
    ]


def find(*, task: Task, author: Person, written: Written, now: datetime) -> list[Finding]:
    """Everything that the project's checks notice in an answer; nothing where the project asks for nothing."""
    project = task.project
    if not (project.checks and project.task_kind.is_text and written.text):
        return []
    asked = read_settings(project.checks)
    source = task.item.text if project.task_kind.restates else None
    found = check_text(written.text, asked.checks, source=source)
    if "language" in asked.wanted and project.source_language_tag != project.target_language_tag:
        found += other_language(written.text, *profiles_of(project))
    if "machine" in asked.wanted:
        found += _of_machine(written.text, task)
    return found + (_again(written.text, task, author, now) if "again" in asked.wanted else [])


def find_hints(project: Project, text: str) -> list[Finding]:
    """What could be simpler, as the project's settings see it. Hints never hold anything up."""
    if not (project.checks and project.task_kind.is_text):
        return []
    return hints(text, read_settings(project.checks).plainness)


def told(warnings: Iterable[dict[str, Any]]) -> dict[str, list[str]]:
    """What an answer keeps, in words: what its author `confirmed`, and what was only `noticed` when it arrived."""
    said: dict[str, list[str]] = {"confirmed": [], "noticed": []}
    for kept in warnings:
        finding = Finding(kept["code"], 0, 0, kept["parameters"])
        said["confirmed" if kept["confirmed"] else "noticed"].append(in_words(finding))
    return said


def bands_of(text: str) -> list[int]:
    """The keys by which a text like this one is found again."""
    return bands(fingerprint(text)) if text else []


def profiles_of(project: Project) -> tuple[Profile, Profile]:
    """How the language of the answers is written, and that of the sources: learnt once an hour.

    From accepted answers whose authors let them be used for checking, and from the community's documents.
    """
    key = f"profiles:{project.pk}:{project.source_language_tag}:{project.target_language_tag}"
    profiles: tuple[Profile, Profile] = cache.get_or_set(key, lambda: _learn(project), PROFILES_LAST)
    return profiles


def _learn(project: Project) -> tuple[Profile, Profile]:
    answers = (
        Answer.objects.of_community(project.community)
        .validated()
        .usable_for(Purpose.PEER_REVIEW)
        .filter(task__project__target_language_tag=project.target_language_tag)
        .exclude(text="")
        .order_by("-settled_at")
    )
    items = Item.objects.filter(
        source__community=project.community_id, source__language_tag=project.source_language_tag
    ).order_by("-pk")
    ours, theirs = (rows.values_list("text", flat=True)[:MOST_TEXTS] for rows in (answers, items))
    return build_profile(ours), build_profile(theirs)


def _of_machine(text: str, task: Task) -> list[Finding]:
    """Whether it is word for word what a model wrote for the sentence; who knows of models is named in the settings."""
    machine_texts = import_string(settings.MACHINE_TEXTS)
    key = normal_key(text)
    same = any(normal_key(machine) == key for machine in machine_texts(task.project, task.item.text))
    return [Finding("same_as_machine", 0, len(text))] if same else []


def _again(text: str, task: Task, author: Person, now: datetime) -> list[Finding]:
    """The same, or nearly, for another sentence: of one's own a short while ago, or accepted in the project."""
    others = Answer.objects.filter(task__project=task.project_id, bands__overlap=bands_of(text)).exclude(
        Q(task=task) | Q(state__in=[Answer.State.WITHDRAWN, Answer.State.QUARANTINED, Answer.State.REJECTED])
    )
    own = others.filter(author=author, created_at__gte=now - SHORT_WHILE)
    # What is hidden or may not be used for checking says nothing about what somebody else writes.
    stored = (
        others.validated().usable_for(Purpose.PEER_REVIEW).exclude(author=author, created_at__gte=now - SHORT_WHILE)
    )
    return _alike(text, task, own, "before") or _alike(text, task, stored, "stored")


def _alike(text: str, task: Task, others: QuerySet[Answer], where: str) -> list[Finding]:
    """The nearest of them, unless what they answer is as much alike: then the same words may well be right."""
    nearest, key = 0.0, normal_key(text)
    compares = bool(task.item.text)
    for other, source in others.values_list("text", "task__item__text")[:MOST_COMPARED]:
        if compares and resemblance(source, task.item.text) >= NEAR:
            continue
        if normal_key(other) == key:
            return [Finding(f"same_as_{where}", 0, len(text))]
        nearest = max(nearest, resemblance(text, other))
    return [Finding(f"near_{where}", 0, len(text), {"percent": int(100 * nearest)})] if nearest >= NEAR else []
