"""A community decides: rules, a proposal on a phone without scripts, votes, a stop, and the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from annotation.projects.models import Project
from care.models import Decision, Proposal
from people.models import Community, Person
from tests.browser.gathering import sign_in
from tests.browser.visitor import DESK, Visitor
from tests.care.deciding import make_stewards

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def test_a_community_leaves_the_rule_of_one_votes_and_stops(
    visit: Callable[..., Visitor], community: Community, project: Project, aroha: Person, ben: Person
) -> None:
    make_stewards(community)
    desk = f"/c/{community.slug}/steward/"
    steward = visit("aroha", width=DESK)
    sign_in(steward, f"{desk}governing/")
    steward.see("How we decide")
    steward.page.get_by_label("By a vote, when enough take part").check()
    steward.click("Say it in words")
    steward.see("How we decide")
    steward.read("50% of those who may vote must take part.")
    steward.click("Adopt these rules")
    steward.see("How we decide")
    steward.read("The rules are adopted.", "Stewards and elders vote.")

    _propose_on_a_phone(visit("iris", scripts=False), desk)
    proposal = Proposal.objects.get(matter="project", state="open")

    steward.open(f"{desk}waiting/")
    steward.see("What waits for me")
    steward.click("Opening a project")
    steward.see("Opening a project")
    steward.write("Your reason (optional)", "It is time.")
    steward.click("I am for it")
    steward.see("Opening a project")
    steward.read("Until now: for it. You can change it.", "Votes that are still needed: 1.")

    first = Decision.objects.get(subject=f"project:{project.title}")
    steward.open(f"{desk}proposals/{first.proposal_id}/")
    steward.see("Opening a project")
    steward.click("Suspend it")
    steward.page.locator("#suspend").fill("These songs are sacred.")
    steward.page.get_by_role("button", name="Suspend it").click()
    steward.see("Opening a project")
    steward.read("This is suspended: it allows nothing now.")
    steward.open(f"{desk}governing/delegation/")
    steward.see("Let somebody vote for you")

    member = visit("ben")
    sign_in(member, f"/c/{community.slug}/decisions/")
    member.see("Decisions")
    member.read("suspended", "Took part: 100 %")
    member.open(f"{desk}proposals/{proposal.pk}/")
    member.see("Opening a project")
    member.write("What you want to say", "Whose songs?")
    member.click("Say it")
    member.see("Opening a project")
    member.read("Whose songs?")


def _propose_on_a_phone(phone: Visitor, desk: str) -> None:
    """One question on each screen, without scripts."""
    sign_in(phone, f"{desk}proposals/new/")
    phone.see("Propose something")
    phone.page.get_by_label("opening a project").check()
    phone.click("Next")
    phone.write("What is its title?", "Songs")
    phone.click("Next")
    phone.write("What is proposed, and why?", "We write down our songs.")
    phone.click("Next")
    phone.write("Whom could it harm, and how is that prevented? (optional)", "Nobody: only songs for everybody.")
    phone.click("Next")
    phone.write("What does the community get from it? (optional)", "Songs for the school.")
    phone.click("Next")
    phone.click("Propose it")
    phone.see("Opening a project")
    phone.read("We write down our songs.", "Votes that are still needed: 2.")
