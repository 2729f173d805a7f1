"""Setting what a project warns its authors about."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from annotation.projects.models import Project
from annotation.projects.services import set_checks
from frontend.desk import show_refusal
from frontend.steward.checks import ChecksForm
from frontend.steward.views.home import StewardView
from people.refusals import Refusal


class ChecksView(StewardView):
    """The checks and hints of one project whose answers are words."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The form as it was left."""
        project = self.project(pk)
        return self.page(project, ChecksForm(kind=project.task_kind, kept=project.checks))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Set them."""
        project = self.project(pk)
        form = ChecksForm(request.POST, kind=project.task_kind, kept=project.checks)
        if not form.is_valid():
            return self.page(project, form, status=422)
        try:
            set_checks(project=project, checks=form.checks(), changed_by=self.person, now=self.now)
        except Refusal as refusal:
            return self.page(project, form, status=show_refusal(form, refusal))
        messages.success(request, _("The checks are set. They hold for what is sent from now on."))
        return redirect("steward:project", slug=self.community.slug, pk=project.pk)

    def project(self, pk: int) -> Project:
        """The project, if its answers are words."""
        visible = Project.objects.visible_to(self.person).filter(community=self.community)
        project: Project = get_object_or_404(visible.select_related("community"), pk=pk)
        if not project.task_kind.is_text:
            raise Http404("No such page.")
        return project

    def page(self, project: Project, form: ChecksForm, *, status: int = 200) -> HttpResponse:
        """The form."""
        context = {"community": self.community, "project": project, "form": form}
        return render(self.request, "steward/checks.html", context, status=status)
