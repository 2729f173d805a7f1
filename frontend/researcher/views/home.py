"""What there is to train on, and what was trained."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from frontend.copies import notices_in
from frontend.desk import DeskView
from frontend.researcher.queries import projects_with_usable
from people.models import Role
from people.services import has_role
from training.releases.models import Release
from training.runs.models import Adapter, Grid, Run

NEWEST = 20


class ResearchView(DeskView):
    """A page for researchers and stewards of the community."""

    roles: tuple[str, ...] = (Role.RESEARCHER, Role.STEWARD)

    @property
    def may_train(self) -> bool:
        """Starting and resuming runs is the researchers' work; stewards read along and may stop them."""
        return has_role(self.person, self.community, Role.RESEARCHER)


class HomeView(ResearchView):
    """Projects with what may be used of them, releases, runs and adapters."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The desk."""
        mine = {"community": self.community}
        context = {
            "community": self.community,
            "may_train": self.may_train,
            "projects": projects_with_usable(self.community, self.person),
            "releases": Release.objects.visible_to(self.person).filter(**mine).select_related("project")[:NEWEST],
            "runs": Run.objects.visible_to(self.person).filter(**mine).alone().select_related("release")[:NEWEST],
            "grids": Grid.objects.visible_to(self.person).filter(**mine).select_related("release")[:NEWEST],
            "adapters": self._adapters()[:NEWEST],
            "to_delete": notices_in(self.community, self.person).open_ones().count(),
        }
        return render(request, "researcher/home.html", context)

    def _adapters(self) -> QuerySet[Adapter]:
        """What runs made that were started by themselves; a grid's are on its own page."""
        adapters = Adapter.objects.visible_to(self.person).filter(community=self.community, run__grid__isnull=True)
        return adapters.select_related("run__release")
