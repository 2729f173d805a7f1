"""People compare what two models wrote: blindly, within what was consented to, and nothing of it teaches a model."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import Random, SystemRandom
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.projects.models import Project, Task
from annotation.projects.services import NothingToDo, lease_task, set_project_state
from care.models import Purpose
from care.restricting import place_hold
from people.models import Community, Person, Role
from people.refusals import Invalid, NotAllowed
from people.services import grant_role
from tests.conftest import NOW, make_person
from tests.frontend.made import make_adapter, make_release, make_run
from training.lineage.forgetting import forget_answers
from training.lineage.services import end_adapter
from training.mining import trials
from training.mining.jobs import recover_probes_job
from training.mining.models import Probe, Trial, TrialPair
from training.mining.preferred import given_votes, outcome_of, preferred_of
from training.mining.services import ask_for_probe, keep_reading
from training.mining.trials import NOTHING, open_trial
from training.releases.drafting import NothingToRelease, draft_release
from training.releases.models import Release, ReleaseItem
from training.runs.models import Adapter
from training.runs.withdrawals import withdraw_answer, withdraw_consent

pytestmark = pytest.mark.django_db
PAGE = "/c/test-otomi/train/"


@pytest.fixture
def adapter(validated_corpus: list[Answer], esi: Person) -> Adapter:
    return make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi))


def read(probe: Probe) -> Probe:
    """As a worker leaves it; the base model wrote nothing to the last one."""
    readings = list(probe.readings.order_by("pk"))
    for place, reading in enumerate(readings):
        mine = {"loss": 2.0, "entropy": 1.0, "text": f"ñä {place}"}
        theirs = {**mine, "text": f"xy {place}" if place < len(readings) - 1 else ""}
        keep_reading(probe=probe, found={"id": reading.pk, "adapter": mine, "rival": theirs, "disagreement": 0.5})
    Probe.objects.filter(pk=probe.pk).update(state="finished")
    probe.refresh_from_db()
    return probe


@pytest.fixture
def probe(adapter: Adapter, esi: Person) -> Probe:
    """The adapter and its base model on the held-out document, of which nobody but its author answered."""
    return read(ask_for_probe(adapter=adapter, of="held_out", beside_base=True, asked_by=esi, now=NOW, size=50))


@pytest.fixture
def trial(probe: Probe, esi: Person) -> Trial:
    return open_trial(probes=[probe], title="Which?", opened_by=esi, now=NOW, votes=3)


@pytest.fixture
def voters(community: Community, consenting: Callable[..., Any]) -> list[Person]:
    """Four who answered nothing."""
    made = [make_person(f"voter{number}") for number in range(4)]
    for person in made:
        grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=person, now=NOW)
        consenting(person)
    return made


@contextmanager
def for_a_while() -> Iterator[None]:
    """What is done in it is undone."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def vote(project: Project, person: Person, choice: Callable[[Task], str]) -> Answer:
    lease = lease_task(project=project, person=person, now=NOW)
    payload = {"choice": choice(lease.task)}
    return submit_answer(assignment=lease, author=person, client_id=uuid4(), now=NOW, payload=payload)


def side_of(task: Task, adapter: Adapter | None) -> str:
    pair = TrialPair.objects.get(item=task.item_id)
    return "a" if pair.first == adapter else "b"


def all_vote(trial: Trial, people: list[Person], adapter: Adapter) -> None:
    """All of them but the last prefer the adapter's text everywhere; the last the base model's, and once neither's."""
    for person in people:
        for number in range(trial.project.tasks.count()):
            loyal = person != people[-1]
            if number == 0 and not loyal:
                vote(trial.project, person, lambda task: "bad")
            else:
                vote(trial.project, person, lambda task: side_of(task, adapter if loyal else None))  # noqa: B023


def test_held_out_requests_become_pairs_on_sides_that_chance_chose(
    probe: Probe, esi: Person, adapter: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(trials._chance, SystemRandom)
    monkeypatch.setattr(trials, "_chance", Random(1))  # noqa: S311 - the same each time
    trial = open_trial(probes=[probe], title="Which?", opened_by=esi, now=NOW)
    for pair in trial.pairs.select_related("item"):
        mine, other = ("option_a", "option_b") if pair.first else ("option_b", "option_a")
        assert pair.item.extra[mine].startswith("ñä")
        assert pair.item.extra[other].startswith(("xy", NOTHING))
    assert trial.pairs.count() == probe.readings.count() == 4
    assert set(trial.pairs.values_list("first", "second")) == {(adapter.pk, None), (None, adapter.pk)}
    splits = ReleaseItem.objects.filter(answer__in=probe.readings.values("answer")).values_list("split", flat=True)
    assert set(splits) == {"test"}
    # The same text twice is counted and not asked about.
    probe.readings.filter(text__in=["ñä 0", "ñä 1"]).update(rival_text=F("text"))
    trial = open_trial(probes=[probe], title="Which?", opened_by=esi, now=NOW + timedelta(minutes=1))
    assert (trial.same, trial.pairs.count()) == (2, 2)


def test_three_models_meet_through_two_readings(probe: Probe, adapter: Adapter, esi: Person) -> None:
    rival = make_adapter(make_run(adapter.run.release, esi))
    other = ask_for_probe(adapter=rival, rival=adapter, of="held_out", asked_by=esi, now=NOW, size=50)
    read(other)
    # Its texts are the first one's: these pairs are there already, but for who wrote them.
    for reading in other.readings.all():
        other.readings.filter(pk=reading.pk).update(text=f"{reading.text} z")
    trial = open_trial(probes=[probe, other], title="Which?", opened_by=esi, now=NOW)
    met = {frozenset(pair) for pair in trial.pairs.values_list("first", "second")}
    assert met == {frozenset({adapter.pk, None}), frozenset({rival.pk, adapter.pk})}
    with pytest.raises(Invalid, match="not both"):
        ask_for_probe(adapter=adapter, rival=rival, beside_base=True, of="held_out", asked_by=esi, now=NOW)


def test_what_cannot_be_compared_is_refused_in_words(
    probe: Probe, adapter: Adapter, esi: Person, ben: Person, aroha: Person
) -> None:
    asked: dict[str, Any] = {"title": "Which?", "opened_by": esi, "now": NOW}
    with pytest.raises(NotAllowed):
        open_trial(probes=[probe], **{**asked, "opened_by": ben})
    with pytest.raises(Invalid, match="1 to 10"):
        open_trial(probes=[probe], votes=11, **asked)
    with pytest.raises(Invalid, match="finished reading"):
        open_trial(probes=[], **asked)
    unread = ask_for_probe(adapter=adapter, of="held_out", beside_base=True, asked_by=esi, now=NOW, size=50)
    with pytest.raises(Invalid, match="finished reading"):
        open_trial(probes=[probe, unread], **asked)
    hold(adapter, aroha)
    with pytest.raises(Invalid, match="may no longer be used"):
        open_trial(probes=[probe], **asked)
    Adapter.objects.update(withdrawn_since=NOW)
    probe.adapter.refresh_from_db()
    with pytest.raises(Invalid, match="withdrawn"):
        open_trial(probes=[probe], **asked)
    assert not Trial.objects.exists()


def hold(adapter: Adapter, steward: Person) -> None:
    subject = {"community": adapter.community, "kind": "adapter", "key": str(adapter.pk)}
    place_hold(**subject, placed_by=steward, note="Stop.", now=NOW)


def test_neither_the_author_nor_whoever_opened_it_is_asked(
    trial: Trial, probe: Probe, esi: Person, community: Community, consenting: Callable[..., Any]
) -> None:
    author = probe.readings.first().answer.author
    grant_role(person=esi, community=community, role=Role.SPEAKER, granted_by=esi, now=NOW)
    consenting(esi)
    for person in (author, esi):
        with pytest.raises(NothingToDo):
            lease_task(project=trial.project, person=person, now=NOW)


def test_nothing_tells_which_is_which(client: Client, trial: Trial, voters: list[Person], adapter: Adapter) -> None:
    lease_task(project=trial.project, person=voters[0], now=NOW)
    client.force_login(voters[0])
    told = [
        client.get(f"/c/test-otomi/speak/work/{trial.project_id}/", follow=True).content.decode(),
        client.get("/api/v1/assignments/").content.decode(),
        client.get("/api/v1/projects/").content.decode(),
        client.get("/api/v1/trials/").content.decode(),
        client.get(f"/api/v1/trials/{trial.pk}/").content.decode(),
        client.get("/api/v1/sources/").content.decode(),
    ]
    assert "Both are bad" in told[0]
    assert "What a machine writes may be wrong" in told[0]
    assert any("ñä" in page for page in told[:2])
    for page in told:
        assert "first_id" not in page
        assert "adapter" not in page.replace("/static/", "").lower()
        assert "run 1" not in page.lower()
    assert json.loads(told[4])["outcome"] is None


def test_votes_are_counted_once_all_are_in_and_nobody_is_named(
    client: Client, trial: Trial, voters: list[Person], adapter: Adapter, esi: Person, aroha: Person
) -> None:
    project = trial.project
    all_vote(trial, [voters[0], voters[1]], adapter)
    assert outcome_of(trial) is None
    # Two people are too few to be told of, also when nobody is asked any more.
    with for_a_while():
        set_project_state(project=project, state="closed", changed_by=aroha, now=NOW)
        closed = Trial.objects.get()
        assert closed.is_over
        assert outcome_of(closed) is None
    project.refresh_from_db()
    all_vote(trial, [voters[3]], adapter)

    found = outcome_of(trial)

    assert found is not None
    assert (found.votes, found.people, found.sentences) == (12, 3, 4)
    duel = found.duels[adapter.pk, 0]
    assert (duel.won, duel.of, found.bad, found.same) == (4, 10, 2, 0)
    assert [(one.people, one.alike) for one in preferred_of([adapter])[adapter.pk]] == [(3, 2)]
    known = [one.left_was_first for one in given_votes(trial)]
    assert None not in known
    client.force_login(esi)
    answer = client.get(f"/api/v1/trials/{trial.pk}/").json()["outcome"]
    assert {(one["adapter"], one["rival"], one["won"]) for one in answer["duels"]} == {(adapter.pk, None, 4)}
    pages = [f"{PAGE}trials/{trial.pk}/", f"{PAGE}runs/{adapter.run_id}/", "/c/test-otomi/transparency/"]
    told = [client.get(page).content.decode() for page in pages]
    client.force_login(aroha)
    told.append(client.get(f"/c/test-otomi/steward/adapters/{adapter.pk}/").content.decode())
    for page in told:
        assert "base model’s in 4 of 10 comparisons: 40 %" in page
        assert "That may be chance." in page
        assert not any(voter.username in page for voter in voters)
    assert project.tasks.filter(state="done").count() == 4


def test_machine_texts_enter_no_release_and_go_with_what_they_answer(
    trial: Trial, voters: list[Person], adapter: Adapter
) -> None:
    all_vote(trial, voters[:3], adapter)
    votes = Answer.objects.filter(task__project=trial.project, state="validated")
    assert votes.count() == 12
    assert votes.eligible_for(Purpose.TRAIN_NONCOMMERCIAL).exists()  # by consent they might
    for judgements in (False, True):
        with pytest.raises(NothingToRelease):
            draft_release(project=trial.project, purpose=Purpose.TRAIN_NONCOMMERCIAL, has_judgements=judgements)
    # And whatever the code forgets, the database refuses.
    one = votes.first()
    with pytest.raises(IntegrityError, match="texts that models wrote"), transaction.atomic():
        ReleaseItem.objects.create(
            release=Release.objects.get(), answer=one, receipt=one.receipt, split="train", row_sha256="0" * 64
        )
    of = trial.of
    assert "ñä 0" not in json.dumps(draft_release(project=of, purpose=Purpose.TRAIN_NONCOMMERCIAL).rows)
    # What is withdrawn goes from the project with its votes.
    item = trial.pairs.select_related("item").first().item
    answer = item.quotations.get().answer

    withdraw_answer(answer=answer, author=answer.author, now=NOW)

    assert Task.objects.get(item=item).state == "taken_out"
    assert {one.sentence for one in given_votes(trial)} == set(trial.pairs.values_list("item", flat=True)) - {item.pk}
    forget_answers([answer.pk], now=NOW)
    item.refresh_from_db()
    assert item.extra == {}


def test_without_the_authors_leave_nobody_is_asked(
    trial: Trial, probe: Probe, community: Community, esi: Person
) -> None:
    author = probe.readings.first().answer.author
    for purpose in (Purpose.DISPLAY_MEMBERS, Purpose.PEER_REVIEW, Purpose.EVALUATE_MODELS):
        with for_a_while():
            withdraw_consent(person=author, community=community, purposes=[purpose], now=NOW)
            assert set(trial.project.tasks.values_list("state", flat=True)) == {"taken_out"}
            Adapter.objects.update(withdrawn_since=None)
            probe.refresh_from_db()
            with pytest.raises(Invalid, match="nothing to compare"):
                open_trial(probes=[probe], title="Again?", opened_by=esi, now=NOW + timedelta(minutes=1))


def test_texts_of_an_adapter_that_is_held_or_deleted_are_shown_no_more(
    trial: Trial, adapter: Adapter, voters: list[Person], aroha: Person
) -> None:
    vote(trial.project, voters[0], lambda task: "a")
    hold(adapter, aroha)
    recover_probes_job()
    assert not trial.project.tasks.filter(state="open").exists()
    with pytest.raises(NothingToDo):
        lease_task(project=trial.project, person=voters[1], now=NOW)
    Adapter.objects.filter(pk=adapter.pk).update(withdrawn_since=NOW)
    adapter.refresh_from_db()
    end_adapter(adapter=adapter, note="", now=NOW)
    assert {str(pair.item.extra) for pair in trial.pairs.select_related("item")} == {"{}"}


def test_a_researcher_opens_it_from_the_readings_page(client: Client, probe: Probe, esi: Person) -> None:
    client.force_login(esi)
    page = client.get(f"{PAGE}hard/{probe.pk}/").content.decode()
    assert "Ask people which text is better" in page
    assert "bits a byte fewer than the base model" in page
    refused = client.post(f"{PAGE}hard/{probe.pk}/trial/", {"title": "Which?", "votes": 99})
    assert refused.status_code == 422
    opened = client.post(f"{PAGE}hard/{probe.pk}/trial/", {"title": "Which?", "votes": 2}, follow=True)
    words = opened.content.decode()
    assert "The project is open" in words
    assert "0 / 8" in words
    assert "What people prefer" in client.get(f"{PAGE}hard/").content.decode()
    asked = {"probes": [probe.pk], "title": "By the API", "votes": 1}
    made = client.post("/api/v1/trials/", json.dumps(asked), content_type="application/json")
    assert made.status_code == 201
    assert made.json()["outcome"] is None
