"""What was downloaded and what of it is to be deleted: one page for whoever holds it, and one for the stewards."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views import View

from people.models import Community, Person, Role
from people.refusals import Refusal
from people.services import has_role
from training.releases.models import Download, DownloadNotice
from training.releases.notices import answer_notice
from training.releases.querysets import NoticeQuerySet

NEWEST = 50


def own_notices(person: Person) -> NoticeQuerySet:
    """On what the person took home as a member of any community; they may have left it."""
    rows: NoticeQuerySet = DownloadNotice.objects.filter(download__person=person, download__agreement__isnull=True)
    return rows.select_related("download__release__community", "download__person")


def notices_in(community: Community, person: Person) -> NoticeQuerySet:
    """On what members of the community took home: one's own; a steward's are all, for members leave, and then nobody
    else would say what became of theirs."""
    if not has_role(person, community, Role.STEWARD):
        return own_notices(person).of_members(community)
    rows: NoticeQuerySet = DownloadNotice.objects.of_members(community)
    return rows.select_related("download__release__community", "download__person")


class CopiesPage(View):
    """A list of downloads, before it a form for each that is to be deleted."""

    template: str
    person: Person

    def downloads(self) -> QuerySet[Download]:
        """What is listed."""
        raise NotImplementedError

    def notices(self) -> NoticeQuerySet:
        """What may be answered here, answered or not."""
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """What else the page shows."""
        return {}

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read it."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Say what became of one."""
        number = request.POST.get("notice", "")
        key = int(number) if number.isdecimal() and len(number) < 19 else 0
        notice = get_object_or_404(self.notices(), pk=key)
        try:
            answer_notice(
                notice=notice,
                answer=request.POST.get("answer", ""),
                words=request.POST.get("words", ""),
                answered_by=self.person,
                now=timezone.now(),
            )
        except Refusal as refusal:
            return self._page(status=refusal.status, refusal=refusal, refused=notice.pk)
        messages.success(request, _("Thank you. It is written down."))
        return redirect(request.path)

    def _page(self, *, status: int = 200, **more: Any) -> HttpResponse:
        waiting = self.notices().open_ones()
        rows = self.downloads().select_related("release__community", "person", "notice__answered_by")
        context = {
            "person": self.person,
            "notices": waiting,
            "overdue": {row.pk for row in waiting.overdue(timezone.now())},
            "downloads": rows.order_by("-at")[:NEWEST],
            "typed": self.request.POST.get("words", ""),
            **self.about(),
            **more,
        }
        return render(self.request, self.template, context, status=status)
