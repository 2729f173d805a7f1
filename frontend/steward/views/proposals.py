"""What waits for those who decide, proposing something, and one proposal with everything that was said about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext_lazy as _

from care.deciding import PROPOSERS, close_proposal, take_back_proposal
from care.elections import may_close
from care.models import Decision, Delegation, Matter, Proposal, Suspension, Vote
from care.suspending import appeal, propose_about, suspend
from care.voting import declare_conflict, discuss, judge_conflict, vote
from frontend.desk import DeskView
from frontend.steward.proposal_forms import Questions
from frontend.steward.proposal_pages import proposal_page
from people.models import Person, Role
from people.refusals import Refusal
from training.runs.models import Adapter

TOLD = {
    "vote": _("Your vote is cast. You can change it until the vote closes."),
    "discuss": _("Everybody can read it now."),
    "conflict": _("It is written down."),
    "judge": _("It is written down."),
    "close": _("The vote is closed."),
    "take_back": _("Taken back."),
    "appeal": _("The vote is open again."),
    "suspend": _("Suspended. It holds no more, from this moment on."),
    "about": _("Proposed."),
}


class InboxView(DeskView):
    """Everything that waits for whoever votes here."""

    roles = (Role.STEWARD, Role.ELDER)

    def get(self, request: HttpRequest) -> HttpResponse:
        """Read it."""
        ours = Proposal.objects.visible_to(self.person).filter(community=self.community)
        decisions = Decision.objects.visible_to(self.person).filter(community=self.community)
        running = Suspension.objects.filter(decision__in=decisions, state=Suspension.State.RUNNING)
        given = Delegation.objects.filter(community=self.community, receiver=self.person, revoked_at=None)
        context = {
            "community": self.community,
            "to_vote": ours.waiting_for(self.person),
            "to_close": [one for one in ours.open() if may_close(one, self.now)],
            "to_ratify": running.select_related("decision__proposal", "suspended_by"),
            "to_appeal": decisions.filter(state=Decision.State.COOLING_OFF).select_related("proposal"),
            "for_others": given.filter(until__gt=self.now).select_related("giver"),
            "candidates": Adapter.objects.filter(community=self.community).undecided().count(),
        }
        return render(request, "steward/inbox.html", context)


class ProposeView(DeskView):
    """Proposing something, one question on each screen."""

    roles = PROPOSERS

    def get(self, request: HttpRequest) -> HttpResponse:
        """The first question that a link has not answered already."""
        return self._ask(Questions(self.community, self.person, request.GET))

    def post(self, request: HttpRequest) -> HttpResponse:
        """The next question, or the proposal when all are answered."""
        questions = Questions(self.community, self.person, request.POST)
        form = questions.next_question()
        if form is not None:
            return self._ask(questions, form, status=422 if form.errors else 200)
        try:
            proposal = questions.propose(self.now)
        except Refusal as refusal:
            return self._ask(questions, status=refusal.status, refusal=refusal)
        messages.success(request, _("Proposed. Those who vote find it under what waits for them."))
        return redirect("steward:proposal", slug=self.community.slug, pk=proposal.pk)

    def _ask(
        self, questions: Questions, form: Any = None, *, status: int = 200, refusal: Refusal | None = None
    ) -> HttpResponse:
        form = form or questions.next_question()
        context: dict[str, Any] = {"community": self.community, "form": form, "refusal": refusal}
        if form is not None:
            number, of = questions.place(form.name)
            context |= {"carried": questions.carried(form.name), "number": number, "of": of, "knows": questions.matter}
        return render(self.request, "steward/propose.html", context, status=status)


class ProposalView(DeskView):
    """One proposal. Every member reads it and says what they think; those who could vote when it opened vote."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Read it."""
        return self._page(self._proposal(pk))

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Do one of the things that can be done with it."""
        proposal = self._proposal(pk)
        act = request.POST.get("act", "")
        acts: dict[str, Callable[[Proposal], Any]] = {
            "vote": self._vote,
            "discuss": self._discuss,
            "conflict": self._conflict,
            "judge": self._judge,
            "close": lambda one: close_proposal(proposal=one, closed_by=self.person, now=self.now),
            "take_back": lambda one: take_back_proposal(proposal=one, taken_back_by=self.person, now=self.now),
            "appeal": self._appeal,
            "suspend": self._suspend,
            "about": self._about,
        }
        if act not in acts:
            return self._page(proposal, status=422)
        try:
            made = acts[act](proposal)
        except Refusal as refusal:
            proposal.refresh_from_db()
            return self._page(proposal, status=refusal.status, refusal=refusal)
        messages.success(request, TOLD[act])
        shown = made.pk if isinstance(made, Proposal) else proposal.pk
        return redirect("steward:proposal", slug=self.community.slug, pk=shown)

    def _proposal(self, pk: int) -> Proposal:
        visible = Proposal.objects.visible_to(self.person).filter(community=self.community)
        found: Proposal = get_object_or_404(visible.select_related("proposer", "community"), pk=pk)
        return found

    def _member(self, name: str) -> Person | None:
        """The person a hidden field names, if they could vote."""
        number = self.request.POST.get(name, "")
        return Person.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 10 else None

    def _words(self, name: str = "text") -> str:
        return self.request.POST.get(name, "")

    def _vote(self, proposal: Proposal) -> Any:
        choice, elector = self._words("choice"), self._member("elector")
        return vote(
            proposal=proposal,
            choice=choice,
            cast_by=self.person,
            elector=elector,
            reason=self._words("reason"),
            now=self.now,
        )

    def _discuss(self, proposal: Proposal) -> Any:
        return discuss(proposal=proposal, author=self.person, text=self._words(), now=self.now)

    def _conflict(self, proposal: Proposal) -> Any:
        of = self._member("person") or self.person
        return declare_conflict(
            proposal=proposal, person=of, declared_by=self.person, nature=self._words(), now=self.now
        )

    def _judge(self, proposal: Proposal) -> Any:
        number = self._words("conflict")
        conflict = get_object_or_404(proposal.conflicts, pk=int(number) if number.isdecimal() else 0)
        uphold = self._words("judgement") == "uphold"
        return judge_conflict(conflict=conflict, judged_by=self.person, uphold=uphold, now=self.now)

    def _appeal(self, proposal: Proposal) -> Any:
        return appeal(proposal=proposal, appealed_by=self.person, reason=self._words(), now=self.now)

    def _suspend(self, proposal: Proposal) -> Any:
        decision = get_object_or_404(proposal.decisions.all()[:1])
        return suspend(decision=decision, suspended_by=self.person, reason=self._words(), now=self.now)

    def _about(self, proposal: Proposal) -> Any:
        """Propose to ratify, lift or revoke."""
        decision = get_object_or_404(proposal.decisions.all()[:1])
        matter = self._words("matter")
        return propose_about(
            decision=decision,
            matter=matter if matter in Matter.values else Matter.REVOKE,
            text=self._words(),
            proposer=self.person,
            now=self.now,
        )

    def _page(self, proposal: Proposal, *, status: int = 200, refusal: Refusal | None = None) -> HttpResponse:
        context = proposal_page(proposal, self.person, self.now)
        context |= {"community": self.community, "refusal": refusal, "typed": self._words(), "choices": Vote.Choice}
        return render(self.request, "steward/proposal.html", context, status=status)
