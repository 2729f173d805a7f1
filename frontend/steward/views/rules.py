"""How peers settle answers: in the community, and in a project that says so of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from annotation.projects.models import Project
from annotation.projects.rules import ProjectRule, RuleError
from annotation.projects.services import rule_of, set_review_rule
from frontend.desk import show_refusal
from frontend.steward.forms import ProjectRuleForm, RuleForm
from frontend.steward.views.home import StewardView
from frontend.steward.views.projects import ProjectView
from people.refusals import Refusal
from people.services import show_names_to_experts

if TYPE_CHECKING:
    from collections.abc import Mapping


class CommunityRuleView(StewardView):
    """The rule of all projects that have none of their own."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """As it is."""
        rule = ProjectRule.from_mapping(self.community.review_rule)
        return self._page(RuleForm(initial=rule.votes.as_mapping()), rule)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Say it in words, or set it."""
        form = RuleForm(request.POST)
        if not form.is_valid():
            return self._page(form, None, 422)
        if "say" in request.POST:
            return self._page(form, _read(form, form.cleaned_data))
        try:
            set_review_rule(community=self.community, votes=form.cleaned_data, changed_by=self.person, now=self.now)
        except Refusal as refusal:
            return self._page(form, None, show_refusal(form, refusal))
        messages.success(request, _("The rule is set. It holds from the next verdict on."))
        return redirect("steward:rule", slug=self.community.slug)

    def _page(self, form: RuleForm, rule: ProjectRule | None, status: int = 200) -> HttpResponse:
        words = rule.explained(is_reviewed=True)[:-3] if rule else []
        context = {"community": self.community, "form": form, "words": words}
        return render(self.request, "steward/rule.html", context, status=status)


class NamesView(StewardView):
    """Whether experts read names."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("steward:rule", slug=self.community.slug)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show or hide them."""
        are_shown = request.POST.get("names") == "shown"
        show_names_to_experts(community=self.community, are_shown=are_shown, changed_by=self.person, now=self.now)
        told = _("Experts read names from now on.") if are_shown else _("Experts read no names from now on.")
        messages.success(request, told)
        return redirect("steward:rule", slug=self.community.slug)


class ProjectRuleView(ProjectView):
    """The rule of one project."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """As it is."""
        project = self.project(pk)
        rule = rule_of(project)
        is_own = "concordant" in project.rule
        initial = {**rule.votes.as_mapping(), "guard": rule.guard, "is_own": is_own}
        return self._page(project, ProjectRuleForm(initial=initial), rule)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say it in words, or set it."""
        project, form = self.project(pk), ProjectRuleForm(request.POST)
        if not form.is_valid():
            return self._page(project, form, None, 422)
        if "say" in request.POST:
            said = {**project.task_kind.stop, **self.community.review_rule, **form.votes()}
            return self._page(project, form, _read(form, said))
        try:
            set_review_rule(
                community=self.community, project=project, votes=form.votes(), changed_by=self.person, now=self.now
            )
        except Refusal as refusal:
            return self._page(project, form, None, show_refusal(form, refusal))
        messages.success(request, _("The rule is set. It holds from the next verdict on."))
        return redirect("steward:project", slug=self.community.slug, pk=project.pk)

    def _page(
        self, project: Project, form: ProjectRuleForm, rule: ProjectRule | None, status: int = 200
    ) -> HttpResponse:
        context = {
            "community": self.community,
            "project": project,
            "form": form,
            "words": rule.explained(is_reviewed=True) if rule else [],
        }
        return render(self.request, "steward/rule.html", context, status=status)


def _read(form: RuleForm, votes: Mapping[str, Any]) -> ProjectRule | None:
    """The rule that is typed, or its fault beside the form."""
    try:
        return ProjectRule.from_mapping(votes)
    except RuleError as error:
        form.add_error(error.setting if error.setting in form.fields else None, _(error.message) % error.values)
        return None
