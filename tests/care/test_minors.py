"""Words of people under age: none is used before a guardian agrees, some uses stay closed, and majority asks again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction

from annotation.answers.models import Answer
from care.ages import (
    NEVER_OF_MINORS,
    is_asked_again,
    is_of_age,
    keep_ages,
    record_guardian,
    set_age_rule,
    state_age,
)
from care.eligibility import Allowed, Consent, Facts, refusal
from care.jobs import keep_ages_job
from care.models import AgeBand, Purpose, Receipt, Restriction, StewardNotice
from care.purposes import reading_for
from care.records import record_of
from care.restricting import lift
from care.services import give_consent
from ledger.models import Entry, Secret
from people.refusals import Conflicting, Invalid, NotAllowed
from tests.care.deciding import make_stewards
from tests.conftest import NOW
from training.lineage.erasing import erase_person

pytestmark = pytest.mark.django_db
ALL = list(Purpose.values)
MAJORITY = datetime(2026, 6, 1, tzinfo=UTC)
ZONES = ("Pacific/Kiritimati", "Asia/Kolkata", "UTC", "America/Mexico_City", "Pacific/Honolulu")


@pytest.fixture
def asking(community, aroha):
    """The community asks for ages."""
    set_age_rule(community=community, years=18, set_by=aroha, now=NOW)
    return community


@pytest.fixture
def young(validated_corpus, policy, community, aroha, ben):
    """Ben, who allows everything, has answers that are validated, and then says that he is under age."""
    receipt = Receipt.objects.get(person=ben)
    for purpose in set(ALL) - set(receipt.grants.values_list("purpose", flat=True)):
        receipt.grants.create(purpose=purpose)
    set_age_rule(community=community, years=18, set_by=aroha, now=NOW)
    state(ben, community)
    return ben


def state(person, community, band="young", month="2026-05", by=None, now=NOW):
    return state_age(person=person, community=community, band=band, of_age_in=month, stated_by=by or person, now=now)


def usable(person) -> dict[str, set[int]]:
    """For each purpose how many of the person's answers may be used, by query and by row security."""
    found: dict[str, set[int]] = {}
    for purpose in ALL:
        by_query = Answer.objects.filter(author=person).eligible_for(purpose).count()
        with reading_for(purpose):
            by_rows = Answer.objects.filter(author=person).count()
        found[purpose] = {by_query, by_rows}
    return found


def facts(kept_from) -> Facts:
    return Facts(consents=[Consent.GIVEN], community=Allowed.IN_FORCE, kept_from=kept_from)


def test_without_a_guardian_nothing_is_used_for_anything(young):
    assert usable(young) == {purpose: {0} for purpose in ALL}
    assert all(refusal(purpose, facts(ALL)) for purpose in ALL)


def test_with_a_guardian_all_but_the_risky_uses(young, community, aroha):
    record_guardian(person=young, community=community, guardian="Somebody’s aunt", witnessed_by=aroha, now=NOW)
    assert usable(young) == {purpose: {0 if purpose in NEVER_OF_MINORS else 4} for purpose in ALL}
    assert {purpose for purpose in ALL if refusal(purpose, facts(NEVER_OF_MINORS))} == NEVER_OF_MINORS
    assert len(NEVER_OF_MINORS) == 4


def test_the_guardian_stands_in_the_record_and_their_name_is_sealed(young, community, aroha):
    receipt = record_guardian(person=young, community=community, guardian="An aunt", witnessed_by=aroha, now=NOW)
    assert [event["entity_id"] for event in record_of(receipt)["events"]] == ["self", "guardian"]
    entry = Entry.objects.get(action="guardian.consented")
    assert entry.actor == ""
    assert "aunt" not in str(entry.details)
    assert "An aunt" in str(entry.secret.payload)


def test_a_guardian_is_witnessed_by_a_steward_who_is_somebody_else(young, community, aroha, filipa):
    say = {"person": young, "community": community, "now": NOW}
    with pytest.raises(NotAllowed):
        record_guardian(guardian="An aunt", witnessed_by=filipa, **say)
    with pytest.raises(NotAllowed):
        record_guardian(guardian="An aunt", witnessed_by=young, **say)
    with pytest.raises(Invalid):
        record_guardian(guardian=" ", witnessed_by=aroha, **say)
    with pytest.raises(Conflicting):
        record_guardian(person=filipa, community=community, guardian="An aunt", witnessed_by=aroha, now=NOW)


def test_a_guardian_agrees_for_nobody_who_is_of_age(young, community, aroha):
    say = {"person": young, "community": community, "guardian": "An aunt", "witnessed_by": aroha}
    record_guardian(now=MAJORITY - timedelta(seconds=1), **say)
    with pytest.raises(Conflicting, match="of age"):
        record_guardian(now=MAJORITY, **say)


def test_the_guardians_name_goes_with_the_minors_account(young, community, aroha):
    record_guardian(person=young, community=community, guardian="An aunt", witnessed_by=aroha, now=NOW)
    sealed = Entry.objects.get(action="guardian.consented").secret
    assert sealed.about == str(young.pk)
    assert sealed.payload["receipt"] == str(Receipt.objects.get(person=young).pk)
    erase_person(person=young, now=NOW)
    assert not Secret.objects.filter(entry__action="guardian.consented").exists()


def test_a_steward_puts_their_own_age_right_no_more_than_anybody_else(asking, aroha):
    chief = make_stewards(asking)[0]
    state(chief, asking)
    with pytest.raises(Conflicting, match="A steward can put it right"):
        state(chief, asking, band="adult", month="")
    assert state(chief, asking, band="adult", month="", by=aroha).band == "adult"


def test_no_steward_lifts_what_only_a_guardian_can(young, aroha):
    with pytest.raises(Conflicting, match="guardian"):
        lift(restriction=Restriction.objects.get(cause="minor"), lifted_by=aroha, now=NOW)


def test_who_agrees_to_another_text_needs_the_guardian_again(young, community, aroha, policy):
    record_guardian(person=young, community=community, guardian="An aunt", witnessed_by=aroha, now=NOW)
    give_consent(person=young, policy=policy, purposes=ALL, now=NOW)
    assert usable(young) == {purpose: {0} for purpose in ALL}


def test_where_it_is_asked_nobody_agrees_before_they_have_said_it(asking, goran, policy):
    with pytest.raises(Invalid, match="how old"):
        give_consent(person=goran, policy=policy, purposes=ALL, now=NOW)
    state(goran, asking, band="adult", month="")
    assert give_consent(person=goran, policy=policy, purposes=ALL, now=NOW)
    assert not Restriction.objects.exists()


def test_a_community_that_does_not_ask_is_as_before(goran, policy):
    assert give_consent(person=goran, policy=policy, purposes=ALL, now=NOW)
    assert not AgeBand.objects.exists()


def test_what_is_said_of_ones_age_must_make_sense_and_is_taken_back_by_a_steward_alone(asking, goran, aroha, dana):
    for wrong in ({"band": "old"}, {"month": ""}, {"month": "2026-13"}, {"month": "2026-02"}, {"month": "May"}):
        with pytest.raises(Invalid):
            state(goran, asking, **wrong)
    with pytest.raises(NotAllowed):
        state(dana, asking)
    state(goran, asking)
    with pytest.raises(Conflicting):
        state(goran, asking, band="adult", month="")
    state(goran, asking, band="adult", month="", by=aroha)
    assert not Restriction.objects.live().exists()
    with pytest.raises(IntegrityError, match="month_of_coming_of_age"), transaction.atomic():
        AgeBand.objects.update(of_age_in="2031-04")


@pytest.mark.parametrize("zone", ZONES)
def test_majority_comes_with_the_first_day_of_the_next_month_where_the_community_is(zone):
    begins = datetime(2026, 6, 1, tzinfo=ZoneInfo(zone))
    day = timedelta(days=1)
    assert not is_of_age("2026-05", (begins - day).astimezone(UTC), zone)
    assert not is_of_age("2026-05", (begins - timedelta(seconds=1)).astimezone(UTC), zone)
    assert is_of_age("2026-05", begins.astimezone(UTC), zone)
    assert is_of_age("2026-05", (begins + day).astimezone(UTC), zone)


@pytest.mark.parametrize("zone", ZONES)
def test_whoever_comes_of_age_is_asked_again_not_a_moment_before(zone, young, community, aroha):
    set_age_rule(community=community, years=18, time_zone=zone, set_by=aroha, now=NOW)
    begins = datetime(2026, 6, 1, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    assert keep_ages(now=begins - timedelta(days=1)) == 0
    assert keep_ages(now=begins - timedelta(seconds=1)) == 0
    assert keep_ages(now=begins) == 1
    assert keep_ages(now=begins + timedelta(days=1)) == 0
    assert is_asked_again(young, community)
    assert StewardNotice.objects.get().kind == "majority"


def test_after_ninety_days_of_silence_no_new_release_holds_the_words(young, community, aroha):
    record_guardian(person=young, community=community, guardian="An aunt", witnessed_by=aroha, now=NOW)
    keep_ages(now=MAJORITY)
    assert usable(young)["train_noncommercial"] == {4}
    keep_ages(now=MAJORITY + timedelta(days=90) - timedelta(seconds=1))
    assert usable(young)["train_noncommercial"] == {4}

    assert keep_ages(now=MAJORITY + timedelta(days=90)) == 1

    left = {purpose for purpose, numbers in usable(young).items() if numbers == {4}}
    assert left == {"display_members", "peer_review", "credit_name"}
    assert keep_ages(now=MAJORITY + timedelta(days=91)) == 0


def test_whoever_answers_after_coming_of_age_decides_alone(young, community, policy):
    keep_ages(now=MAJORITY)
    keep_ages(now=MAJORITY + timedelta(days=100))
    give_consent(person=young, policy=policy, purposes=ALL, now=MAJORITY + timedelta(days=101))
    assert usable(young) == {purpose: {4} for purpose in ALL}
    assert AgeBand.objects.get().band == "adult"
    assert not is_asked_again(young, community)
    assert keep_ages_job() == 0


def test_only_stewards_say_whether_ages_are_asked_for(community, ben, aroha):
    with pytest.raises(NotAllowed):
        set_age_rule(community=community, years=18, set_by=ben, now=NOW)
    for wrong in ({"years": 5}, {"years": 18, "time_zone": "Nowhere/Else"}):
        with pytest.raises(Invalid):
            set_age_rule(community=community, set_by=aroha, now=NOW, **wrong)
    set_age_rule(community=community, years=18, set_by=aroha, now=NOW)
    set_age_rule(community=community, years=None, set_by=aroha, now=NOW)
    assert not hasattr(type(community).objects.get(pk=community.pk), "age_rule")
