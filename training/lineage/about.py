"""Everything that is kept about one person, for that person to take home (GDPR, articles 15 and 20).

Each section is a function of the person that gives rows of plain values; another room adds one to `SECTIONS`. Rows
hold what the person wrote and did. Of others' words they hold none, and no name: what somebody judged is named by its
id, what was said of their own words by its verdict.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any

from annotation.answers.models import Answer, AnswerEvent, Gold, Review
from annotation.conflicts.models import Adjudication, Remark
from annotation.projects.models import Assignment
from annotation.rewards.models import Player, Point
from annotation.standing.models import Standing
from care.models import (
    Delegation,
    Proposal,
    ProposalRemark,
    Receipt,
    RenderingObjection,
    Vote,
    Withdrawal,
)
from care.records import signed_receipt, signing_seed
from ledger.models import Entry
from people.models import LanguageProfile, Membership, Person
from training.lineage.about_access import age, agreements, reports
from training.playground.models import Explanation, Generation
from training.releases.models import Release, ReleaseItem
from training.runs.beside import runs_on
from training.runs.models import Adapter

FORMAT = "wordhearth-about-me/1"
Row = dict[str, Any]
Section = Callable[[Person, datetime], list[Row]]


def everything_about(person: Person, *, now: datetime) -> dict[str, Any]:
    """All sections, with when and in which format."""
    parts = {name: section(person, now) for name, section in SECTIONS.items()}
    return {"format": FORMAT, "made_at": now.isoformat(), **parts}


def account(person: Person, now: datetime) -> list[Row]:
    """The account itself; no password, which is kept as a hash that says nothing to anybody."""
    names = ("username", "display_name", "first_name", "last_name", "email", "is_demo")
    dates = {"joined_at": _day(person.date_joined), "last_signed_in_at": _day(person.last_login)}
    return [{"id": person.pk, **{name: getattr(person, name) for name in names}, **dates}]


def roles(person: Person, now: datetime) -> list[Row]:
    """Roles in communities, those that ended too."""
    rows = Membership.objects.filter(person=person).select_related("community")
    return [
        {
            "community": row.community.slug,
            "role": row.role,
            "since": _day(row.since),
            "ended_at": _day(row.ended_at),
        }
        for row in rows
    ]


def languages(person: Person, now: datetime) -> list[Row]:
    """Varieties and orthographies that the person named as theirs."""
    rows = LanguageProfile.objects.filter(person=person).select_related("community")
    return [
        {
            "community": row.community.slug,
            "varieties": [one.name for one in row.varieties.all()],
            "orthographies": [one.name for one in row.orthographies.all()],
        }
        for row in rows.prefetch_related("varieties", "orthographies")
    ]


def consents(person: Person, now: datetime) -> list[Row]:
    """Every receipt, signed anew, with what became of each purpose."""
    seed = signing_seed()
    rows = Receipt.objects.filter(person=person).select_related("policy__community", "community")
    return [
        {
            "community": row.community.slug,
            "policy_version": row.policy.version,
            "given_at": _day(row.given_at),
            "ended_at": _day(row.ended_at),
            "purposes": [
                {"purpose": grant.purpose, "holds": grant.holds, "withdrawn_at": _day(grant.withdrawn_at)}
                for grant in row.grants.all()
            ],
            "signed_receipt": signed_receipt(row, seed=seed, now=now),
        }
        for row in rows.prefetch_related("grants")
    ]


def answers(person: Person, now: datetime) -> list[Row]:
    """Every answer with its versions, its history, the verdicts on it and its uses."""
    rows = Answer.objects.filter(author=person).select_related("task__item", "task__project__community", "suggestion")
    uses = _uses(person)
    asked = rows.prefetch_related("events", "reviews").order_by("created_at", "pk")
    return [_answer(row, person, uses[row.pk]) for row in asked]


def _answer(row: Answer, person: Person, used: list[Row]) -> Row:
    # Who reviewed is not said; what somebody wrote beside a verdict is theirs.
    reviews = [
        {"version": one.version, "verdict": one.verdict, "reason": one.reason, "at": _day(one.created_at)}
        for one in row.reviews.all()
        if not one.is_gold
    ]
    return {
        "id": str(row.pk),
        "community": row.task.project.community.slug,
        "project": row.task.project.title,
        "kind": row.task.project.kind,
        "asked": row.task.item.text,
        "text": row.text,
        "payload": row.payload,
        "state": row.state,
        "version": row.version,
        "receipt": str(row.receipt_id),
        "corrects": str(row.fixes_id) if row.fixes_id else None,
        "began_with": row.suggestion.made_by if row.suggestion else None,
        "warnings": [one["code"] for one in row.warnings if "code" in one],
        "created_at": _day(row.created_at),
        "changed_at": _day(row.changed_at),
        "history": [_event(event, person) for event in row.events.all()],
        "verdicts": reviews,
        "used_in": used,
    }


def _event(event: AnswerEvent, person: Person) -> Row:
    mine = event.actor_id == person.pk
    own = {"text": event.text, "payload": event.payload, "note": event.note} if mine else {}
    return {"what": event.kind, "version": event.version, "at": _day(event.at), "by_me": mine, **own}


def _uses(person: Person) -> dict[Any, list[Row]]:
    """For each answer of the person, the releases that hold it, with the runs and adapters that learnt from these."""
    made: dict[int, list[Row]] = defaultdict(list)
    items = ReleaseItem.objects.filter(answer__author=person).select_related("release")
    for release in Release.objects.filter(items__answer__author=person).distinct():
        learnt = Adapter.objects.filter(run__in=runs_on([release])).select_related("run").order_by("pk")
        made[release.pk] = [
            {"run": adapter.run.number, "adapter_state": adapter.state, "deleted_at": _day(adapter.deleted_at)}
            for adapter in learnt
        ]
    found: dict[Any, list[Row]] = defaultdict(list)
    for item in items:
        found[item.answer_id].append(
            {
                "release": item.release.number,
                "purpose": item.release.purpose,
                "split": item.split,
                "marked_as_withdrawn_at": _day(item.withdrawn_at),
                "adapters": made[item.release_id],
            }
        )
    return found


def reviews_given(person: Person, now: datetime) -> list[Row]:
    """Verdicts on others' answers, named by their ids; one's own words alone."""
    names = ("version", "verdict", "reason", "note", "right_language", "acceptable", "appropriate")
    rows = Review.objects.filter(reviewer=person).order_by("created_at")
    used: dict[Any, list[int]] = defaultdict(list)
    voted = ReleaseItem.objects.filter(voters__person=person).order_by("release__number")
    for answer, number in voted.values_list("answer", "release__number"):
        used[answer].append(number)
    return [
        {
            "answer": str(row.answer_id),
            **{name: getattr(row, name) for name in names},
            "my_correction": str(row.fix_id) if row.fix_id else None,
            "in_releases": used[row.answer_id],
            "at": _day(row.created_at),
        }
        for row in rows
    ]


def decisions_made(person: Person, now: datetime) -> list[Row]:
    """What the person decided as an expert, with their reasons, and which answers they marked as gold."""
    decided = [
        {"answer": str(row.answer_id), "decision": row.decision, "reason": row.reason, "at": _day(row.decided_at)}
        for row in Adjudication.objects.filter(expert=person)
    ]
    marked = Gold.objects.filter(expert=person)
    return [
        *decided,
        *({"answer": str(row.answer_id), "gold": row.is_right, "at": _day(row.marked_at)} for row in marked),
    ]


def remarks(person: Person, now: datetime) -> list[Row]:
    """What the person said about work, proposals and renderings of consent texts, and beside answers of others."""
    said = [
        {"task": row.task_id, "text": row.text, "at": _day(row.said_at)} for row in Remark.objects.filter(author=person)
    ]
    spoken = ProposalRemark.objects.filter(author=person)
    said += [{"proposal": row.proposal_id, "text": row.text, "at": _day(row.at)} for row in spoken]
    objected = RenderingObjection.objects.filter(objected_by=person)
    said += [{"rendering": row.rendering_id, "text": row.words, "at": _day(row.objected_at)} for row in objected]
    replied = RenderingObjection.objects.filter(answered_by=person).exclude(answer="")
    said += [{"rendering": row.rendering_id, "text": row.answer, "at": _day(row.answered_at)} for row in replied]
    beside = AnswerEvent.objects.filter(actor=person).exclude(answer__author=person).exclude(note="")
    return [*said, *({"answer": str(row.answer_id), "text": row.note, "at": _day(row.at)} for row in beside)]


def governing(person: Person, now: datetime) -> list[Row]:
    """Proposals made, votes cast, votes given to somebody else for a while."""
    made = Proposal.objects.filter(proposer=person)
    rows: list[Row] = [
        {"proposed": row.pk, "matter": row.matter, "text": row.text, "harm": row.harm, "benefit": row.benefit}
        for row in made
    ]
    cast = Vote.objects.filter(cast_by=person)
    rows += [
        {"voted_on": row.proposal_id, "choice": row.choice, "reason": row.reason, "at": _day(row.cast_at)}
        for row in cast
    ]
    given = Delegation.objects.filter(giver=person)
    return [*rows, *({"gave_my_vote_from": _day(row.since), "until": _day(row.until)} for row in given)]


def game(person: Person, now: datetime) -> list[Row]:
    """Points, and how the person plays."""
    played = Player.objects.filter(person=person).select_related("community")
    rows: list[Row] = [
        {"community": row.community.slug, "hidden": row.is_hidden, "badge": row.badge, "companion": row.companion_name}
        for row in played
    ]
    points = Point.objects.filter(person=person).select_related("community")
    return [
        *rows,
        *(
            {"community": row.community.slug, "points": row.points, "for": row.kind, "at": _day(row.at)}
            for row in points
        ),
    ]


def standing(person: Person, now: datetime) -> list[Row]:
    """How the person's checks are estimated, and what was done because of it."""
    names = ("checks", "checks_agreed", "gold", "gold_agreed", "has_shown_care", "is_stopped", "is_spared", "is_frozen")
    rows = Standing.objects.filter(person=person).select_related("community").prefetch_related("events")
    return [
        {
            "community": row.community.slug,
            **{name: getattr(row, name) for name in names},
            "skill": asdict(row.skill) if is_dataclass(row.skill) else None,
            "history": [{"what": event.kind, "at": _day(event.at)} for event in row.events.all()],
        }
        for row in rows
    ]


def work(person: Person, now: datetime) -> list[Row]:
    """Tasks that were given to the person, and why some were skipped."""
    rows = Assignment.objects.filter(person=person).order_by("leased_at")
    return [
        {
            "task": row.task_id,
            "state": row.state,
            "given_at": _day(row.leased_at),
            "skip_reason": row.skip_reason,
            "skip_note": row.skip_note,
        }
        for row in rows
    ]


def tried(person: Person, now: datetime) -> list[Row]:
    """Sentences tried in the playground, what the models wrote, and how that was explained."""
    explained = {row.generation_id: row for row in Explanation.objects.filter(generation__person=person)}
    return [
        {
            "asked": row.source,
            "base": row.base_text,
            "adapter": row.adapter_text,
            "at": _day(row.created_at),
            "words": explained[row.pk].words if row.pk in explained else [],
            "weights": explained[row.pk].weights if row.pk in explained else [],
        }
        for row in Generation.objects.filter(person=person)
    ]


def withdrawals(person: Person, now: datetime) -> list[Row]:
    """What the person took back, and how far it is."""
    rows = Withdrawal.objects.filter(person=person).select_related("community").prefetch_related("stages")
    return [
        {
            "community": row.community.slug,
            "scope": row.scope,
            "answer": row.answer_key,
            "purposes": row.purposes,
            "asked_at": _day(row.asked_at),
            "stages": [
                {"what": stage.name, "due_at": _day(stage.due_at), "done_at": _day(stage.done_at)}
                for stage in row.stages.all()
            ],
        }
        for row in rows
    ]


def record(person: Person, now: datetime) -> list[Row]:
    """Lines of the record about the person; what others wrote in them is left out."""
    rows = Entry.objects.filter(secret__about=str(person.pk)) | Entry.objects.filter(actor=str(person.pk))
    return [
        {
            "community": row.community,
            "number": row.sequence,
            "what": row.action,
            "details": row.details,
            "at": _day(row.at),
        }
        for row in rows.distinct().order_by("community", "sequence")
    ]


def _day(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


SECTIONS: Mapping[str, Section] = {
    "account": account,
    "roles": roles,
    "languages": languages,
    "consents": consents,
    "answers": answers,
    "reviews_given": reviews_given,
    "decisions_made": decisions_made,
    "remarks": remarks,
    "governing": governing,
    "reports": reports,
    "agreements": agreements,
    "age": age,
    "game": game,
    "standing": standing,
    "work": work,
    "tried": tried,
    "withdrawals": withdrawals,
    "record": record,
}
