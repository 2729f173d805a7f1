"""What waits for the stewards, and the record of what was done."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from annotation.projects.models import Project
from annotation.standing.models import Standing
from care.services import published_policy
from frontend.desk import DeskView
from frontend.steward.queries import record_lines
from ledger.models import Entry
from ledger.services import find_broken_entry
from people.models import Role
from training.runs.models import Adapter

PAGE = 50


class StewardView(DeskView):
    """A page for stewards of the community."""

    roles = (Role.STEWARD,)


class HomeView(StewardView):
    """Everything the stewards look after, with what needs them first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The desk."""
        live = self.community.memberships.filter(ended_at__isnull=True)
        adapters = Adapter.objects.visible_to(self.person).filter(community=self.community)
        context = {
            "community": self.community,
            "projects": Project.objects.visible_to(self.person).filter(community=self.community).with_progress(),
            "policy": published_policy(self.community),
            "sources": self.community.sources.count(),
            "members": live.values("person").distinct().count(),
            "candidates": adapters.filter(state=Adapter.State.CANDIDATE).select_related("run__release"),
            "counted_out": Standing.objects.filter(community=self.community).who_may_not_check().count(),
            "in_use": adapters.usable().count(),
        }
        return render(request, "steward/home.html", context)


class RecordView(StewardView):
    """The community's part of the ledger, newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """One page of it; the first page also checks the whole chain."""
        entries = Entry.objects.of_community(self.community.slug).order_by("-sequence")
        page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
        is_checked = page.number == 1
        context = {
            "community": self.community,
            "page": page,
            "lines": record_lines(list(page.object_list)),
            "is_checked": is_checked,
            "broken": find_broken_entry() if is_checked else None,
        }
        return render(request, "steward/record.html", context)
