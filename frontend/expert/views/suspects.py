"""Labels that a model doubts which never saw their texts: counted, filtered, and sent to the experts' queue."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotation.projects.models import Project
from annotation.revision.models import Suspicion
from annotation.revision.querysets import SuspicionQuerySet
from annotation.revision.services import send_to_experts
from frontend.expert.kwic import context_of
from frontend.expert.views.consistency import numbers_of
from frontend.expert.views.desk import DecidingView
from people.refusals import Refusal

AT_ONCE = 25
# What a word of the address filters by.
FILTERS = {
    "fault": "fault",
    "label": "label",
    "annotator": "answer__author",
    "dialect": "answer__task__item__source__variety",
}


class SuspectsView(DecidingView):
    """One project's doubted labels, the surest doubt first."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Counts by kind of fault, annotator, label and dialect; each count filters."""
        project = self._project(pk)
        found = self._found(project)
        numbers = numbers_of(project)
        page = Paginator(self._filtered(found, numbers), AT_ONCE).get_page(request.GET.get("page"))
        context = {
            "community": self.community,
            "project": project,
            "page": page,
            "lines": [_line(one) for one in page],
            "counts": self._counts(found, numbers),
            "is_filtered": any(request.GET.get(name) for name in FILTERS),
        }
        return render(request, "expert/consistency_suspects.html", context)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the answers of the shown ones to the experts' queue."""
        project = self._project(pk)
        shown = [int(number) for number in request.POST.getlist("suspicion") if number.isdecimal()]
        wanted = self._found(project).filter(pk__in=shown)
        try:
            many = send_to_experts(suspicions=wanted, expert=self.person, now=self.now)
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            said = ngettext(
                "%(number)s answer waits for a decision now.", "%(number)s answers wait for a decision now.", many
            )
            messages.success(request, said % {"number": many})
        return redirect(request.get_full_path())

    def _project(self, pk: int) -> Project:
        projects = Project.objects.visible_to(self.person).filter(community=self.community)
        return get_object_or_404(projects, pk=pk)

    def _found(self, project: Project) -> SuspicionQuerySet:
        mine = Suspicion.objects.visible_to(self.person).filter(project=project).standing()
        return mine.filter(answer__in=self.readable()).select_related("answer__task__item__source")

    def _filtered(self, found: SuspicionQuerySet, numbers: dict[int, int]) -> SuspicionQuerySet:
        authors = {str(number): author for author, number in numbers.items()}
        for name, field in FILTERS.items():
            value: Any = self.request.GET.get(name, "")
            if name == "annotator" and value:
                value = authors.get(value, 0)
            if name == "dialect" and value and not value.isdecimal():
                value = 0
            if value != "":
                found = found.filter(**{field: value})
        return found

    def _counts(self, found: SuspicionQuerySet, numbers: dict[int, int]) -> list[dict[str, Any]]:
        """For each filter its values with how many there are, the most first."""
        faults = dict(Suspicion.Fault.choices)
        dialects = {row.pk: row.name for row in self.community.varieties.all()}
        headings = {"fault": _("Fault"), "label": _("Label"), "annotator": _("Annotator"), "dialect": _("Dialect")}
        shown = []
        for name, field in FILTERS.items():
            rows = found.order_by().values_list(field).annotate(many=Count("pk")).order_by("-many", field)
            values = []
            for value, many in rows:
                code, words = value, value
                if name == "fault":
                    words = faults[value]
                elif name == "annotator":
                    code = numbers[value]
                    words = _("Annotator %(number)s") % {"number": code}
                elif name == "dialect":
                    words = dialects.get(value)
                if words:
                    is_on = self.request.GET.get(name) == str(code)
                    values.append({"code": code, "words": words, "many": many, "is_on": is_on})
            if values:
                shown.append({"name": name, "heading": headings[name], "values": values})
        return shown


def _line(one: Suspicion) -> dict[str, Any]:
    text = one.answer.task.item.text

    def said(mark: list[Any] | None) -> dict[str, str] | None:
        return {"label": mark[2], "words": text[mark[0] : mark[1]]} if mark else None

    return {
        "row": one,
        "context": context_of(text, one.start, one.end),
        "given": said(one.given),
        "expected": said(one.expected),
        "percent": round(100 * one.confidence),
    }
