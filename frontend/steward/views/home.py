"""What waits for the stewards, and the record of what was done."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render

from annotation.projects.models import Project
from annotation.standing.models import Standing
from care.models import Agreement, HarmReport, StewardNotice, Withdrawal
from care.services import published_policy
from frontend.desk import DeskView
from frontend.steward.queries import record_lines
from ledger.checkpoints import check_chain, export_lines, newest_checkpoint
from ledger.models import Entry
from ledger.verify import Broken, Report
from people.handing import while_allowed
from people.models import Role
from people.services import has_role
from training.runs.models import Adapter

PAGE = 50


class StewardView(DeskView):
    """A page for stewards of the community."""

    roles = (Role.STEWARD,)


class HomeView(StewardView):
    """Everything the stewards look after, with what needs them first."""

    opens_to_glass = True

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
            "candidates": adapters.undecided().select_related("run__release"),
            "counted_out": Standing.objects.filter(community=self.community).who_may_not_check().count(),
            "unfinished": Withdrawal.objects.filter(community=self.community).unfinished().count(),
            "in_use": adapters.usable().count(),
            "requests": Agreement.objects.filter(community=self.community, state__in=["submitted", "approved"]).count(),
            "notices": StewardNotice.objects.unread().filter(community=self.community),
            "unread_reports": HarmReport.objects.unread().filter(community=self.community).count(),
        }
        return render(request, "steward/home.html", context)


class RecordView(StewardView):
    """The community's chain of the ledger, newest first."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """One page of it; with `check`, what came of checking all of it."""
        slug = self.community.slug
        entries = Entry.objects.of_community(slug).select_related("secret").order_by("-sequence")
        page = Paginator(entries, PAGE).get_page(request.GET.get("page"))
        report, broken = _checked(slug) if "check" in request.GET else (None, "")
        context = {
            "community": self.community,
            "page": page,
            "lines": record_lines(list(page.object_list)),
            "checkpoint": newest_checkpoint(slug),
            "report": report,
            "broken": broken,
        }
        return render(request, "steward/record.html", context)


def _checked(slug: str) -> tuple[Report | None, str]:
    try:
        return check_chain(slug), ""
    except Broken as error:
        return None, str(error)


class RecordFileView(StewardView):
    """The chain as a file for `ledger.verify`, without what is sealed in it."""

    def get(self, request: HttpRequest) -> StreamingHttpResponse:
        """JSON lines."""
        slug = self.community.slug
        lines = while_allowed(
            export_lines(community=slug, with_secrets=False),
            lambda: has_role(self.person, self.community, Role.STEWARD),
        )
        name = f'attachment; filename="ledger-{slug}.jsonl"'
        return StreamingHttpResponse(lines, content_type="application/jsonl", headers={"Content-Disposition": name})


class CheckpointView(StewardView):
    """The newest checkpoint, to keep elsewhere."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """A C2SP tlog-checkpoint, a few lines of text."""
        checkpoint = newest_checkpoint(self.community.slug)
        if checkpoint is None:
            raise Http404("No checkpoint yet.")
        name = f'attachment; filename="checkpoint-{self.community.slug}-{checkpoint.size}.txt"'
        kind = "text/plain; charset=utf-8"
        return HttpResponse(checkpoint.note, content_type=kind, headers={"Content-Disposition": name})
