"""What the page of a proposal shows, as far as the reader may see and do it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext, gettext_noop

from annotation.projects.models import Project
from care.elections import agreement_named, barred_from, may_close, outcome_now, proxies_for
from care.models import Decision, Matter, Proposal, Restriction, Suspension
from care.quorum import RuleSet
from care.suspending import NOT_TO_STOP
from frontend.steward.queries import restriction_lines
from people.models import Community, Person, Role
from people.refusals import said
from people.services import has_role
from training.releases.models import Release
from training.runs.models import Adapter
from training.runs.promotion import bounds_in_words


def proposal_page(proposal: Proposal, person: Person, now: datetime) -> dict[str, Any]:
    """Votes in words, what is missing, and what this person may do."""
    outcome = outcome_now(proposal)
    rule = RuleSet.from_mapping(proposal.rule)
    decisions = list(proposal.decisions.all())
    decision = decisions[0] if decisions else None
    is_steward = has_role(person, proposal.community, Role.STEWARD)
    is_elector = person.pk in proposal.elector_ids
    is_open = proposal.state == Proposal.State.OPEN
    votes = list(proposal.votes.select_related("elector", "cast_by"))
    return {
        "proposal": proposal,
        "about": about_in_words(proposal),
        "proposed_rules": proposed_rules(proposal),
        **_access(proposal),
        "outcome": outcome,
        "missing": [said(because.message, because.values) for because in outcome.missing] if is_open else [],
        "rule_words": [said(because.message, because.values) for because in rule.explained()],
        "votes": votes if is_elector else [],
        "reasons": [vote for vote in votes if vote.reason],
        "seats": _seats(proposal, person, votes, now) if is_open and now < proposal.closes_at else [],
        "remarks": proposal.remarks.select_related("author"),
        "conflicts": proposal.conflicts.select_related("person", "declared_by"),
        "others": Person.objects.filter(pk__in=proposal.elector_ids).exclude(pk=person.pk) if is_elector else [],
        "is_elector": is_elector,
        "is_steward": is_steward,
        "is_open": is_open,
        "is_proposer": is_open and person.pk == proposal.proposer_id,
        "may_close": is_open and is_elector and may_close(proposal, now),
        "decision": decision,
        "decided": [(row, reason_of(row)) for row in decisions],
        "suspension": _suspension(decision),
        "may_appeal": is_steward and decision is not None and decision.state == Decision.State.COOLING_OFF,
        "may_suspend": is_steward
        and decision is not None
        and decision.state == Decision.State.IN_FORCE
        and proposal.matter not in NOT_TO_STOP,
        "person": person,
    }


def _seats(proposal: Proposal, person: Person, votes: list[Any], now: datetime) -> list[dict[str, Any]]:
    """The seats the person may vote for now, each with what was said for it; their own first."""
    barred = barred_from(proposal)
    mine = [person.pk] if person.pk in proposal.elector_ids else []
    mine += [proxy.giver for proxy in proxies_for(proposal) if proxy.covers(proxy.giver, person.pk, now)]
    cast = {vote.elector_id: vote for vote in votes}
    names = Person.objects.in_bulk(mine)
    return [
        {"elector": names[seat], "is_own": seat == person.pk, "vote": cast.get(seat)}
        for seat in dict.fromkeys(mine)
        if not {seat, person.pk} & barred
    ]


def _suspension(decision: Decision | None) -> Suspension | None:
    if decision is None:
        return None
    return decision.suspensions.exclude(state=Suspension.State.ENDED).select_related("suspended_by").first()


def reason_of(decision: Decision) -> str:
    """Why it came out so, in the reader's language."""
    message, values = decision.reason
    return said(message, values)


# What is decided on an adapter, by the first word of the subject.
OF_ADAPTERS = {
    "adapter": gettext_noop("Adapter of run %(number)s"),
    "publish": gettext_noop("Letting the adapter of run %(number)s out, as files"),
}


def about_in_words(proposal: Proposal) -> str:
    """What it is about, as people call it: kind:id says nothing to anybody."""
    kind, _colon, rest = proposal.subject.partition(":")
    if proposal.matter in {Matter.PROJECT, Matter.LABEL, Matter.AGREEMENT} or not rest.isdecimal():
        return _in_own_words(proposal, kind, rest)
    ours = {"community": proposal.community_id, "pk": int(rest)}
    if kind == "project":
        project = Project.objects.filter(**ours).first()
        return project.title if project else ""
    if kind in OF_ADAPTERS and (adapter := Adapter.objects.filter(**ours).select_related("run").first()):
        return gettext(OF_ADAPTERS[kind]) % {"number": adapter.run.number}
    if kind == "release" and (release := Release.objects.filter(**ours).select_related("project").first()):
        return gettext("Release %(number)s of %(title)s") % {"number": release.number, "title": release.project.title}
    if kind == "decision" and (decision := Decision.objects.filter(**ours).select_related("proposal").first()):
        return f"{decision.get_matter_display()}: {about_in_words(decision.proposal)}".rstrip(": ")
    return ""


def _restriction_in_words(community: Community, key: str) -> str:
    """What would be lifted, and from what. Elders read this too, so nobody whose words are held back is named."""
    rows = community.restrictions.filter(pk=int(key))
    line = next(iter(restriction_lines(community, list(rows))), None)
    if line is None:
        return ""
    is_somebody = line.row.kind == Restriction.Kind.PERSON
    return f"{line.name} · {line.row.get_kind_display() if is_somebody else line.on}"


def _in_own_words(proposal: Proposal, kind: str, rest: str) -> str:
    """A title or a word stands for itself; access is called after who asks for it, and bounds are read out."""
    if proposal.matter == Matter.ADAPTER and kind == "gate":
        return bounds_in_words(proposal.subject)
    if proposal.matter == Matter.AGREEMENT:
        found = agreement_named(proposal.community, proposal.subject)
        return found.organisation if found else ""
    if kind == "restriction" and rest.isdecimal():
        return _restriction_in_words(proposal.community, rest)
    return rest if kind in {"project", "label"} else ""


def _access(proposal: Proposal) -> dict[str, Any]:
    """The agreement that is voted on, with who is named in it: whoever votes reads all of its terms. Nothing where they
    have changed since."""
    found = agreement_named(proposal.community, proposal.subject) if proposal.matter == Matter.AGREEMENT else None
    if found is None or found.terms_sha256 != proposal.conditions.get("terms_sha256"):
        return {}
    return {
        "agreement": found,
        "people": [person.name for person in found.users.order_by("username")],
        "commitments": found.commitments.all(),
    }


def proposed_rules(proposal: Proposal) -> list[str]:
    """The rules that are proposed, in sentences: whoever votes reads what they vote on."""
    if proposal.matter != Matter.RULES:
        return []
    rule = RuleSet.from_mapping(proposal.conditions["rule"])
    return [said(because.message, because.values) for because in rule.explained()]
