"""A made-up community with a lineage, for benches: answers and corrections, releases, runs, adapters, suggestions."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from django.db import connection

from annotation.answers.models import Answer, AnswerEvent, Quotation, Suggestion
from annotation.corpora.models import Import, Item, Source
from annotation.projects.models import Project, Task
from care.models import Decision, Matter, Policy, Proposal, Purpose, Receipt
from people.models import Community, Person
from training.releases.models import Release, ReleaseItem
from training.runs.models import Adapter, Run

SNAPSHOTS, RUNS, DEPTH = 50, 200, 6
TASKS, QUOTING, SPEAKERS = 500, 25, 20
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

Facts = dict[str, Any]


def make(*, size: int, seed: int, snapshots: int = SNAPSHOTS, runs: int = RUNS, tasks: int = TASKS) -> SimpleNamespace:
    """A community with `size` answers: corrections of corrections, judgements, releases, runs, adapters, suggestions.

    Rows are stored past the services, so the trigger that asks for consent is off meanwhile.
    """
    draw = random.Random(seed)  # noqa: S311 - as above
    made = ground(draw, tasks)
    _answers(made, draw, size)
    _releases(made, draw, snapshots, runs)
    _suggestions(made, draw, size // 100)
    # As the database does by itself within a minute; before it has, it plans for tables as they were.
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return made


def _decided(community: Community, steward: Person) -> Decision:
    """What stands behind the community's consent text."""
    about: Facts = {"community": community, "matter": Matter.POLICY, "subject": "policy:-"}
    proposal = Proposal.objects.create(
        **about, text="-", proposer=steward, rule={}, electors=[], state="passed", opened_at=NOW, closes_at=NOW
    )
    about |= {"proposal": proposal, "outcome": "passed", "tally": {}, "reason": [], "state": Decision.State.IN_FORCE}
    until = NOW + timedelta(days=365)
    return Decision.objects.create(**about, decided_at=NOW, effective_from=NOW, expires_at=until)


def ground(draw: random.Random, tasks: int) -> SimpleNamespace:
    """A community, its people and their receipts, and its work."""
    name = f"made-{draw.getrandbits(40):x}"
    language = {"language_name": "Made up", "language_tag": "mis", "iso_639_3": "mis", "glottocode": ""}
    community = Community.objects.create(slug=name, name=name, **language, created_at=NOW)
    people = Person.objects.bulk_create([Person(username=f"{name}-{number}") for number in range(SPEAKERS)])
    policy = Policy.objects.create(
        community=community,
        version=1,
        text="-",
        purposes=list(Purpose.values),
        text_sha256="0" * 64,
        state=Policy.State.PUBLISHED,
        decision=_decided(community, people[0]),
        created_by=people[0],
        published_at=NOW,
    )
    receipts = Receipt.objects.bulk_create(
        [
            Receipt(
                person=one,
                community=community,
                policy=policy,
                policy_sha256="0" * 64,
                given_at=NOW,
                sha256=f"{draw.getrandbits(256):064x}",
            )
            for one in people
        ]
    )
    project, items, made = _work(community, people[0], tasks)
    return SimpleNamespace(
        community=community, people=people, receipts=receipts, items=items, project=project, tasks=made
    )


def _work(community: Community, person: Person, number: int) -> tuple[Project, list[Item], list[Task]]:
    """A project with its sentences and tasks."""
    name = community.slug
    source = Source.objects.create(
        community=community, title="Made up", language_tag="mis", licence="CC0", origin=name, created_at=NOW
    )
    record = Import.objects.create(
        community=community,
        imported_by=person,
        origin=name,
        licence="CC0",
        file_sha256="",
        rows=number,
        added=number,
        imported_at=NOW,
    )
    items = Item.objects.bulk_create(
        [
            Item(source=source, imported=record, position=n, text=f"sentence {n}", text_sha256=f"{n:064x}")
            for n in range(number)
        ]
    )
    project = Project.objects.create(
        community=community,
        title=f"Made up {name}",
        kind="translate",
        created_at=NOW,
        created_by=person,
        source_language_name="-",
        source_language_tag="mis",
        target_language_name="-",
        target_language_tag="mis",
    )
    tasks = Task.objects.bulk_create([Task(project=project, item=item) for item in items])
    return project, items, tasks


def _answers(made: SimpleNamespace, draw: random.Random, size: int) -> None:
    """Answers in generations, each of which may correct one of the generation before; a few are quoted by items."""
    layers: list[list[Answer]] = []
    for depth in range(DEPTH):
        layer, tasks = [], made.tasks if depth == DEPTH - 1 else made.tasks[QUOTING:]
        for _ in range(size // DEPTH + (size % DEPTH if depth == 0 else 0)):
            who = draw.randrange(SPEAKERS)
            layer.append(
                Answer(
                    pk=UUID(int=draw.getrandbits(128)),
                    task=draw.choice(tasks),
                    author=made.people[who],
                    receipt=made.receipts[who],
                    client_id=UUID(int=draw.getrandbits(128)),
                    body_sha256="",
                    text="made up",
                    state=Answer.State.VALIDATED,
                    is_one_of_many=True,
                    created_at=NOW,
                    changed_at=NOW,
                    fixes=draw.choice(layers[-1]) if layers and draw.random() < 0.7 else None,
                )
            )
        layers.append(Answer.objects.bulk_create(layer, batch_size=2000))
    made.answers = [row for layer in layers for row in layer]
    # The first answers are quoted, by items whose tasks only the last ones answer: nothing is made of what comes later.
    Quotation.objects.bulk_create(
        [Quotation(item=item, answer=draw.choice(layers[0]), place="candidate") for item in made.items[:QUOTING]]
    )


def _releases(made: SimpleNamespace, draw: random.Random, snapshots: int, runs: int) -> None:
    """Releases with a tenth of all answers at most, runs on them, and what these made."""
    releases = Release.objects.bulk_create(
        [
            Release(
                community=made.community,
                project=made.project,
                number=n,
                purpose=Purpose.TRAIN_NONCOMMERCIAL,
                sha256=f"{n:064x}",
                folder=f"made/{n}",
                created_at=NOW,
            )
            for n in range(1, snapshots + 1)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem DISABLE TRIGGER USER")
        held = [
            ReleaseItem(release=release, answer=row, receipt_id=row.receipt_id, split="train", row_sha256="")
            for release in releases
            for row in draw.sample(made.answers, draw.randrange(1, len(made.answers) // 10))
        ]
        ReleaseItem.objects.bulk_create(held, batch_size=5000)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE releases_releaseitem ENABLE TRIGGER USER")
    made.releases = releases
    made.runs = Run.objects.bulk_create(
        [
            Run(
                community=made.community,
                release=draw.choice(releases),
                number=n,
                base_model="-",
                folder=f"made/{n}",
                state=Run.State.FINISHED,
                created_at=NOW,
            )
            for n in range(1, runs + 1)
        ]
    )
    made.adapters = Adapter.objects.bulk_create(
        [
            Adapter(
                run=run,
                community=made.community,
                sha256="",
                base_bpb=1,
                adapter_bpb=1,
                base_chrf=1,
                adapter_chrf=1,
                created_at=NOW,
            )
            for run in made.runs
        ]
    )


def _suggestions(made: SimpleNamespace, draw: random.Random, number: int) -> None:
    """Some adapters proposed answers; somebody began with each, and its answer is in no release yet."""
    tasks = draw.sample(made.tasks[QUOTING:], min(number, len(made.tasks) // 2))
    suggested = Suggestion.objects.bulk_create(
        [
            Suggestion(task=task, text="-", made_at=NOW, made_by=f"{made.project.title[:60]}, run {run.number}")
            for task in tasks
            for run in [draw.choice(made.runs)]
        ]
    )
    begun = [
        Answer(
            pk=UUID(int=draw.getrandbits(128)),
            task=row.task,
            author=made.people[0],
            receipt=made.receipts[0],
            client_id=uuid4(),
            body_sha256="",
            text="made up",
            state=Answer.State.SUBMITTED,
            suggestion=row,
            created_at=NOW,
            changed_at=NOW,
        )
        for row in suggested
    ]
    made.answers += Answer.objects.bulk_create(begun)
    AnswerEvent.objects.bulk_create([AnswerEvent(answer=row, kind="submitted", version=1, at=NOW) for row in begun])
