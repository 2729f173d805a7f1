"""Opening work, closing it, and letting it train by itself."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation.answers.judging import open_judging, quotable
from annotation.corpora.models import Source
from annotation.kinds import KINDS, Kind
from annotation.projects.models import Project
from annotation.projects.services import open_project, rule_of, set_project_state
from frontend.desk import show_refusal
from frontend.steward.checks import explained
from frontend.steward.forms import JudgingForm, ProjectForm, ScheduleForm
from frontend.steward.views.home import StewardView
from people.refusals import Refusal
from training.runs.models import Schedule
from training.runs.schedule import look, set_schedule


class ChooseKindView(StewardView):
    """What kind of work is opened."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The kinds."""
        return render(request, "steward/choose_kind.html", {"community": self.community, "kinds": KINDS.values()})


class OpenView(StewardView):
    """The form that opens a project of one kind."""

    def get(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Choose documents."""
        first = self.community.sources.first()
        initial = {"source_language_tag": first.language_tag} if first else {}
        return self._page(ProjectForm(initial=initial, community=self.community, kind=_kind(kind)))

    def post(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Open it."""
        form = ProjectForm(request.POST, community=self.community, kind=_kind(kind))
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            project = open_project(community=self.community, created_by=self.person, now=self.now, **form.project())
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        messages.success(request, _("The project is open: speakers find it on their desk."))
        return redirect("steward:project", slug=self.community.slug, pk=project.pk)

    def _page(self, form: ProjectForm, *, status: int = 200) -> HttpResponse:
        context = {
            "community": self.community,
            "form": form,
            "kind": form.kind,
            "has_sources": Source.objects.visible_to(self.person).filter(community=self.community).exists(),
        }
        return render(self.request, "steward/open_project.html", context, status=status)


class ProjectView(StewardView):
    """One project: how far it is, its state, and its schedule."""

    opens_to_glass = True

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        project = self.project(pk)
        return self.page(project, _form_of(project))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set the schedule."""
        project = self.project(pk)
        form = _form_of(project, request.POST)
        if not form.is_valid():
            return self.page(project, form, status=422)
        try:
            set_schedule(project=project, changed_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self.page(project, form, status=show_refusal(form, refusal))
        messages.success(request, _("The schedule is set."))
        return redirect("steward:project", slug=self.community.slug, pk=project.pk)

    def project(self, pk: int) -> Project:
        """The project with its numbers of tasks."""
        visible = Project.objects.visible_to(self.person).filter(community=self.community)
        project: Project = get_object_or_404(visible.with_progress().select_related("community"), pk=pk)
        return project

    def page(
        self, project: Project, form: ScheduleForm, *, status: int = 200, refusal: Refusal | None = None
    ) -> HttpResponse:
        """The project's page."""
        schedule = Schedule.objects.filter(project=project).select_related("project__community").first()
        context = {
            "community": self.community,
            "project": project,
            "rule": rule_of(project).explained(is_reviewed=project.task_kind.is_reviewed),
            "checks": explained(project.checks),
            "form": form,
            "refusal": refusal,
            "schedule": schedule,
            "outlook": look(schedule or Schedule(project=project), now=self.now),
        }
        return render(self.request, "steward/project.html", context, status=status)


class StateView(ProjectView):
    """Opening or closing a project."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("steward:project", slug=self.community.slug, pk=self.project(pk).pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change the state."""
        project = self.project(pk)
        state = Project.State.CLOSED if request.POST.get("state") == "closed" else Project.State.OPEN
        try:
            set_project_state(project=project, state=state, changed_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(project, _form_of(project), status=refusal.status, refusal=refusal)
        told = _("The project is closed. Everything in it is kept.") if state == "closed" else _("The project is open.")
        messages.success(request, told)
        return redirect("steward:project", slug=self.community.slug, pk=project.pk)


class JudgeView(ProjectView):
    """Having the accepted answers compared or rated."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What can be judged, and the form."""
        project = self.project(pk)
        return self._page(project, JudgingForm(initial={"title": _("Judging: %(title)s") % {"title": project.title}}))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open a project for it."""
        project, form = self.project(pk), JudgingForm(request.POST)
        if not form.is_valid():
            return self._page(project, form, 422)
        try:
            judging = open_judging(project=project, opened_by=self.person, now=self.now, **form.cleaned_data)
        except Refusal as refusal:
            return self._page(project, form, show_refusal(form, refusal))
        messages.success(request, _("The project is open: speakers find it on their desk."))
        return redirect("steward:project", slug=self.community.slug, pk=judging.pk)

    def _page(self, project: Project, form: JudgingForm, status: int = 200) -> HttpResponse:
        context = {
            "community": self.community,
            "project": project,
            "form": form,
            "number": len(quotable(project)) if project.task_kind.is_text else 0,
        }
        return render(self.request, "steward/judge.html", context, status=status)


def _kind(slug: str) -> Kind:
    if slug not in KINDS:
        raise Http404("No such page.")
    return KINDS[slug]


def _form_of(project: Project, data: Any = None) -> ScheduleForm:
    schedule = Schedule.objects.filter(project=project).first()
    names = ("is_allowed", "minimum_new_items", "withdrawn_percent", "cadence_hours")
    return ScheduleForm(data, initial={name: getattr(schedule, name) for name in names} if schedule else {})
