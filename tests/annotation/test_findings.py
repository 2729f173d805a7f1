"""What is noticed in an answer: its author looks once more, may know better, and the readers are told."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from annotation.answers.findings import Look, NeedsALook, find_hints, profiles_of, told
from annotation.answers.models import Answer
from annotation.answers.services import edit_answer, submit_answer, withdraw_answer
from annotation.projects.models import Assignment, Project
from annotation.projects.services import lease_task, open_project, set_checks
from care.models import Receipt
from ledger.models import Entry
from people.models import Person
from people.refusals import Invalid, NotAllowed
from tests.conftest import NOW
from training.playground.models import Generation

pytestmark = pytest.mark.django_db

NUMBERS = {"wanted": ["numbers"]}
MISSING, ADDED = "number_missing:1", "number_added:9"


@pytest.fixture
def _all_agreed(ben: Person, filipa: Person, goran: Person, consenting: Callable[..., Receipt]) -> None:
    for person in (ben, filipa, goran):
        consenting(person)


def ask(project: Project, **checks: Any) -> None:
    """What the project warns about from now on."""
    Project.objects.filter(pk=project.pk).update(checks=checks)
    project.refresh_from_db()


def send(lease: Assignment, text: str, *confirmed: str, **more: Any) -> Answer:
    look = Look(frozenset(confirmed), later=more.pop("later", False))
    fields = {"author": lease.person, "client_id": uuid4(), "now": NOW, **more}
    return submit_answer(assignment=lease, text=text, look=look, **fields)


def noticed(lease: Assignment, text: str, **more: Any) -> list[str]:
    """The codes that an answer is sent back with."""
    with pytest.raises(NeedsALook) as refused:
        send(lease, text, **more)
    return [finding.code for finding in refused.value.findings]


@pytest.mark.usefixtures("_all_agreed")
class TestLooking:
    """Stored once its author has looked; never lost, never held up for good."""

    @pytest.fixture(autouse=True)
    def _numbers_are_checked(self, project: Project) -> None:
        ask(project, **NUMBERS)

    @pytest.fixture
    def lease(self, project: Project, ben: Person) -> Assignment:
        """The sentence “frase 1 del texto A”."""
        return lease_task(project=project, person=ben, now=NOW)

    def test_an_answer_with_a_finding_is_not_stored_until_its_author_has_looked(self, lease: Assignment) -> None:
        assert noticed(lease, "ñä") == ["number_missing"]
        assert not Answer.objects.exists()
        lease.refresh_from_db()
        assert lease.state == Assignment.State.LEASED

    def test_a_confirmed_finding_is_stored_with_the_answer(self, lease: Assignment) -> None:
        answer = send(lease, "ñä", MISSING)

        answer.refresh_from_db()
        assert answer.warnings == [{"code": "number_missing", "parameters": {"number": "1"}, "confirmed": True}]
        assert told(answer.warnings)["confirmed"] == [
            "The source has the number 1, this text has not. Written in words it is fine."
        ]

    def test_a_new_finding_after_a_change_is_shown_again(self, lease: Assignment) -> None:
        with pytest.raises(NeedsALook) as refused:
            send(lease, "ñä 9", MISSING)

        assert [warning["key"] for warning in refused.value.warnings] == [ADDED, MISSING]

    def test_without_a_finding_nothing_is_asked_and_nothing_kept(self, lease: Assignment) -> None:
        assert send(lease, "ñä 1").warnings == []

    def test_words_that_come_later_are_stored_with_what_nobody_could_confirm(self, lease: Assignment) -> None:
        answer = send(lease, "ñä", later=True)

        assert [kept["confirmed"] for kept in answer.warnings] == [False]
        assert told(answer.warnings)["noticed"]

    def test_sending_twice_stores_once_though_the_second_confirms_nothing(self, lease: Assignment) -> None:
        client_id = uuid4()
        first = send(lease, "ñä", MISSING, client_id=client_id)

        assert send(lease, "ñä", client_id=client_id).pk == first.pk

    def test_an_edit_is_looked_at_like_an_answer(self, lease: Assignment, ben: Person) -> None:
        answer = send(lease, "ñä", MISSING)
        with pytest.raises(NeedsALook):
            edit_answer(answer=answer, author=ben, version=1, now=NOW, text="ñä 9", look=Look(frozenset([MISSING])))

        edited = edit_answer(answer=answer, author=ben, version=1, now=NOW, text="ñä 1")

        edited.refresh_from_db()
        assert (edited.text, edited.warnings) == ("ñä 1", [])

    def test_a_correction_is_looked_at_like_an_answer(
        self, lease: Assignment, filipa: Person, verdict: Callable[..., Any]
    ) -> None:
        answer = send(lease, "ñä 1")
        with pytest.raises(NeedsALook):
            verdict(answer, filipa, "fix", fixed_text="ñää")
        assert not answer.reviews.exists()

        review = verdict(answer, filipa, "fix", fixed_text="ñää", look=Look(frozenset([MISSING])))

        assert review.fix.warnings[0]["confirmed"]

    def test_answers_that_are_no_words_are_not_looked_at(self, project: Project, aroha: Person, ben: Person) -> None:
        chosen = open_project(
            community=project.community,
            created_by=aroha,
            sources=list(project.community.sources.all()),
            now=NOW,
            title="Choices",
            kind="classify",
            settings={"labels": ["one", "two"]},
            checks=NUMBERS,
            source_language_name="Spanish",
            source_language_tag="es",
        )
        lease = lease_task(project=chosen, person=ben, now=NOW)

        assert send(lease, "", payload={"labels": ["one"]}).warnings == []


@pytest.mark.usefixtures("_all_agreed")
class TestAgain:
    """The same words for another sentence: one's own of a short while ago, or accepted in the project."""

    @pytest.fixture(autouse=True)
    def _repetition_is_checked(self, project: Project) -> None:
        Item = project.tasks.model._meta.get_field("item").related_model
        # Sentences that are not like each other, so that their answers should not be either.
        sentences = ["una casa verde", "dos perros corren", "ayer llovió mucho", "quiero más pan"]
        for number, item in enumerate(Item.objects.order_by("pk")):
            item.text = f"{sentences[number % 4]} {chr(97 + number) * 9}"
            item.save(update_fields=["text"])
        ask(project, wanted=["again"])

    def lease(self, project: Project, person: Person) -> Assignment:
        return lease_task(project=project, person=person, now=NOW)

    def test_ones_own_words_of_a_short_while_ago(self, project: Project, ben: Person) -> None:
        send(self.lease(project, ben), "ma ngu ra hyadi")

        assert noticed(self.lease(project, ben), "Ma ngu, ra hyadi.") == ["same_as_before"]

    def test_almost_ones_own_words(self, project: Project, ben: Person) -> None:
        send(self.lease(project, ben), "ma ngu ra hyadi ne ra zänä bi zogi")

        assert noticed(self.lease(project, ben), "ma ngu ra hyadi ne ra zänä bi zogí") == ["near_before"]

    def test_other_words_are_fine(self, project: Project, ben: Person) -> None:
        send(self.lease(project, ben), "ma ngu ra hyadi")

        assert send(self.lease(project, ben), "bi zogi ra dehe").warnings == []

    def test_unaccepted_words_of_long_ago_or_of_others_are_no_finding(
        self, project: Project, ben: Person, filipa: Person
    ) -> None:
        send(self.lease(project, ben), "ma ngu ra hyadi")

        assert send(self.lease(project, filipa), "ma ngu ra hyadi").warnings == []
        later = NOW + timedelta(minutes=121)
        lease = lease_task(project=project, person=ben, now=later)
        assert send(lease, "ma ngu ra hyadi", now=later).warnings == []

    def test_accepted_words_of_another_sentence(
        self, project: Project, ben: Person, filipa: Person, goran: Person, verdict: Callable[..., Any]
    ) -> None:
        answer = send(self.lease(project, ben), "ma ngu ra hyadi")
        for reader in (filipa, goran):
            verdict(answer, reader)

        assert noticed(self.lease(project, filipa), "ma ngu ra hyadi") == ["same_as_stored"]

    def test_words_that_were_taken_back_are_forgotten(self, project: Project, ben: Person) -> None:
        answer = send(self.lease(project, ben), "ma ngu ra hyadi")
        withdraw_answer(answer=answer, author=ben, now=NOW)

        assert send(self.lease(project, ben), "ma ngu ra hyadi").warnings == []

    def test_sentences_that_are_alike_may_have_the_same_answer(self, project: Project, ben: Person) -> None:
        first, second = self.lease(project, ben), None
        send(first, "ma ngu ra hyadi")
        second = self.lease(project, ben)
        item = second.task.item
        item.text = f"{first.task.item.text}!"
        item.save(update_fields=["text"])

        assert send(Assignment.objects.get(pk=second.pk), "ma ngu ra hyadi").warnings == []


def test_the_language_of_the_source_is_noticed_once_both_are_known(
    project: Project, validated_corpus: list[Answer], aroha: Person, ben: Person
) -> None:
    Item = project.tasks.model._meta.get_field("item").related_model
    for number, item in enumerate(Item.objects.order_by("pk")):
        item.text = f"la casa blanca del pueblo está cerca del río y de la montaña {number} " * 5
        item.save(update_fields=["text"])
    for number, answer in enumerate(validated_corpus):
        Answer.objects.filter(pk=answer.pk).update(text=f"xki ngu txaki kuxu ñuhu zänä kikxu {number} " * 8)
    more = open_project(
        community=project.community,
        created_by=aroha,
        sources=list(project.community.sources.all()),
        now=NOW,
        title="More",
        checks={"wanted": ["language"]},
        source_language_name="Spanish",
        source_language_tag="es",
    )

    assert noticed(lease_task(project=more, person=ben, now=NOW), "la montaña del pueblo blanco") == ["other_language"]
    assert send(lease_task(project=more, person=ben, now=NOW), "txaki zänä kuxu ñuhu ngu").warnings == []


@pytest.mark.usefixtures("_all_agreed")
def test_a_language_that_is_hardly_known_yet_is_no_finding(project: Project, ben: Person) -> None:
    ask(project, wanted=["language"])

    assert profiles_of(project)[0].characters == 0
    assert send(lease_task(project=project, person=ben, now=NOW), "la casa blanca del pueblo").warnings == []


@pytest.mark.usefixtures("_all_agreed")
def test_the_words_of_a_model_are_noticed(project: Project, ben: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(project, wanted=["machine"])
    written = {"frase 1 del texto A": ["Ma ngu!"]}
    monkeypatch.setattr("training.playground.services.machine_texts", lambda project, source: written.get(source, []))
    lease = lease_task(project=project, person=ben, now=NOW)

    assert noticed(lease, "ma ngu") == ["same_as_machine"]
    assert send(lease, "ma nguu").warnings == []
    assert Generation.objects.count() == 0


@pytest.mark.usefixtures("_all_agreed")
def test_hints_hold_nothing_up(project: Project, ben: Person) -> None:
    ask(project, longest_sentence=2)
    answer = send(lease_task(project=project, person=ben, now=NOW), "ma ngu ra hyadi")

    assert answer.warnings == []
    assert [hint.code for hint in find_hints(project, answer.text)] == ["long_sentence"]


class TestSetting:
    """Stewards say what is looked for."""

    def test_they_are_kept_tidy_and_on_record(self, project: Project, aroha: Person) -> None:
        set_checks(project=project, checks={"alphabet": ["a", "a"]}, changed_by=aroha, now=NOW)

        project.refresh_from_db()
        assert project.checks == {"alphabet": ["a"]}
        assert Entry.objects.filter(action="project.checks_set").count() == 1

    def test_a_wrong_one_is_named_and_changes_nothing(self, project: Project, aroha: Person) -> None:
        with pytest.raises(Invalid, match="There is no check tone") as refused:
            set_checks(project=project, checks={"wanted": ["tone"]}, changed_by=aroha, now=NOW)

        assert refused.value.field == "wanted"
        project.refresh_from_db()
        assert project.checks == {}

    def test_nobody_else_sets_them(self, project: Project, ben: Person) -> None:
        with pytest.raises(NotAllowed):
            set_checks(project=project, checks=NUMBERS, changed_by=ben, now=NOW)

    def test_a_project_may_open_with_them_and_not_with_wrong_ones(self, project: Project, aroha: Person) -> None:
        with pytest.raises(Invalid, match="There is no setting colour"):
            open_project(
                community=project.community,
                created_by=aroha,
                sources=list(project.community.sources.all()),
                now=NOW,
                title="x",
                checks={"colour": 1},
                source_language_name="Spanish",
                source_language_tag="es",
            )
