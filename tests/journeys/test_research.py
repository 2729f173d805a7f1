"""From votes to a certificate: what the researcher's desk is for, once through, with real recipes on the tiny model."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import open_project
from care.models import Policy
from care.services import give_consent
from people.models import Community, Person, Role
from people.services import grant_role
from tests.conftest import NOW, TRAINING, make_person
from tests.recipes.conftest import place_base
from tests.stored import store_answer, store_approvals
from training.lineage.services import follow_withdrawals
from training.recipes.certify import certify
from training.recipes.grouping import shard_of
from training.releases.models import Release
from training.releases.pseudonyms import pseudonym
from training.releases.services import folder_of as release_folder
from training.releases.services import freeze_release
from training.runs import supervisor
from training.runs.artefacts import folder_of
from training.runs.gate import Bounds, GateClosed
from training.runs.models import Adapter
from training.runs.promotion import gate_of, in_service, recommend_adapter, set_bounds
from training.runs.services import decide_adapter, queue_run
from training.runs.withdrawals import withdraw_answer

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

DOCUMENTS, SENTENCES = "ABCDEFG", 4
# The tiny model knows nothing to forget, and four sentences of each speaker say little of scores.
ASKED = Bounds(least_sentences=4, least_gain=30, most_score_loss=10_000, most_forgetting=10_000, most_memorised=3200)
RECIPE = {"rank": 4, "alpha": 8, "learning_rate": 0.01, "epochs": 4, "threads": 1}
EVALUATION = {"max_items": 8, "generate_items": 1, "max_new_tokens": 4, "samples": 1}


@pytest.fixture
def project(community: Community, aroha: Person) -> Project:
    """A project over seven documents."""
    lines = [f"frase {number} del texto {name}\t{name}\n" for name in DOCUMENTS for number in range(SENTENCES)]
    content = ("text\tdocument\n" + "".join(lines)).encode()
    about = {"name": "test.tsv", "licence": "CC0", "title": "Test", "language_tag": "es"}
    import_upload(community=community, imported_by=aroha, content=content, now=NOW, **about)
    return open_project(
        community=community,
        created_by=aroha,
        sources=list(community.sources.order_by("pk")),
        now=NOW,
        title="Test project",
        source_language_name="Spanish",
        source_language_tag="es",
    )


@pytest.fixture
def speakers(community: Community, policy: Policy, aroha: Person) -> list[Person]:
    """Seven, each of whom translates one document."""
    people = [make_person(f"speaker-{number}") for number in range(len(DOCUMENTS))]
    for person in people:
        grant_role(person=person, community=community, role=Role.SPEAKER, granted_by=aroha, now=NOW)
        give_consent(person=person, policy=policy, purposes=TRAINING, now=NOW)
    return people


@pytest.fixture
def frozen(project: Project, esi: Person, now: datetime) -> Callable[..., Release]:
    """frozen(...) freezes what is there."""

    def freeze(**more: Any) -> Release:
        release, _ = freeze_release(project=project, purpose="train_noncommercial", created_by=esi, now=now, **more)
        return release

    return freeze


@pytest.fixture
def trained(esi: Person, now: datetime) -> Callable[..., Adapter]:
    """trained(release, method=...) starts a run and does the worker's part."""

    def train(release: Release, **recipe: Any) -> Adapter:
        given = {"recipe": {**RECIPE, **recipe}, "evaluation": EVALUATION}
        run = queue_run(release=release, started_by=esi, now=now, given=given)
        assert supervisor.execute(run.pk) == "finished"
        adapter: Adapter = Adapter.objects.select_related("run__release__project", "community").get(run=run)
        recommend_adapter(adapter=adapter, recommended_by=esi, now=now)
        return adapter

    return train


def write(project: Project, document: int, author: Person, peers: list[Person]) -> None:
    """One document is translated and accepted."""
    source = project.community.sources.order_by("pk")[document]
    tasks = project.tasks.filter(item__source=source).order_by("item__position")
    made = [store_answer(task, author, text=f"traducción {task.pk} ñäʼ", now=NOW) for task in tasks]
    store_approvals(made, [author, *peers], now=NOW)


def vote(project: Project, people: list[Person], verdict: Callable[..., Any]) -> None:
    """Each translates one document, which the others accept, and says one sentence worse, which they turn down."""
    for number, author in enumerate(people):
        peers = [one for one in people if one != author]
        write(project, number, author, peers)
        source = project.community.sources.order_by("pk")[number]
        wrong = store_answer(project.tasks.filter(item__source=source)[0], author, text="mala ñäʼ", now=NOW)
        for peer in peers:
            verdict(wrong, peer, "reject", reason="spelling")


def test_from_votes_to_a_certificate(
    client: Client,
    community: Community,
    project: Project,
    speakers: list[Person],
    frozen: Callable[..., Release],
    trained: Callable[..., Adapter],
    verdict: Callable[..., Any],
    aroha: Person,
    now: datetime,
    settings: Any,
) -> None:
    base = place_base(Path(settings.MODELS_DIR))
    set_bounds(community=community, bounds=ASKED, set_by=aroha, now=NOW)
    vote(project, speakers[:3], verdict)

    from_votes = trained(frozen(has_judgements=True), method="kto", epochs=1)

    assert from_votes.report["votes"]["bad"] >= 1
    with pytest.raises(GateClosed) as refused:
        decide_adapter(adapter=from_votes, approve=True, decided_by=aroha, note="", now=now)
    closed = {check.name: check.told for check in gate_of(from_votes, steward=aroha) if not check.has_passed}
    assert "Bits saved against the base model" in closed
    assert all(any(letter.isdigit() for letter in told) for told in closed.values()), "it says by how much"
    assert str(refused.value) in closed.values()
    assert in_service(project) is None

    for number in range(3, len(DOCUMENTS)):
        write(project, number, speakers[number], speakers[:2])
    more = frozen()
    learnt_from = [row.answer.author for row in more.items.filter(split="train").select_related("answer__author")]
    people = list(dict.fromkeys(learnt_from))

    def group(person: Person, seed: int) -> int:
        return shard_of([pseudonym(person.pk, community)], shards=2, seed=seed)

    seed = next(n for n in range(99) if len({group(one, n) for one in people}) == 2)
    in_groups = trained(more, method="lora", shards=2, seed=seed)
    decide_adapter(adapter=in_groups, approve=True, decided_by=aroha, note="Better.", now=now)
    assert in_service(project) == in_groups

    author = people[0]
    gone = more.items.filter(split="train", answer__author=author).first().answer
    withdraw_answer(answer=gone, author=author, now=now)
    on = in_service(project)
    assert on.goes_on_for == in_groups
    assert [one["shard"] for one in on.report["shards"]["groups"]] == [3 - group(author, seed)]

    follow_withdrawals(now=now)
    after = trained(frozen(), method="lora", shards=2, seed=seed)
    assert after.certificate["withdrawn"] == 1
    assert after.certificate["trained_share"] < 1
    there = release_folder(after.run.release), folder_of(after.run)
    found = certify(*there, base=base, without=[str(gone.pk)], retrain=True)
    assert found.certified, found.failures
    client.force_login(author)
    words = client.get("/me/data/").content.decode()
    assert "The model in service went on without these words at once" in words
    assert f"Trained again, without the words that were taken back: the adapter of run {after.run.number}." in words
