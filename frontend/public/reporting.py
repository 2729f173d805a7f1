"""Reporting harm, with an account or without: what it is about, what is wrong, a few words, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views import View
from django.views.decorators.cache import never_cache

from annotation.answers.models import Answer
from care.harm import LONGEST, SEVERE, Category, Kind, find_report, report_harm
from care.models import HarmReport, Restriction
from care.reach import communities_ever_of
from frontend.desk import show_refusal
from frontend.reporting import Subject, report_address, subject_of
from people.models import Person
from people.refusals import Refusal
from people.services import has_role
from people.tenants import every_community, widen
from training.playground.models import Generation
from training.releases.models import Release
from training.runs.models import Adapter

FINGERPRINT = r"[0-9a-f]{64}"


class FingerprintForm(forms.Form):
    """What somebody outside holds of a dataset or an adapter."""

    fingerprint = forms.RegexField(
        FINGERPRINT,
        label=gettext_lazy("SHA-256 on its card"),
        help_text=gettext_lazy("64 letters and digits, on the card of the dataset or the adapter."),
        error_messages={"invalid": gettext_lazy("That is not a SHA-256: it has 64 of the signs 0–9 and a–f.")},
    )


class CategoryForm(forms.Form):
    """What is wrong."""

    category = forms.ChoiceField(label=gettext_lazy("What is wrong?"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, with_death: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offered = [choice for choice in Category.choices if with_death or choice[0] != Category.DIED]
        self.fields["category"].choices = offered  # type: ignore[attr-defined]


class WordsForm(CategoryForm):
    """The same with the words that are sent."""

    category = forms.ChoiceField(widget=forms.HiddenInput)
    words = forms.CharField(
        label=gettext_lazy("What should the stewards know?"),
        required=False,
        max_length=LONGEST,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class CodeForm(forms.Form):
    """The code of a report."""

    code = forms.CharField(label=gettext_lazy("Your code"), max_length=60)


class ReportView(View):
    """Where a report begins for whoever holds no link: what is it about?"""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask."""
        return self._page(FingerprintForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Find it."""
        given = request.POST.get("fingerprint", "").strip().lower()
        form = FingerprintForm({"fingerprint": given})
        if not form.is_valid():
            return self._page(form, status=422)
        subject = _with_fingerprint(given)
        if subject is None:
            form.add_error("fingerprint", _("Nothing here has this SHA-256."))
            return self._page(form, status=422)
        return redirect(report_address(subject))

    def _page(self, form: FingerprintForm, *, status: int = 200) -> HttpResponse:
        return render(self.request, "public/report.html", {"form": form}, status=status)


@every_community()
def _with_fingerprint(sha256: str) -> Subject | None:
    release = Release.objects.filter(sha256=sha256).select_related("community").first()
    if release is not None:
        return Subject(release.community, Kind.RELEASE, str(release.pk))
    adapter = Adapter.objects.filter(sha256=sha256).select_related("community").first()
    return Subject(adapter.community, Kind.ADAPTER, str(adapter.pk)) if adapter else None


@method_decorator(never_cache, name="dispatch")
class ReportAboutView(View):
    """Reporting one thing: first what is wrong, then a few words, then the code."""

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        """The first question; the second one once the first is answered."""
        subject = self._subject(token)
        if "category" not in request.GET:
            return self._first(subject, CategoryForm(with_death=self._may_tell_of_death(subject)))
        first = CategoryForm(request.GET, with_death=self._may_tell_of_death(subject))
        if not first.is_valid():
            return self._first(subject, first, status=422)
        initial = {"category": first.cleaned_data["category"]}
        return self._second(subject, WordsForm(initial=initial, with_death=self._may_tell_of_death(subject)))

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        """Take the report in, and show its code this once."""
        subject = self._subject(token)
        form = WordsForm(request.POST, with_death=self._may_tell_of_death(subject))
        if not form.is_valid():
            if "category" in form.errors:
                first = CategoryForm(request.POST, with_death=self._may_tell_of_death(subject))
                first.is_valid()
                return self._first(subject, first, status=422)
            return self._second(subject, form, status=422)
        given = form.cleaned_data
        kind, key = subject.kind, subject.key
        if given["category"] == Category.DIED:
            kind, key = Kind.PERSON, str(_answer_of(subject).author_id)
        try:
            report, code = report_harm(
                community=subject.community,
                kind=kind,
                key=key,
                category=given["category"],
                words=given["words"],
                quotation=self._quotation(subject),
                reporter=self._person,
                now=timezone.now(),
            )
        except Refusal as refusal:
            return self._second(subject, form, status=show_refusal(form, refusal))
        context = {"report": report, "code": code, "held": report.hold is not None}
        return render(request, "public/report_sent.html", context)

    @property
    def _person(self) -> Person | None:
        return self.request.user if isinstance(self.request.user, Person) else None

    def _subject(self, token: str) -> Subject:
        subject = subject_of(token)
        if subject is None:
            raise Http404("No such page.")
        widen(subject.community.pk)
        return subject

    def _may_tell_of_death(self, subject: Subject) -> bool:
        return bool(
            subject.kind == Kind.ANSWER and self._person is not None and has_role(self._person, subject.community)
        )

    def _quotation(self, subject: Subject) -> str:
        """What a model wrote, when whoever reports is the one for whom it wrote."""
        if not subject.generation or self._person is None:
            return ""
        mine = Generation.objects.filter(person=self._person, pk=UUID(subject.generation)).first()
        return f"{mine.source}\n→ {mine.adapter_text}" if mine else ""

    def _first(self, subject: Subject, form: CategoryForm, *, status: int = 200) -> HttpResponse:
        context = {"form": form, "what": Restriction.Kind(subject.kind).label, "whole": _document_of(subject)}
        return render(self.request, "public/report_category.html", context, status=status)

    def _second(self, subject: Subject, form: WordsForm, *, status: int = 200) -> HttpResponse:
        category = str(form["category"].value())
        context = {
            "form": form,
            "what": Restriction.Kind(subject.kind).label,
            "category": Category(category).label,
            "is_severe": category in SEVERE or category == Category.DIED,
            "quotation": self._quotation(subject),
        }
        return render(self.request, "public/report_words.html", context, status=status)


def _answer_of(subject: Subject) -> Answer:
    answer = Answer.objects.of_community(subject.community).filter(pk=UUID(subject.key)).first()
    if answer is None:
        raise Http404("No such page.")
    return answer


def _document_of(subject: Subject) -> str:
    """Where the whole document is reported instead, when the subject is one sentence of it."""
    if subject.kind != Kind.ITEM:
        return ""
    source = subject.community.sources.filter(items=int(subject.key)).first()
    return report_address(Subject(subject.community, Kind.SOURCE, str(source.pk))) if source else ""


@method_decorator(never_cache, name="dispatch")
class ReportStatusView(View):
    """What became of a report, for whoever has its code."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Ask for the code."""
        return self._page(CodeForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Say it. The code goes in the body, so that no log keeps it."""
        form = CodeForm(request.POST)
        report = find_report(code=form.cleaned_data["code"]) if form.is_valid() else None
        if report is None:
            if form.is_valid():
                form.add_error("code", _("No report has this code. Please compare it sign by sign."))
            return self._page(form, status=422)
        return self._page(form, reports=[report])

    def _page(self, form: CodeForm, *, reports: list[HarmReport] | None = None, status: int = 200) -> HttpResponse:
        context = {"form": form, "reports": reports or []}
        return render(self.request, "public/report_status.html", context, status=status)


class MyReportsView(LoginRequiredMixin, View):
    """What somebody with an account reported, and what became of it."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """The list."""
        if not isinstance(request.user, Person):
            return self.handle_no_permission()
        widen(*communities_ever_of(request.user))
        reports = HarmReport.objects.by(request.user).select_related("hold")
        return render(request, "public/my_reports.html", {"reports": reports})
