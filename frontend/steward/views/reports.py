"""Reports of harm: the list with its deadlines, one report with what can be done, and the notices on the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotation.answers.models import Answer
from annotation.corpora.models import Item, Source
from care.harm import ABOUT_DEATH, STEPS, Outcome, read_notice, take_step
from care.models import HarmReport, StewardNotice
from frontend.desk import show_refusal, with_way_on
from frontend.steward.views.home import StewardView
from people.models import Community, Person
from people.refusals import Refusal
from training.releases.models import Release
from training.runs.models import Adapter

PAGE = 30


class DecideForm(forms.Form):
    """What the report came to, and what its reporter reads."""

    outcome = forms.ChoiceField(label=gettext_lazy("What did it come to?"), widget=forms.RadioSelect)
    answer = forms.CharField(
        label=gettext_lazy("Your words to whoever reported it"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, report: HarmReport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [one for one in Outcome if (one in ABOUT_DEATH) == report.is_about_death]
        self.fields["outcome"].choices = [(one.value, one.label) for one in offered]  # type: ignore[attr-defined]


class RemedyForm(forms.Form):
    """What was done."""

    done = forms.CharField(
        label=gettext_lazy("What was done about it?"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )


@dataclass(frozen=True)
class About:
    """What a report is about: its name, the page that shows it, and its words for whoever asks to see them."""

    name: str
    address: str = ""
    words: str = ""


def about(report: HarmReport, community: Community) -> About:
    """The subject of a report, as far as it is still there."""
    kind, key, name = report.kind, report.key, str(report.get_kind_display())
    slug = community.slug
    if kind == "answer":
        kept = Answer.objects.of_community(community).exclude(state=Answer.State.WITHDRAWN)
        answer = kept.filter(pk=UUID(key)).first()
        return About(name, words=answer.said if answer else "")
    if kind == "item":
        item = Item.objects.filter(source__community=community, pk=int(key)).first()
        return About(name, words=item.text if item else "")
    if kind == "source":
        source = Source.objects.filter(community=community, pk=int(key)).first()
        return About(source.title if source else name)
    if kind == "adapter":
        adapter = Adapter.objects.filter(community=community, pk=int(key)).select_related("run").first()
        return About(f"{name}: {adapter.run}", reverse("steward:adapter", args=[slug, key])) if adapter else About(name)
    if kind == "release":
        release = Release.objects.filter(community=community, pk=int(key)).first()
        return About(str(release), reverse("researcher:release", args=[slug, key])) if release else About(name)
    person = Person.objects.filter(memberships__community=community, pk=int(key)).first() if kind == "person" else None
    return About(f"{name}: {person.name}" if person else name)


class ReportsView(StewardView):
    """All reports, those that wait first."""

    opens_to_glass = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list."""
        ours = HarmReport.objects.filter(community=self.community).select_related("hold")
        closed = Paginator(ours.filter(state=HarmReport.State.CLOSED), PAGE).get_page(request.GET.get("page"))
        context = {
            "community": self.community,
            "unread": ours.unread().order_by("triage_due_at"),
            "going_on": ours.open().exclude(state=HarmReport.State.RECEIVED),
            "closed": closed.object_list,
            "page": closed,
            "now": self.now,
        }
        return render(request, "steward/reports.html", context)


class ReportView(StewardView):
    """One report. Who reported, and the words that are held, are the stewards' alone: no glass opens it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it; its subject's words only where they are asked for."""
        return self._page(self._report(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The step that the pressed button names."""
        report = self._report(pk)
        act = request.POST.get("act", "")
        form = self._form(report, request.POST) if act in {"decide", "remedy"} else None
        if form is not None and not form.is_valid():
            return self._page(report, form, status=422)
        try:
            if act in STEPS:
                given = form.cleaned_data if form else {}
                take_step(report=report, act=act, taken_by=self.person, now=self.now, **given)
        except Refusal as refusal:
            if form is not None:
                return self._page(report, form, status=show_refusal(form, refusal))
            messages.error(request, with_way_on(refusal))
        else:
            messages.success(request, _("Done: the report is now %(state)s.") % {"state": self._state(pk)})
        return redirect("steward:report", slug=self.community.slug, pk=pk)

    def _state(self, pk: int) -> str:
        return str(self._report(pk).get_state_display())

    def _report(self, pk: int) -> HarmReport:
        rows = HarmReport.objects.filter(community=self.community).select_related("hold", "reporter", "changed_by")
        report: HarmReport = get_object_or_404(rows, pk=pk)
        return report

    def _form(self, report: HarmReport, data: Any = None) -> DecideForm | RemedyForm | None:
        if report.state == HarmReport.State.INVESTIGATING:
            return DecideForm(data, report=report)
        return RemedyForm(data) if report.state == HarmReport.State.DECIDED else None

    def _page(self, report: HarmReport, form: forms.Form | None = None, *, status: int = 200) -> HttpResponse:
        context = {
            "community": self.community,
            "report": report,
            "about": about(report, self.community),
            "is_shown": "show" in self.request.GET,
            "is_held": report.hold is not None and report.hold.lifted_at is None,
            "form": form or self._form(report),
            "is_late": report.state == HarmReport.State.RECEIVED and report.triage_due_at <= self.now,
        }
        return render(self.request, "steward/report.html", context, status=status)


class NoticeView(StewardView):
    """Taking a notice off the desk."""

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It was read."""
        notice = get_object_or_404(StewardNotice.objects.filter(community=self.community), pk=pk)
        read_notice(notice=notice, read_by=self.person, now=self.now)
        return redirect("steward:home", slug=self.community.slug)
