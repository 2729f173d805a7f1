"""How conflicts reach experts, what a decision does, and how it is undone."""

from __future__ import annotations

from datetime import timedelta

import pytest

from annotation.answers.gold import use_as_gold
from annotation.answers.models import Answer, Gold, Review
from annotation.answers.services import appeal, edit_answer, withdraw_answer
from annotation.conflicts.models import Adjudication, Remark
from annotation.conflicts.queue import chosen_from, conflicts_among
from annotation.conflicts.reasons import Why
from annotation.conflicts.services import (
    NotDisputed,
    OpenedAlready,
    SentBackEnough,
    adjudicate,
    ask_expert,
    discuss,
    reopen,
)
from annotation.projects.models import Task
from people.models import Role
from people.refusals import Conflicting, Invalid, NotAllowed
from people.services import grant_role
from tests.annotation.conflicting import MARKS, THREE, contest, mark, spans
from tests.conftest import NOW, make_person
from tests.kinds.opening import open_kind

LATER = NOW + timedelta(hours=1)


@pytest.fixture
def speakers(ben, filipa, goran, consenting):
    for person in (ben, filipa, goran):
        consenting(person)
    return [ben, filipa, goran]


@pytest.fixture
def labels(community, aroha, speakers):
    return open_kind(community, aroha, "label", rule=THREE)


@pytest.fixture
def contested(labels, speakers):
    return contest(labels, speakers)


@pytest.fixture
def hana(community, consenting):
    person = make_person("hana")
    grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=person, now=NOW)
    consenting(person)
    return person


@pytest.fixture
def disputed(answered, ben, filipa, goran, hana, speakers, verdict):
    """Ben's translation, on which three peers gave three verdicts."""
    row = answered(ben, "ar nthandi ñäʼ")
    for person, word in ((filipa, "approve"), (goran, "unsure"), (hana, "reject")):
        verdict(row, person, word, **({"reason": "spelling"} if word == "reject" else {}))
    row.refresh_from_db()
    return row


def decide(answer, expert, decision="accept", **more):
    return adjudicate(answer=answer, expert=expert, decision=decision, **{"reason": "It is.", "now": NOW, **more})


def states(*rows):
    return [Answer.objects.get(pk=row.pk).state for row in rows]


def queue(expert):
    return conflicts_among(Answer.objects.adjudicable_by(expert))


def whys(expert):
    return [set(one.whys) for one in queue(expert)]


class TestComingToAnExpert:
    def test_labels_without_a_majority_come_together(self, contested, chen):
        assert states(*contested) == ["disputed"] * 3
        [one] = queue(chen)
        assert (set(one.answers), one.whys) == (set(contested), {Why.CONTESTED})
        assert one.labels == {"LOC", "PER"}

    def test_labels_with_a_majority_stay_with_peers(self, labels, speakers):
        rows = [mark(labels, person, marks) for person, marks in zip(speakers, (MARKS[0], MARKS[1]), strict=False)]
        rows.append(mark(labels, speakers[2], MARKS[0]))
        assert states(*rows) == ["submitted"] * 3

    def test_as_many_for_as_against_is_a_tie(self, disputed, chen):
        assert whys(chen) == [{Why.TIE}]

    def test_three_who_are_unsure_do_not_agree(self, answered, speakers, hana, verdict, chen):
        row = answered(speakers[0])
        for person in (*speakers[1:], hana):
            verdict(row, person, "unsure")
        assert whys(chen) == [{Why.NO_AGREEMENT}]

    @pytest.mark.parametrize("reason", ["offensive", "personal_data"])
    def test_peers_alone_never_accept_what_one_of_them_calls_harmful(
        self, answered, speakers, hana, verdict, chen, reason
    ):
        row = answered(speakers[0])
        verdict(row, speakers[1], "reject", reason=reason)
        verdict(row, speakers[2], "approve")
        verdict(row, hana, "approve")
        assert states(row) == ["disputed"]
        assert whys(chen) == [{Why.HARM}]

    def test_two_who_call_it_harmful_turn_it_down_themselves(self, answered, speakers, verdict):
        row = answered(speakers[0])
        for person in speakers[1:]:
            verdict(row, person, "reject", reason="offensive")
        assert states(row) == ["rejected"]

    def test_an_author_may_ask(self, answered, speakers, verdict, chen):
        row = answered(speakers[0])
        for person in speakers[1:]:
            verdict(row, person, "reject", reason="spelling")
        appeal(answer=row, author=speakers[0], note="Look again.", now=NOW)
        assert whys(chen) == [{Why.APPEAL}]

    def test_a_steward_may_ask_about_what_is_settled_and_its_gold_is_in_doubt(self, validated_corpus, aroha, chen):
        row = validated_corpus[0]
        use_as_gold(answer=row, expert=chen, verdict="approve", now=NOW)
        ask_expert(answer=row, steward=aroha, note="Is it of the north?", now=NOW)
        assert whys(chen) == [{Why.REQUEST}]
        assert not Gold.objects.exists()
        assert Task.objects.get(pk=row.task_id).state == Task.State.DISPUTED
        with pytest.raises(Conflicting):
            ask_expert(answer=row, steward=aroha, note="Again.", now=NOW)

    def test_only_stewards_ask_and_say_what(self, validated_corpus, aroha, chen):
        with pytest.raises(NotAllowed):
            ask_expert(answer=validated_corpus[0], steward=chen, note="Hm.", now=NOW)
        with pytest.raises(Invalid) as caught:
            ask_expert(answer=validated_corpus[0], steward=aroha, note=" ", now=NOW)
        assert caught.value.field == "note"


class TestTheOrder:
    def test_a_pattern_that_occurs_twice_comes_first(self, labels, speakers, chen):
        for marks in ((0, 5, "LOC"), (6, 7, "LOC"), (0, 5, "LOC")):
            for person, label in zip(speakers, ("LOC", "PER", None), strict=True):
                mark(labels, person, *([(*marks[:2], label)] if label else []))
        found = queue(chen)
        assert [one.alike for one in found] == [2, 2, 1]
        assert [one.worth for one in found] == sorted((one.worth for one in found), reverse=True)

    def test_filters_choose_by_each_of_their_words(self, contested, disputed, chen, community):
        both = queue(chen)
        assert len(both) == 2
        [spans_of_three] = chosen_from(both, {"kind": "label"})
        assert chosen_from(both, {"label": "PER"}) == chosen_from(both, {"why": "contested"}) == [spans_of_three]
        assert chosen_from(both, {"project": str(contested[0].task.project_id)}) == [spans_of_three]
        [of_ben] = chosen_from(both, {"why": "spelling"})
        code = next(code for code, name in of_ben.people.items() if name == "ben")
        assert len(chosen_from(both, {"person": code})) == 2
        assert chosen_from(both, {"variety": "none of these"}) == chosen_from(both, {"discussed": "1"}) == []
        assert chosen_from(both, {"kind": "", "unknown": "x"}) == both

    def test_nobody_is_shown_a_conflict_of_their_own(self, contested, speakers, community):
        grant_role(person=speakers[0], community=community, role=Role.EXPERT, granted_by=speakers[0], now=NOW)
        assert queue(speakers[0]) == []
        with pytest.raises(NotAllowed, match="their own words"):
            decide(contested[1], speakers[0])


class TestDeciding:
    def test_taking_one_overrules_the_others_and_says_so(self, contested, chen):
        made = decide(contested[1], chen)
        assert states(*contested) == ["rejected", "validated", "rejected"]
        told = {ruling.answer_id: (ruling.before, ruling.after) for ruling in made.rulings.all()}
        assert told == {
            contested[0].pk: ("disputed", "rejected"),
            contested[1].pk: ("disputed", "validated"),
            contested[2].pk: ("disputed", "rejected"),
        }
        assert Task.objects.get(pk=contested[0].task_id).state == Task.State.DONE

    def test_several_are_right_even_where_one_is_wanted(self, disputed, hana, answered, chen, verdict, speakers):
        rival = Answer.objects.create(
            task=disputed.task,
            author=hana,
            receipt=hana.receipts.get(),
            client_id=disputed.pk,
            text="ar nthändi",
            created_at=NOW,
            changed_at=NOW,
        )
        decide(disputed, chen, "both", also=[rival])
        assert states(disputed, rival) == ["validated", "validated"]
        reopen(adjudication=Adjudication.objects.get(), expert=chen, reason="Too fast.", now=LATER)
        assert states(disputed, rival) == ["disputed", "submitted"]
        assert not Answer.objects.filter(is_one_of_many=True).exists()

    def test_what_is_put_together_is_built_on_all_and_goes_with_any_of_them(self, contested, chen, consenting):
        consenting(chen)
        made = decide(
            contested[0], chen, "correct", also=[contested[2]], corrected_payload=spans((0, 7, "PER"), (0, 5, "LOC"))
        )
        assert states(*contested, made.correction) == ["rejected", "rejected", "rejected", "validated"]
        assert set(made.correction.built_on.all()) == {contested[0].receipt, contested[2].receipt}
        withdraw_answer(answer=contested[2], author=contested[2].author, now=NOW)
        assert states(made.correction, contested[0]) == ["withdrawn", "rejected"]

    def test_who_was_only_overruled_takes_nothing_else_along(self, contested, chen, consenting):
        consenting(chen)
        made = decide(contested[0], chen, "correct", corrected_payload=spans((0, 7, "PER")))
        withdraw_answer(answer=contested[2], author=contested[2].author, now=NOW)
        assert states(made.correction) == ["validated"]

    def test_turning_all_down_asks_for_others(self, contested, chen):
        decide(contested[0], chen, "reject", also=contested[1:])
        assert states(*contested) == ["rejected"] * 3
        assert Task.objects.get(pk=contested[0].task_id).state == Task.State.OPEN

    @pytest.mark.parametrize(
        ("decision", "number"), [("accept", 2), ("send_back", 2), ("both", 1)], ids=["take", "send back", "several"]
    )
    def test_a_wrong_number_of_answers_is_refused(self, contested, chen, decision, number):
        with pytest.raises(Invalid) as caught:
            decide(contested[0], chen, decision, also=contested[1:number])
        assert caught.value.field == "answers"

    def test_an_accepted_answer_makes_room_for_the_one_that_was_appealed_for(self, answered, speakers, verdict, chen):
        ben, filipa, goran = speakers
        row = answered(ben, "ñu ä")
        for person in (filipa, goran):
            verdict(row, person, "fix", fixed_text=f"ñu ä {person.username}")
        fix = Answer.objects.get(author=filipa)
        Answer.objects.filter(pk=fix.pk).update(state="validated")
        appeal(answer=row, author=ben, note="", now=NOW)
        decide(row, chen)
        assert states(row, fix) == ["validated", "rejected"]


class TestSendingBack:
    def test_the_author_edits_and_it_is_checked_anew(self, disputed, chen):
        decide(disputed, chen, "send_back", reason="Which place is meant?")
        assert states(disputed) == ["returned"]
        assert queue(chen) == []
        assert Task.objects.get(pk=disputed.task_id).state == Task.State.ANSWERED
        edit_answer(answer=disputed, author=disputed.author, version=1, text="ar nthändi", now=LATER)
        disputed.refresh_from_db()
        assert (disputed.state, disputed.version) == ("submitted", 2)
        assert disputed not in Answer.objects.gold()

    def test_the_author_may_leave_it_as_it_is_and_an_expert_decides_at_last(self, disputed, chen):
        for _ in range(3):
            decide(disputed, chen, "send_back")
            edit_answer(answer=disputed, author=disputed.author, version=1, text=disputed.text, now=LATER)
        assert whys(chen) == [{Why.APPEAL}]
        with pytest.raises(SentBackEnough, match="3 times"):
            decide(disputed, chen, "send_back")
        decide(disputed, chen)
        assert states(disputed) == ["validated"]

    def test_it_can_be_decided_while_it_is_away(self, disputed, chen):
        decide(disputed, chen, "send_back")
        with pytest.raises(Conflicting):
            decide(disputed, chen, "send_back")
        decide(disputed, chen, "reject")
        assert states(disputed) == ["rejected"]


class TestOpeningAgain:
    def test_everything_goes_back_and_the_reasons_stay(self, contested, chen):
        made = decide(contested[1], chen)
        reopen(adjudication=made, expert=chen, reason="The guidelines changed.", now=LATER)
        assert states(*contested) == ["disputed"] * 3
        made.refresh_from_db()
        assert (made.reason, made.reopen_reason, made.reopened_by) == ("It is.", "The guidelines changed.", chen)
        assert Why.REOPENED in queue(chen)[0].whys
        again = decide(contested[0], chen, now=LATER)
        assert states(*contested) == ["validated", "rejected", "rejected"]
        assert again.pk != made.pk

    def test_gold_is_taken_back_with_what_it_said_of_others(self, disputed, chen, hana, community):
        made = decide(disputed, chen)
        assert disputed in Answer.objects.gold()
        seen = Review.objects.create(
            answer=disputed,
            author_id_of_answer=disputed.author_id,
            reviewer=make_person("ines"),
            version=1,
            verdict="reject",
            reason="other",
            is_gold=True,
            gold_is_right=True,
            client_id=disputed.pk,
            created_at=NOW,
        )
        reopen(adjudication=made, expert=chen, reason="Too fast.", now=LATER)
        seen.refresh_from_db()
        assert seen.gold_is_right is None
        assert disputed not in Answer.objects.gold()
        decide(disputed, chen, "reject", now=LATER)
        assert disputed in Answer.objects.gold()

    def test_a_correction_stands_no_more(self, disputed, chen, consenting):
        consenting(chen)
        made = decide(disputed, chen, "correct", corrected_text="ar nthändi")
        reopen(adjudication=made, expert=chen, reason="Too fast.", now=LATER)
        assert states(disputed, made.correction) == ["disputed", "rejected"]
        decide(disputed, chen, now=LATER)
        assert states(disputed, made.correction) == ["validated", "rejected"]

    def test_words_that_were_taken_back_stay_away(self, contested, chen):
        made = decide(contested[1], chen)
        withdraw_answer(answer=contested[2], author=contested[2].author, now=NOW)
        reopen(adjudication=made, expert=chen, reason="Too fast.", now=LATER)
        assert states(*contested) == ["disputed", "disputed", "withdrawn"]

    def test_it_is_done_once_with_a_reason_and_latest_first(self, disputed, chen):
        sent = decide(disputed, chen, "send_back")
        made = decide(disputed, chen, now=LATER)
        with pytest.raises(Conflicting, match="later decision"):
            reopen(adjudication=sent, expert=chen, reason="x", now=LATER)
        with pytest.raises(Invalid):
            reopen(adjudication=made, expert=chen, reason=" ", now=LATER)
        reopen(adjudication=made, expert=chen, reason="x", now=LATER)
        with pytest.raises(OpenedAlready):
            reopen(adjudication=made, expert=chen, reason="x", now=LATER)

    def test_only_experts_do_it(self, disputed, chen, aroha):
        made = decide(disputed, chen)
        with pytest.raises(NotAllowed):
            reopen(adjudication=made, expert=aroha, reason="x", now=LATER)


def test_experts_and_stewards_discuss_and_nobody_else_reads_it(disputed, chen, aroha, ben):
    discuss(task=disputed.task, person=chen, text="Is it of the north?", now=NOW)
    discuss(task=disputed.task, person=aroha, text="Ask in the village.", now=LATER)
    with pytest.raises(NotAllowed):
        discuss(task=disputed.task, person=ben, text="Mine!", now=LATER)
    with pytest.raises(Invalid):
        discuss(task=disputed.task, person=chen, text="", now=LATER)
    assert [one.remarks for one in chosen_from(queue(chen), {"discussed": "1"})] == [2]
    assert Remark.objects.visible_to(aroha).count() == 2
    assert not Remark.objects.visible_to(ben).exists()


def test_a_submitted_answer_without_a_dispute_is_nobodys_to_decide(answered, speakers, chen):
    with pytest.raises(NotDisputed):
        decide(answered(speakers[0]), chen)
