"""Access for people outside: who asks, what was agreed, what was promised, and what became of downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _

from care.agreements import (
    begin_agreement,
    put_to_decision,
    reject_agreement,
    return_agreement,
    revoke_access,
    sign_agreement,
    suspend_access,
)
from care.benefits import confirm_benefit, dispute_benefit
from care.models import Agreement, Commitment, Matter, Proposal
from care.tokens import end_token
from frontend.agreement_pages import page_of
from frontend.desk import show_refusal
from frontend.steward.agreement_forms import DecideForm, InviteForm, ReasonForm
from frontend.steward.views.home import StewardView
from people.models import Person
from people.refusals import Invalid, Refusal

TOLD = {
    "decide": _("It is decided, or everybody who votes finds it under what waits for them."),
    "return": _("Sent back. The applicant reads your questions."),
    "reject": _("Refused. The applicant reads why."),
    "sign": _("You have signed for the community."),
    "suspend": _("Suspended. Its tokens open nothing from this moment on."),
    "revoke": _("Taken back for good."),
    "confirm": _("Confirmed."),
    "dispute": _("Written down: it is due again."),
    "end_token": _("It opens nothing any more."),
}
# What each form with words is called, by the act that it belongs to.
LABELS = {
    "return": _("What do you want to know, or to have changed?"),
    "reject": _("Why is it refused?"),
    "suspend": _("Why is it suspended?"),
    "revoke": _("Why is it taken back?"),
}


def with_what_waits(agreements: QuerySet[Agreement], now: Any) -> QuerySet[Agreement]:
    """The agreements, each with how many promises wait to be confirmed or are overdue, and downloads not deleted."""
    late = Q(downloads__notice__answer__in=["", "refused"], downloads__notice__due_at__lt=now)
    return agreements.select_related("applicant").annotate(
        to_confirm=Count("commitments", filter=Q(commitments__state="delivered"), distinct=True),
        promises_overdue=Count("commitments", filter=Q(commitments__state="overdue"), distinct=True),
        not_deleted=Count("downloads", filter=late, distinct=True),
    )


class AgreementsView(StewardView):
    """All agreements, those that wait first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read them."""
        return self._page(InviteForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        """Begin a request for somebody, who then fills it in."""
        form = InviteForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        try:
            person = Person.objects.filter(username=form.cleaned_data["username"].strip(), is_active=True).first()
            if person is None:
                raise Invalid("Nobody here has this username. Ask for the exact one.", field="username")
            begin_agreement(community=self.community, applicant=person, begun_by=self.person, now=self.now)
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        messages.success(request, _("Done. They find it under “My agreements”."))
        return redirect("steward:agreements", slug=self.community.slug)

    def _page(self, form: forms.Form, *, status: int = 200) -> HttpResponse:
        ours = with_what_waits(Agreement.objects.sent_to(self.community), self.now)
        rows = list(ours)
        context = {
            "community": self.community,
            "form": form,
            "waiting": [row for row in rows if _waits(row)],
            "others": [row for row in rows if not _waits(row)],
        }
        return render(self.request, "steward/agreements.html", context, status=status)


def _waits(agreement: Any) -> bool:
    is_ours = agreement.state == "submitted" or (agreement.state == "approved" and not agreement.steward_signed_at)
    return bool(is_ours or agreement.to_confirm or agreement.promises_overdue or agreement.not_deleted)


class AgreementView(StewardView):
    """One agreement, and everything that a steward can do with it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self._page(self._agreement(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do what the pressed button says."""
        agreement, act = self._agreement(pk), request.POST.get("act", "")
        acts: dict[str, Callable[[Agreement], Any]] = {
            "decide": self._decide,
            "return": lambda one: return_agreement(agreement=one, returned_by=self.person, **self._words("words")),
            "reject": lambda one: reject_agreement(agreement=one, rejected_by=self.person, **self._words("words")),
            "sign": lambda one: sign_agreement(agreement=one, signed_by=self.person, now=self.now),
            "suspend": lambda one: suspend_access(agreement=one, suspended_by=self.person, **self._words("reason")),
            "revoke": lambda one: revoke_access(agreement=one, revoked_by=self.person, **self._words("reason")),
            "confirm": lambda one: confirm_benefit(
                commitment=self._commitment(one), confirmed_by=self.person, now=self.now
            ),
            "dispute": lambda one: dispute_benefit(
                commitment=self._commitment(one), disputed_by=self.person, **self._words("remark")
            ),
            "end_token": self._end_token,
        }
        if act not in acts:
            return self._page(agreement, status=422)
        try:
            acts[act](agreement)
        except Refusal as refusal:
            agreement.refresh_from_db()
            return self._page(agreement, act, refusal, status=refusal.status)
        messages.success(request, TOLD[act])
        return redirect("steward:agreement", slug=self.community.slug, pk=pk)

    def _agreement(self, pk: int) -> Agreement:
        ours = Agreement.objects.sent_to(self.community)
        found: Agreement = get_object_or_404(
            ours.select_related("community", "applicant", "decision", "steward", "renews"), pk=pk
        )
        return found

    def _commitment(self, agreement: Agreement) -> Commitment:
        number = self.request.POST.get("commitment", "")
        ours = agreement.commitments.all()
        found: Commitment = get_object_or_404(ours, pk=int(number) if number.isdecimal() and len(number) < 19 else 0)
        return found

    def _end_token(self, agreement: Agreement) -> None:
        number = self.request.POST.get("token", "")
        live = agreement.tokens.filter(ended_at__isnull=True)
        token = get_object_or_404(live, pk=int(number) if number.isdecimal() and len(number) < 19 else 0)
        end_token(agreement=agreement, person=token.person, ended_by=self.person, now=self.now)

    def _words(self, name: str) -> dict[str, Any]:
        return {name: self.request.POST.get("words", ""), "now": self.now}

    def _decide(self, agreement: Agreement) -> Proposal:
        form = DecideForm(agreement, self.request.POST)
        if not form.is_valid():
            raise Invalid("%(why)s", field="text", why=next(iter(form.errors.values()))[0])
        return put_to_decision(agreement=agreement, proposer=self.person, now=self.now, **form.cleaned_data)

    def _page(
        self, agreement: Agreement, act: str = "", refusal: Refusal | None = None, *, status: int = 200
    ) -> HttpResponse:
        typed = self.request.POST if act else None
        proposals = Proposal.objects.filter(
            community=self.community, matter=Matter.AGREEMENT, subject=agreement.subject
        )
        decide = DecideForm(agreement, typed if act == "decide" else None)
        words = {
            name: ReasonForm(typed if act == name else None, label=label, name=name) for name, label in LABELS.items()
        }
        context = {
            **page_of(agreement, self.now),
            "community": self.community,
            "decide": decide,
            "words": words,
            "refusal": refusal,
            "open": act,
            "typed": self.request.POST.get("words", "") if act == "dispute" else "",
            "open_vote": proposals.open().first(),
            "proposal": proposals.first(),
            "tokens": agreement.tokens.filter(ended_at__isnull=True).select_related("person"),
            "is_named": agreement.users.filter(pk=self.person.pk).exists(),
        }
        return render(self.request, "steward/agreement.html", context, status=status)
