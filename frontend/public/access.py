"""Asking a community for access to its data from outside, and one's agreements with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.cache import never_cache

from care.agreements import (
    begin_agreement,
    close_agreement,
    missing_terms,
    save_terms,
    sign_agreement,
    submit_agreement,
)
from care.benefits import deliver_benefit, drop_benefit, promise_benefit, register_of
from care.models import Agreement, Commitment
from care.tokens import end_token, make_token
from frontend.agreement_pages import page_of
from frontend.desk import show_refusal
from frontend.public.access_forms import PARTS, PartForm, PromiseForm
from people.handing import while_allowed
from people.models import Community, Person
from people.refusals import Refusal
from people.tenants import widen
from training.releases.access import download_release, may_go_on
from training.releases.models import DownloadNotice, Release
from training.releases.notices import answer_notice

TOLD = {
    "submit": _("Sent. The community answers on this page."),
    "sign": _("You have signed."),
    "close": _("It is over. What you promised stays promised."),
    "deliver": _("Written down. A steward confirms it when it has come."),
    "drop": _("Taken out."),
    "answer": _("Thank you. It is written down."),
    "end_token": _("It opens nothing any more."),
    "renew": _("Here is a new request with the same answers. Look through it, then send it."),
}


class SignedIn(LoginRequiredMixin, View):
    """A page for anybody with an account."""

    @property
    def person(self) -> Person:
        """Who is signed in."""
        if not isinstance(self.request.user, Person):
            raise Http404("No such page.")
        return self.request.user

    def mine(self, pk: int) -> Agreement:
        """An agreement that this person asked for or is named in."""
        rows = Agreement.objects.held_by(self.person).select_related("community", "applicant", "decision", "steward")
        found: Agreement = get_object_or_404(rows, pk=pk)
        return found


class AskView(SignedIn):
    """What asking means, for whoever may: everybody where the community is open, else those who are known there."""

    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Read it."""
        return self._page(self._community(slug))

    def post(self, request: HttpRequest, slug: str) -> HttpResponse:
        """Begin a request."""
        community = self._community(slug)
        try:
            made = begin_agreement(community=community, applicant=self.person, begun_by=self.person, now=timezone.now())
        except Refusal as refusal:
            return self._page(community, refusal=refusal, status=refusal.status)
        return redirect("public:agreement_terms", pk=made.pk, part=next(iter(PARTS)))

    def _community(self, slug: str) -> Community:
        known = Community.objects.filter(slug=slug)
        ours = known.filter(is_open=True) | known.filter(pk__in=Community.objects.visible_to(self.person).values("pk"))
        theirs = known.filter(pk__in=Agreement.objects.held_by(self.person).values("community"))
        found: Community | None = (ours | theirs).first()
        if found is None:
            raise Http404("No such page.")
        widen(found.pk)
        return found

    def _page(self, community: Community, *, refusal: Refusal | None = None, status: int = 200) -> HttpResponse:
        mine = Agreement.objects.held_by(self.person).filter(community=community)
        context = {
            "community": community,
            "agreements": mine.select_related("community"),
            "benefits": register_of(community),
            "refusal": refusal,
        }
        return render(self.request, "public/access.html", context, status=status)


class MineView(SignedIn):
    """My agreements, with every community."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        mine = Agreement.objects.held_by(self.person).select_related("community", "applicant")
        notices = DownloadNotice.objects.filter(download__agreement__in=mine, answer="")
        context = {"agreements": mine, "waiting": set(notices.values_list("download__agreement", flat=True))}
        return render(request, "public/agreements.html", context)


class AgreementView(SignedIn):
    """One agreement: what it is, what I promised, and what waits for me."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self.page(self.mine(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do one of the things that can be done with it."""
        agreement = self.mine(pk)
        acts: dict[str, Callable[[Agreement], Any]] = {
            "submit": lambda one: submit_agreement(agreement=one, submitted_by=self.person, now=timezone.now()),
            "sign": self._sign,
            "close": lambda one: close_agreement(agreement=one, closed_by=self.person, now=timezone.now()),
            "deliver": self._deliver,
            "drop": self._drop,
            "answer": self._answer,
            "renew": self._renew,
            "end_token": self._end_token,
        }
        act = request.POST.get("act", "")
        if act not in acts:
            return self.page(agreement, status=422)
        try:
            made = acts[act](agreement)
        except Refusal as refusal:
            agreement.refresh_from_db()
            return self.page(agreement, status=refusal.status, refusal=refusal)
        messages.success(request, TOLD[act])
        shown = made.pk if isinstance(made, Agreement) else agreement.pk
        return redirect("public:agreement", pk=shown)

    def page(self, agreement: Agreement, *, status: int = 200, **more: Any) -> HttpResponse:
        """The page, as far as this person has a part in it."""
        missing = set(missing_terms(agreement))
        both = page_of(agreement, timezone.now())
        context = {
            **both,
            "command": self._command(agreement, both["covered"].first()),
            "is_applicant": agreement.applicant_id == self.person.pk,
            "person": self.person,
            "parts": [(name, form.title, missing & set(form.base_fields)) for name, form in PARTS.items()],
            "is_complete": not missing,
            "answers": DownloadNotice.Answer.choices[1:],
            "notices": DownloadNotice.objects.filter(download__agreement=agreement)
            .open_ones()
            .select_related("download__release", "download__person"),
            "tokens": agreement.tokens.filter(person=self.person, ended_at__isnull=True),
            "typed": self.request.POST.get("words", ""),
            **more,
        }
        return render(self.request, "public/agreement.html", context, status=status)

    def _command(self, agreement: Agreement, release: Release | None) -> str:
        """How a program downloads; the same in every language."""
        if release is None:
            return ""
        path = reverse("api-agreement-download", args=[agreement.pk, release.number])
        return f'curl -OJ -H "Authorization: Bearer TOKEN" {self.request.build_absolute_uri(path)}'

    def _number(self, name: str) -> int:
        given = self.request.POST.get(name, "")
        return int(given) if given.isdecimal() and len(given) < 19 else 0

    def _commitment(self, agreement: Agreement) -> Commitment:
        found: Commitment = get_object_or_404(agreement.commitments.all(), pk=self._number("commitment"))
        return found

    def _sign(self, agreement: Agreement) -> Agreement:
        """Only for oneself: a steward who is named in it has the stewards' desk for nothing here."""
        if agreement.applicant_id != self.person.pk:
            raise Http404("No such page.")
        return sign_agreement(agreement=agreement, signed_by=self.person, now=timezone.now())

    def _deliver(self, agreement: Agreement) -> Commitment:
        return deliver_benefit(
            commitment=self._commitment(agreement),
            delivered_by=self.person,
            evidence=self.request.POST.get("words", ""),
            now=timezone.now(),
        )

    def _drop(self, agreement: Agreement) -> None:
        drop_benefit(commitment=self._commitment(agreement), dropped_by=self.person, now=timezone.now())

    def _answer(self, agreement: Agreement) -> None:
        ours = DownloadNotice.objects.filter(download__agreement=agreement)
        answer_notice(
            notice=get_object_or_404(ours, pk=self._number("notice")),
            answer=self.request.POST.get("answer", ""),
            words=self.request.POST.get("words", ""),
            answered_by=self.person,
            now=timezone.now(),
        )

    def _end_token(self, agreement: Agreement) -> None:
        end_token(agreement=agreement, person=self.person, ended_by=self.person, now=timezone.now())

    def _renew(self, agreement: Agreement) -> Agreement:
        who = {"community": agreement.community, "applicant": self.person, "begun_by": self.person}
        return begin_agreement(**who, now=timezone.now(), renews=agreement)


class TermsView(SignedIn):
    """Some questions of a request; what is answered is kept at once."""

    def get(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        """The questions, with what was answered before."""
        agreement, form = self._questions(pk, part)
        return self._page(agreement, part, form)

    def post(self, request: HttpRequest, pk: int, part: str) -> HttpResponse:
        """Keep the answers and go on."""
        agreement, form = self._questions(pk, part, request.POST)
        if not form.is_valid():
            return self._page(agreement, part, form, status=422)
        try:
            save_terms(agreement=agreement, saved_by=self.person, now=timezone.now(), **form.terms())
        except Refusal as refusal:
            return self._page(agreement, part, form, status=show_refusal(form, refusal))
        names = list(PARTS)
        following = names[names.index(part) + 1 :]
        if following:
            return redirect("public:agreement_terms", pk=pk, part=following[0])
        if not agreement.commitments.exists():
            return redirect("public:agreement_promise", pk=pk)
        return redirect("public:agreement", pk=pk)

    def _questions(self, pk: int, part: str, data: Any = None) -> tuple[Agreement, PartForm]:
        agreement = self.mine(pk)
        if part not in PARTS or agreement.applicant_id != self.person.pk or not agreement.may_be_changed:
            raise Http404("No such page.")
        return agreement, PARTS[part](agreement, data)

    def _page(self, agreement: Agreement, part: str, form: PartForm, *, status: int = 200) -> HttpResponse:
        context = {
            "agreement": agreement,
            "community": agreement.community,
            "form": form,
            "number": list(PARTS).index(part) + 1,
            "of": len(PARTS) + 1,
        }
        return render(self.request, "public/agreement_terms.html", context, status=status)


class PromiseView(SignedIn):
    """One more thing that comes back to the community."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The empty form."""
        return self._page(self._agreement(pk), PromiseForm())

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Promise it."""
        agreement, form = self._agreement(pk), PromiseForm(request.POST)
        if not form.is_valid():
            return self._page(agreement, form, status=422)
        try:
            promise_benefit(agreement=agreement, promised_by=self.person, now=timezone.now(), **form.cleaned_data)
        except Refusal as refusal:
            return self._page(agreement, form, status=show_refusal(form, refusal))
        messages.success(request, _("It is written down."))
        return redirect("public:agreement", pk=pk)

    def _agreement(self, pk: int) -> Agreement:
        agreement = self.mine(pk)
        if agreement.applicant_id != self.person.pk:
            raise Http404("No such page.")
        return agreement

    def _page(self, agreement: Agreement, form: PromiseForm, *, status: int = 200) -> HttpResponse:
        context = {
            "agreement": agreement,
            "community": agreement.community,
            "form": form,
            "number": len(PARTS) + 1,
            "of": len(PARTS) + 1,
        }
        return render(self.request, "public/agreement_terms.html", context, status=status)


@method_decorator(never_cache, name="dispatch")
class TokenView(AgreementView):
    """Making a token, which is shown once and kept nowhere."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """There is nothing to read here by itself."""
        return redirect("public:agreement", pk=self.mine(pk).pk)

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Make it and show it; there is no redirect, because nothing remembers it."""
        agreement = self.mine(pk)
        try:
            secret = make_token(agreement=agreement, person=self.person, now=timezone.now())
        except Refusal as refusal:
            return self.page(agreement, status=refusal.status, refusal=refusal)
        return self.page(agreement, status=201, secret=secret)


@method_decorator(never_cache, name="dispatch")
class DownloadView(AgreementView):
    """A release as one file, for whoever is signed in."""

    def get(self, request: HttpRequest, pk: int, number: int) -> HttpResponseBase:  # type: ignore[override]
        """The zip; each download writes a receipt."""
        agreement = self.mine(pk)
        release = get_object_or_404(Release.objects.covered_by(agreement), number=number)
        about = {"agreement": agreement, "release": release, "person": self.person}
        try:
            _made, file = download_release(**about, now=timezone.now())
        except Refusal as refusal:
            return self.page(agreement, status=refusal.status, refusal=refusal)
        name = f"{agreement.community.slug}-release-{number}.zip"
        answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
        answer.streaming_content = while_allowed(
            answer.streaming_content, lambda: may_go_on(**about, now=timezone.now())
        )
        return answer

    def post(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:  # type: ignore[override]
        """Nothing is done here."""
        return redirect(reverse("public:agreement", args=[self.mine(pk).pk]))
