"""May it be used? What the database says as a query and as row security, against the rule."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from django.db import connection

from annotation.answers.models import Answer, Review
from annotation.answers.notes import ANOTHER_ACCEPTED
from annotation.answers.outcomes import record_event
from care.apps import check_row_security
from care.eligibility import Allowed, Consent, Facts, Hold, Why, refusal
from care.labels import LABELS
from care.models import Decision, Grant, Policy, Purpose, Restriction
from care.purposes import reading_for
from care.restricting import RestrictedAlready, lift, place_hold, put_label, suspend_purpose
from ledger.models import Entry
from people.models import Community, Person
from people.refusals import Invalid, NotAllowed
from people.services import found_community
from people.tenants import InView, looking_at
from tests.care.test_rule import PURPOSES
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.runs.services import NotDecidable, ReleaseIsTainted, claim_run, decide_adapter

pytestmark = pytest.mark.django_db


class Tables:
    """What stands in the tables now, read one by one, without the query under test."""

    def __init__(self, community: Community) -> None:
        self.granted = {
            (grant.receipt_id, grant.purpose): Consent.GIVEN if grant.withdrawn_at is None else Consent.WITHDRAWN
            for grant in Grant.objects.all()
        }
        self.restrictions = list(Restriction.objects.filter(lifted_at=None))
        self.policy = Policy.objects.filter(community=community, state="published").first()


def facts_of(answer: Answer, purpose: str, tables: Tables) -> Facts:
    receipts = [answer.receipt, *answer.built_on.all()]
    consents = [tables.granted.get((receipt.pk, purpose), Consent.UNKNOWN) for receipt in receipts]
    task = answer.task
    subjects = {
        ("answer", str(answer.pk)),
        ("item", str(task.item_id)),
        ("source", str(task.item.source_id)),
        ("project", str(task.project_id)),
        ("community", str(task.project.community_id)),
        *(("person", str(receipt.person_id)) for receipt in receipts),
    }
    standing = [row for row in tables.restrictions if (row.kind, row.key) in subjects]
    suspended = any(purpose in row.blocks for row in standing if row.cause == "suspension")
    holds = [row for row in standing if row.cause not in {"label", "suspension"}]
    hides = any("display_members" in row.blocks for row in holds)
    return Facts(
        consents=consents,
        community=said_by(tables.policy, purpose, suspended),
        labels=[row.code for row in standing if row.cause == "label"],
        hold=Hold.DISPLAY if hides else Hold.USE if holds else Hold.NONE,
        is_validated=answer.state == "validated",
        is_counter_example=is_counter_example(answer),
    )


def said_by(policy: Policy | None, purpose: str, suspended: bool) -> Allowed:
    if policy is None:
        return Allowed.NO_POLICY
    if purpose not in policy.purposes:
        return Allowed.NOT_OFFERED
    decided = policy.decision.state if policy.decision else "none"
    if suspended or decided == "suspended":
        return Allowed.SUSPENDED
    return {"in_force": Allowed.IN_FORCE, "expired": Allowed.RUN_OUT}.get(decided, Allowed.NOT_DECIDED)


def is_counter_example(answer: Answer) -> bool:
    harmful = any(
        review.appropriate is False or (review.verdict == "reject" and review.reason in {"offensive", "personal_data"})
        for review in answer.reviews.all()
    )
    made_room = any(event.note == "Another wording was accepted." for event in answer.events.all())
    return answer.state == "rejected" and not harmful and not made_room


@pytest.fixture
def tangled(validated_corpus: list[Answer], community: Community, aroha: Person) -> list[Answer]:
    """Withdrawn grants, answers of every state, words built on others', and restrictions of every sort and place."""
    draw = random.Random(7)  # noqa: S311 - a draw that can be repeated
    for grant in draw.sample(list(Grant.objects.all()), 3):
        Grant.objects.filter(pk=grant.pk).update(withdrawn_at=NOW)
    first, second, third, fourth, fifth, *more = validated_corpus
    first.built_on.add(second.receipt, third.receipt)
    Answer.objects.filter(pk=fourth.pk).update(state="withdrawn")
    Answer.objects.filter(pk=fifth.pk).update(state="submitted")
    wrong, offensive, improper, made_room, also_wrong, *_ = more
    Answer.objects.filter(pk__in=[row.pk for row in more[:5]]).update(state="rejected")
    Review.objects.filter(answer__in=[wrong, also_wrong]).update(verdict="reject", reason="spelling")
    Review.objects.filter(pk=offensive.reviews.first().pk).update(verdict="reject", reason="offensive")
    Review.objects.filter(pk=improper.reviews.first().pk).update(verdict="fix", appropriate=False)
    record_event(answer=made_room, kind="rejected", actor=None, now=NOW, note=ANOTHER_ACCEPTED)
    return validated_corpus


def restrictions(draw: random.Random, answers: list[Answer], community: Community, steward: Person) -> None:
    """A few labels, holds and suspensions, by chance."""
    Restriction.objects.all().delete()
    for _ in range(draw.randrange(4)):
        answer = draw.choice(answers)
        task = answer.task
        kind, key = draw.choice(
            [
                ("answer", answer.pk),
                ("item", task.item_id),
                ("source", task.item.source_id),
                ("project", task.project_id),
                ("community", community.pk),
                ("person", answer.author_id),
            ]
        )
        subject = {"community": community, "kind": kind, "key": str(key), "placed_by": steward, "now": NOW}
        try:
            if draw.random() < 0.5:
                put_label(code=draw.choice([*LABELS, "unheard-of"]), season=("01-01", "01-01"), **subject)
            else:
                place_hold(note="A reason.", hides=draw.random() < 0.5, **subject)
            if draw.random() < 0.3:
                purpose = draw.choice(PURPOSES)
                suspend_purpose(community=community, purpose=purpose, placed_by=steward, note="Stop.", now=NOW)
        except RestrictedAlready:
            continue


def test_rule_query_and_row_security_give_the_same_answers(
    tangled: list[Answer], community: Community, aroha: Person
) -> None:
    draw = random.Random(11)  # noqa: S311 - a draw that can be repeated
    compared = taught = 0
    by_state: Counter[str] = Counter()
    decision = Decision.objects.get(matter="policy")
    whole = Answer.objects.select_related("task__item", "task__project__community", "receipt")
    answers = list(whole.prefetch_related("built_on", "reviews", "events"))
    living = [one for one in answers if one.state not in {"withdrawn", "quarantined"}]
    for state in (*["in_force"] * 24, *Decision.State.values, "expired", "none"):
        restrictions(draw, tangled, community, aroha)
        Decision.objects.filter(pk=decision.pk).update(state="in_force" if state == "none" else state)
        Policy.objects.filter(community=community, state="published").update(
            purposes=draw.sample(Purpose.values, draw.randrange(7, len(Purpose.values) + 1)),
            decision=None if state == "none" else decision,
        )
        tables = Tables(community)
        for purpose in draw.sample(PURPOSES, 4):
            facts = {one.pk: facts_of(one, purpose, tables) for one in living}
            for too in (False, True):
                asked = {"counter_examples": too}
                by_rule = {pk for pk, known in facts.items() if refusal(purpose, known, **asked) is None}
                found = Answer.objects.eligible_for(purpose, **asked)
                assert set(found.values_list("pk", flat=True)) == by_rule, (purpose, too)
                with reading_for(purpose, **asked):
                    assert set(Answer.objects.values_list("pk", flat=True)) == by_rule, (purpose, too)
                if not too:
                    compared, before = compared + 1, by_rule
                    by_state[state] += len(by_rule)
            taught += len(by_rule - before)
            assert {row.state for row in living if row.pk in by_rule - before} <= {"rejected"}
    assert compared == 136
    assert by_state["in_force"] > 50
    assert set(+by_state) == {"in_force", "expired"}
    assert taught > 5


def test_what_was_turned_down_is_read_only_by_whoever_asks_for_counter_examples(
    tangled: list[Answer], community: Community
) -> None:
    Grant.objects.update(withdrawn_at=None)
    purpose, wrong = "train_noncommercial", {tangled[5].pk, tangled[9].pk}

    def read() -> set[object]:
        return set(Answer.objects.filter(state="rejected").values_list("pk", flat=True))

    with looking_at(InView({community.pk})), reading_for(purpose, counter_examples=True):
        assert read() == wrong
        with reading_for(purpose):
            assert read() == set()
        assert read() == wrong
    assert len(read()) == 5
    with reading_for(purpose):
        assert read() == set()
    assert refusal(purpose, Facts([Consent.GIVEN], Allowed.IN_FORCE, is_validated=False)) is Why.NOT_VALIDATED


@pytest.mark.parametrize("lost", ["policy", "receipt", "grant"])
def test_without_any_one_of_its_grounds_nothing_is_allowed(validated_corpus: list[Answer], lost: str) -> None:
    assert Answer.objects.eligible_for("train_noncommercial").count() == 12
    if lost == "policy":
        Policy.objects.update(state="replaced")
    elif lost == "grant":
        Grant.objects.all().delete()
    else:
        Grant.objects.update(withdrawn_at=NOW)
    assert not Answer.objects.eligible_for("train_noncommercial").exists()
    with reading_for("train_noncommercial"):
        assert not Answer.objects.exists()


def test_the_database_refuses_even_plain_sql(
    validated_corpus: list[Answer], community: Community, aroha: Person
) -> None:
    first = validated_corpus[0]
    place_hold(community=community, kind="answer", key=str(first.pk), placed_by=aroha, note="A reason.", now=NOW)
    with reading_for("train_noncommercial"), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM answers_answer")
        assert {row[0] for row in cursor.fetchall()} == {one.pk for one in validated_corpus[1:]}
        with reading_for("peer_review"):
            assert Answer.objects.count() == 12
        assert Answer.objects.count() == 11
    assert Answer.objects.count() == 12
    with pytest.raises(ValueError, match="sell"), reading_for("sell"):
        pass


def test_an_error_inside_leaves_no_purpose_behind(validated_corpus: list[Answer]) -> None:
    Grant.objects.update(withdrawn_at=NOW)
    with pytest.raises(RuntimeError), reading_for("research"):
        raise RuntimeError
    assert Answer.objects.count() == 12


def test_a_hold_on_display_hides_from_members_and_never_from_the_author(
    validated_corpus: list[Answer], community: Community, aroha: Person, chen: Person
) -> None:
    first = validated_corpus[0]
    subject = {"community": community, "kind": "source", "key": str(first.task.item.source_id)}
    hold = place_hold(**subject, placed_by=aroha, note="A reason.", hides=True, now=NOW)
    assert first not in Answer.objects.visible_to(chen)
    assert first in Answer.objects.visible_to(first.author)
    lift(restriction=hold, lifted_by=aroha, now=NOW)
    assert first in Answer.objects.visible_to(chen)
    entered = Entry.objects.filter(action__startswith="restriction.").order_by("sequence")
    assert list(entered.values_list("action", flat=True)) == ["restriction.placed", "restriction.lifted"]


def test_labels_are_the_community_s_alone(
    validated_corpus: list[Answer], community: Community, aroha: Person, esi: Person, ben: Person
) -> None:
    subject = {"community": community, "kind": "community", "key": str(community.pk), "now": NOW}
    with pytest.raises(NotAllowed):
        put_label(**subject, code="tkss", placed_by=esi)
    with pytest.raises(NotAllowed):
        put_label(**subject, code="attribution_incomplete", placed_by=ben)
    assert put_label(**subject, code="attribution_incomplete", placed_by=esi).blocks
    with pytest.raises(Invalid, match="from which day"):
        put_label(**subject, code="tks", placed_by=aroha)
    with pytest.raises(Invalid, match="month and day"):
        put_label(**subject, code="tks", season=("13-01", "02-30"), placed_by=aroha)
    with pytest.raises(Invalid, match="by its code"):
        put_label(**subject, code=" ", placed_by=aroha)
    put_label(**subject, code="tkss", placed_by=aroha)
    with pytest.raises(RestrictedAlready):
        put_label(**subject, code="tkss", placed_by=aroha)
    assert not Answer.objects.eligible_for("display_members").exists()


@pytest.mark.parametrize(
    ("season", "blocks"), [(("01-01", "12-31"), False), (("12-31", "12-30"), False), (("02-30", "02-30"), True)]
)
def test_a_season_lets_through_on_its_days(
    validated_corpus: list[Answer], community: Community, aroha: Person, season: tuple[str, str], blocks: bool
) -> None:
    subject = {"community": community, "kind": "community", "key": str(community.pk), "now": NOW}
    put_label(**subject, code="tks", season=season, placed_by=aroha)
    assert Answer.objects.eligible_for("display_members").exists() != blocks
    with reading_for("display_members"):
        assert Answer.objects.exists() != blocks


def test_a_frozen_release_is_asked_again_before_anything_is_done_with_it(
    validated_corpus: list[Answer], community: Community, aroha: Person, esi: Person
) -> None:
    first = validated_corpus[0]
    release = make_release(first.task.project, esi)
    run = make_run(release, esi)
    hold = place_hold(community=community, kind="answer", key=str(first.pk), placed_by=aroha, note="A reason.", now=NOW)

    assert claim_run(run_id=run.pk, owner="a worker", lease_until=NOW, now=NOW) is None
    run.refresh_from_db()
    assert (run.state, run.failure) == ("failed", "Some of its sentences may not be used for this any more.")
    with pytest.raises(ReleaseIsTainted, match="1 sentences"):
        make_run(release, esi)
    lift(restriction=hold, lifted_by=aroha, now=NOW)
    adapter = make_adapter(make_run(release, esi))
    place_hold(community=community, kind="answer", key=str(first.pk), placed_by=aroha, note="Again.", now=NOW)
    with pytest.raises(NotDecidable, match="may not be used"):
        decide_adapter(adapter=adapter, approve=True, decided_by=aroha, note="Good.", now=NOW)


def test_the_database_role_is_bound_by_row_security() -> None:
    assert check_row_security(["default"]) == []
    assert check_row_security(None) == []
    with connection.cursor() as cursor:
        cursor.execute("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE relname = 'answers_answer'")
        assert cursor.fetchone()[0]


def test_stewards_of_another_community_stop_nothing_here(validated_corpus: list[Answer], ben: Person) -> None:
    elsewhere = found_community(
        founder=ben,
        now=NOW,
        slug="elsewhere",
        name="Elsewhere",
        language_name="Other",
        language_tag="ote",
        iso_639_3="ote",
        glottocode="mezq1235",
        script="Latn",
        varieties=[],
        orthographies=[],
    )
    first = validated_corpus[0]
    for kind, key in (("person", first.author_id), ("answer", first.pk), ("project", first.task.project_id)):
        place_hold(community=elsewhere, kind=kind, key=str(key), placed_by=ben, note="A reason.", hides=True, now=NOW)
    assert Answer.objects.eligible_for("train_noncommercial").count() == 12
    with reading_for("display_members"):
        assert Answer.objects.count() == 12
