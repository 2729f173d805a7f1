"""What the researcher's pages read across rooms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from annotation.answers.models import Answer
from annotation.projects.models import Project
from people.models import Community, Person
from training.releases.models import Release
from training.releases.services import PURPOSES, folder_of


@dataclass(frozen=True)
class ProjectForTraining:
    """A project with its number of validated answers, and how many of them each purpose may use."""

    project: Project
    validated: int
    usable: list[tuple[str, int]]

    @property
    def is_ready(self) -> bool:
        """Whether anything at all may be frozen."""
        return any(number for _, number in self.usable)


def projects_with_usable(community: Community, person: Person) -> list[ProjectForTraining]:
    """The community's projects, newest first, with what may be trained on now."""
    projects = list(Project.objects.visible_to(person).filter(community=community).with_progress())
    usable = {purpose: _usable_by_project(projects, purpose) for purpose in PURPOSES}
    return [
        ProjectForTraining(
            project=project,
            validated=project.tasks_done,
            usable=[(str(purpose.label), usable[purpose].get(project.pk, 0)) for purpose in PURPOSES],
        )
        for project in projects
    ]


def _usable_by_project(projects: Sequence[Project], purpose: str) -> dict[int, int]:
    """What `selected_answers` would find in each project, counted for all of them at once."""
    usable = Answer.objects.filter(task__project__in=projects).eligible_for(purpose)
    return dict(usable.order_by().values_list("task__project").annotate(number=Count("pk", distinct=True)))


def read_manifest(release: Release) -> dict[str, Any]:
    """The release's manifest without its list of items; empty when the file cannot be read."""
    try:
        manifest = json.loads((folder_of(release) / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return {key: value for key, value in manifest.items() if key != "items"}


def read_card(release: Release) -> str:
    """The release's dataset card, as it was frozen."""
    try:
        return (folder_of(release) / "README.md").read_text(encoding="utf-8")
    except OSError:
        return ""
