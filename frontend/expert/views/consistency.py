"""Labels looked over: groups that disagree, many changed together, and labels that a model doubts.

Names of authors are not shown: annotators are numbered, in the order of their accounts.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import ngettext

from annotation.answers.models import Answer
from annotation.kinds.contract import Written
from annotation.projects.models import Project
from annotation.revision.batches import Chosen, apply_batch, plan, undo_batch
from annotation.revision.jobs import ring
from annotation.revision.models import Batch, Inconsistency
from annotation.revision.services import CLASSES, MARKS, ask_for_scan, looked_over
from frontend.desk import show_refusal
from frontend.expert.forms import BatchForm
from frontend.expert.kwic import Context, context_of, difference_of
from frontend.expert.views.desk import DecidingView
from people.refusals import Refusal
from training.releases.models import Release

AT_ONCE = 20
MOST_PLACES = 200
LATELY = 10


class ScansView(DecidingView):
    """What disagrees in each project, the most wrong labels first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """One project's groups; without a choice, of the first that was looked over."""
        projects = self._projects()
        asked = request.GET.get("project", "")
        looked = [project for project in projects if hasattr(project, "scan")]
        project = next((one for one in projects if str(one.pk) == asked), next(iter(looked or projects), None))
        context: dict[str, Any] = {"community": self.community, "projects": projects, "project": project}
        if project is not None:
            groups = Inconsistency.objects.visible_to(self.person).filter(project=project)
            scan = getattr(project, "scan", None)
            context |= {
                "scan": scan,
                "page": Paginator(groups, AT_ONCE).get_page(request.GET.get("page")),
                "subsets": _subsets(project),
                "batches": Batch.objects.visible_to(self.person).filter(project=project)[:LATELY],
                "has_suspects": looked_over(project) in (MARKS, CLASSES),
            }
        return render(request, "expert/consistency.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Look a project over."""
        wanted = request.POST.get("project", "")
        project = get_object_or_404(self._all(), pk=wanted if wanted.isdecimal() else None)
        try:
            ring(ask_for_scan(project=project, expert=self.person, now=self.now))
        except Refusal as refusal:
            messages.error(request, str(refusal))
        return redirect(f"{request.path}?project={project.pk}")

    def _all(self) -> Any:
        projects = Project.objects.visible_to(self.person).filter(community=self.community)
        return projects.select_related("scan", "community")

    def _projects(self) -> list[Project]:
        return [project for project in self._all() if looked_over(project)]


def numbers_of(project: Project) -> dict[int, int]:
    """A number for each author of the project, in place of their names."""
    authors = Answer.objects.filter(task__project=project).order_by("author").values_list("author", flat=True)
    return {author: number for number, author in enumerate(authors.distinct(), start=1)}


def _subsets(project: Project) -> list[dict[str, Any]]:
    """The odd subsets with names that may be shown."""
    scan = getattr(project, "scan", None)
    numbers = numbers_of(project)
    titles = {str(row.pk): row.title for row in project.community.sources.all()}
    origins = {str(row.pk): row.origin for row in project.community.imports.all()}
    names = {"document": titles, "batch": origins, "annotator": {str(pk): str(n) for pk, n in numbers.items()}}
    return [
        {
            "kind": one["kind"],
            "shown": names[one["kind"]].get(one["name"], "–"),
            "percent": round(100 * one["agreement"]),
            "percent_by_chance": round(100 * one["by_chance"]),
        }
        for one in (scan.subsets if scan else [])
        if one["kind"] in names
    ]


@dataclass(frozen=True)
class Line:
    """One place of a group, ready to be ticked."""

    code: str
    answer: Answer
    context: Context
    says: str
    """Labels at the place, or the words."""
    is_own: bool
    is_ticked: bool


class GroupView(DecidingView):
    """One group in its contexts: one label for all, exceptions by place, a preview, and then all at once."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The places, the most doubtful first, ticked."""
        group = self._group(pk)
        lines = self._lines(group)
        return self._page(group, lines, BatchForm(initial={"label": self._expected(group, lines)}))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Preview, or apply what was previewed."""
        group = self._group(pk)
        form = BatchForm(request.POST)
        form.is_valid()
        chosen = form.cleaned_data.get("places", [])
        label = form.cleaned_data.get("label", "")
        try:
            if "apply" in request.POST:
                batch = apply_batch(
                    group=group,
                    expert=self.person,
                    label=label,
                    chosen=chosen,
                    reason=form.cleaned_data.get("reason", ""),
                    now=self.now,
                )
                many = batch.changes.count()
                messages.success(
                    request,
                    ngettext("%(number)s answer changed.", "%(number)s answers changed.", many) % {"number": many},
                )
                return redirect("expert:batch", slug=self.community.slug, pk=batch.pk)
            return self._preview(group, form, label, chosen)
        except Refusal as refusal:
            status = show_refusal(form, refusal)
            if getattr(refusal, "field", "") == "reason":
                return self._preview(group, form, label, chosen, status=status)
            return self._page(group, self._lines(group, {_code(one) for one in chosen}), form, status=status)

    def _preview(
        self, group: Inconsistency, form: BatchForm, label: str, chosen: list[Chosen], *, status: int = 200
    ) -> HttpResponse:
        answers = {answer.pk: answer for answer in self._answers(group)}
        changes = plan(project=group.project, expert=self.person, label=label, chosen=chosen, answers=answers)
        context = {
            "community": self.community,
            "group": group,
            "project": group.project,
            "form": form,
            "label": label,
            "codes": [_code(one) for one in chosen],
            "differences": [difference_of(change.answer, change.written) for change in changes],
            "unchanged": len({one.answer for one in chosen}) - len(changes),
        }
        return render(self.request, "expert/consistency_preview.html", context, status=status)

    def _group(self, pk: int) -> Inconsistency:
        groups = Inconsistency.objects.visible_to(self.person).filter(project__community=self.community)
        return get_object_or_404(groups.select_related("project__community"), pk=pk)

    def _answers(self, group: Inconsistency) -> list[Answer]:
        wanted = [place["answer"] for place in group.places]
        readable = self.readable().validated().filter(pk__in=wanted, task__project=group.project)
        return list(readable.select_related("task__item__source", "task__project"))

    def _lines(self, group: Inconsistency, ticked: set[str] | None = None) -> list[Line]:
        answers = {str(answer.pk): answer for answer in self._answers(group)}
        lines = []
        for place in group.places:
            answer = answers.get(place["answer"])
            if answer is None:
                continue
            start, end = place["start"], place["end"]
            code = _code(Chosen(answer.pk, answer.version, start, end))
            touching = [s for s in answer.payload.get("spans", []) if s["start"] < end and start < s["end"]]
            is_own = answer.author_id == self.person.pk
            # A longer mark that holds these words may be a name of its own: it is an exception until somebody says not.
            holds = any(
                s["start"] <= start and end <= s["end"] and s["end"] - s["start"] > end - start for s in touching
            )
            is_ticked = not (is_own or holds) if ticked is None else code in ticked
            lines.append(
                Line(
                    code=code,
                    answer=answer,
                    context=context_of(answer.task.item.text, start, end),
                    says=_says(answer, touching),
                    is_own=is_own,
                    is_ticked=is_ticked,
                )
            )
        return lines[:MOST_PLACES]

    def _expected(self, group: Inconsistency, lines: list[Line]) -> str:
        if looked_over(group.project) in (MARKS, CLASSES):
            return group.expected
        return Counter(line.answer.text for line in lines).most_common(1)[0][0] if lines else ""

    def _page(self, group: Inconsistency, lines: list[Line], form: BatchForm, *, status: int = 200) -> HttpResponse:
        manner = looked_over(group.project)
        labels = [(one["name"], one["words"]) for one in group.project.settings.get("labels", [])]
        words = [(text, "") for text in dict.fromkeys(line.answer.text for line in lines)]
        context = {
            "community": self.community,
            "group": group,
            "project": group.project,
            "form": form,
            "lines": lines,
            "hidden": len(group.places) - len(lines),
            "options": words if manner not in (MARKS, CLASSES) else labels,
            "may_be_none": manner == MARKS,
            "chosen_label": form["label"].value() or "",
        }
        return render(self.request, "expert/consistency_group.html", context, status=status)


def _code(one: Chosen) -> str:
    return f"{one.answer}:{one.version}:{one.start}:{one.end}"


def _says(answer: Answer, touching: list[dict[str, Any]]) -> str:
    if answer.text:
        return answer.text
    if "labels" in answer.payload:
        return ", ".join(answer.payload["labels"])
    text = answer.task.item.text
    return " · ".join(f"{span['label']}: {text[span['start'] : span['end']]}" for span in touching)


class BatchView(DecidingView):
    """What was changed together, by whom and why; and its undoing."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Every answer of it, as far as it may still be read."""
        batch = self._batch(pk)
        changes = list(batch.changes.select_related("answer__task__item", "correction"))
        wanted = {pk for change in changes for pk in (change.answer_id, change.correction_id)}
        readable: set[UUID] = set(self.readable().filter(pk__in=wanted).values_list("pk", flat=True))
        shown = [
            (change, difference_of(change.answer, Written(change.correction.text, change.correction.payload)))
            for change in changes
            if {change.answer_id, change.correction_id} <= readable
        ]
        replaced = [change.answer_id for change in changes if not change.is_undone]
        context = {
            "community": self.community,
            "batch": batch,
            "changes": shown,
            "hidden": len(changes) - len(shown),
            "releases": Release.objects.filter(items__answer__in=replaced).distinct().order_by("number"),
        }
        return render(request, "expert/consistency_batch.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Undo it."""
        batch = self._batch(pk)
        try:
            many = undo_batch(batch=batch, expert=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            said = ngettext("%(number)s answer stands again.", "%(number)s answers stand again.", many)
            messages.success(request, said % {"number": many})
        return redirect("expert:batch", slug=self.community.slug, pk=batch.pk)

    def _batch(self, pk: int) -> Batch:
        batches = Batch.objects.visible_to(self.person).filter(project__community=self.community)
        return get_object_or_404(batches.select_related("project__community", "expert", "undone_by"), pk=pk)
