"""How the community decides, and letting somebody vote in one's place."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from care.deciding import adopted_rules, set_rules
from care.elections import rules_of
from care.models import Delegation, Proposal
from care.quorum import PRESETS, BadRules, Kind, RuleSet
from care.voting import delegate, revoke_delegation
from frontend.desk import DeskView, show_refusal
from frontend.steward.proposal_forms import RulesForm
from frontend.steward.views.home import StewardView
from people.models import Person, Role
from people.refusals import Refusal, said

MONTHS = (1, 3, 6, 12)


class GoverningView(StewardView):
    """The rules in words, and changing them."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """As they are."""
        rule = rules_of(self.community, "")
        kept = rule if rule.kind != Kind.SINGLE else PRESETS[Kind.QUORUM]
        shares = {name: int(getattr(kept, name) * 100) for name in ("quorum", "risky_quorum")}
        numbers = {name: getattr(kept, name) for name in ("min_days", "max_days", "cooling_off_hours")}
        initial = {"kind": rule.kind.value, "grant_max_months": kept.grant_max_months, **numbers, **shares}
        return self._page(RulesForm(initial=initial))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Say them in words, or adopt them by the present rules."""
        form = RulesForm(request.POST)
        if not form.is_valid():
            return self._page(form, status=422)
        rule = form.rule(PRESETS)
        if "say" in request.POST:
            return self._page(form, says=rule)
        typed = form.cleaned_data
        try:
            proposal = set_rules(
                community=self.community,
                rule=rule,
                set_by=self.person,
                now=self.now,
                matter=typed["matter"],
                text=typed["text"],
            )
        except Refusal as refusal:
            return self._page(form, status=show_refusal(form, refusal))
        if proposal.state == Proposal.State.OPEN:
            messages.success(request, _("Proposed. Those who vote find it under what waits for them."))
            return redirect("steward:proposal", slug=self.community.slug, pk=proposal.pk)
        messages.success(request, _("The rules are adopted."))
        return redirect("steward:governing", slug=self.community.slug)

    def _page(self, form: RulesForm, *, status: int = 200, says: dict[str, object] | None = None) -> HttpResponse:
        words: list[str] = []
        if says is not None:
            try:
                words = _words(RuleSet.from_mapping(says))
            except BadRules as error:
                form.add_error(
                    error.setting if error.setting in form.fields else None,
                    said(error.because.message, error.because.values),
                )
        own = [(row, _words(RuleSet.from_mapping(row.rule))) for row in adopted_rules(self.community) if row.matter]
        context = {
            "community": self.community,
            "form": form,
            "words": words,
            "present": _words(rules_of(self.community, "")),
            "own": own,
        }
        return render(self.request, "steward/governing.html", context, status=status)


def _words(rule: RuleSet) -> list[str]:
    return [said(because.message, because.values) for because in rule.explained()]


class DelegationView(DeskView):
    """Letting somebody vote in one's place, and taking that back."""

    roles = (Role.STEWARD, Role.ELDER)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Who votes for whom."""
        return self._page()

    def post(self, request: HttpRequest) -> HttpResponse:
        """Give one's vote, or take it back."""
        try:
            if "back" in request.POST:
                number = request.POST["back"]
                mine = self.person.delegations_given.filter(community=self.community)
                given = get_object_or_404(mine, pk=int(number) if number.isdecimal() else 0)
                revoke_delegation(delegation=given, revoked_by=self.person, now=self.now)
            else:
                self._give(request)
        except Refusal as refusal:
            return self._page(status=refusal.status, refusal=refusal)
        messages.success(request, _("It is written down."))
        return redirect("steward:delegation", slug=self.community.slug)

    def _give(self, request: HttpRequest) -> None:
        number, months = request.POST.get("receiver", ""), request.POST.get("months", "")
        receiver = get_object_or_404(self._members(), pk=int(number) if number.isdecimal() else 0)
        days = 30 * int(months) if months in map(str, MONTHS) else 30
        delegate(
            community=self.community,
            giver=self.person,
            receiver=receiver,
            until=self.now + timedelta(days=days),
            now=self.now,
        )

    def _members(self):  # type: ignore[no-untyped-def]
        live = self.community.memberships.filter(ended_at=None)
        return Person.objects.filter(memberships__in=live).exclude(pk=self.person.pk).distinct().order_by("username")

    def _page(self, *, status: int = 200, refusal: Refusal | None = None) -> HttpResponse:
        live = Delegation.objects.filter(community=self.community, revoked_at=None, until__gt=self.now)
        context = {
            "community": self.community,
            "mine": live.filter(giver=self.person).select_related("receiver").first(),
            "for_others": live.filter(receiver=self.person).select_related("giver"),
            "members": self._members(),
            "months": MONTHS,
            "refusal": refusal,
        }
        return render(self.request, "steward/delegation.html", context, status=status)
