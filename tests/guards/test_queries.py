"""A page with twelve rows asks the database as often as one with three."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation.answers.models import Answer
from annotation.answers.services import submit_answer
from annotation.conflicts.services import adjudicate
from annotation.corpora.services import import_upload
from annotation.projects.models import Project
from annotation.projects.services import lease_task, open_project
from people.models import Person, Role
from people.services import grant_role
from tests.conftest import NOW, make_person
from tests.guards.addresses import addresses
from training.playground.models import Generation

pytestmark = pytest.mark.django_db

# Who reads which pages. The API's lists come from the URL conf: Ben reads his own words, Chen what all may read.
API_READERS = ("ben", "chen")
PAGES = {
    "ben": [
        "/",
        "/agreements/",
        "/c/test-otomi/",
        "/c/test-otomi/speak/",
        "/c/test-otomi/speak/words/",
        "/c/test-otomi/try/",
    ],
    "chen": ["/c/test-otomi/decide/", "/c/test-otomi/decide/settled/"],
    "esi": ["/c/test-otomi/train/", "/c/test-otomi/train/freeze/", "/c/test-otomi/train/releases/{release}/"],
    "aroha": [
        "/c/test-otomi/steward/",
        "/c/test-otomi/steward/corpus/",
        "/c/test-otomi/steward/members/",
        "/c/test-otomi/steward/checks/",
        "/c/test-otomi/steward/adapters/",
        "/c/test-otomi/steward/consent/",
        "/c/test-otomi/steward/projects/new/",
        "/c/test-otomi/steward/record/",
        "/c/test-otomi/steward/agreements/",
    ],
}


@pytest.fixture
def add_row(
    furnished: SimpleNamespace,
    aroha: Person,
    ben: Person,
    filipa: Person,
    goran: Person,
    chen: Person,
    verdict: Callable[..., Any],
) -> Callable[[int], None]:
    """add_row(number) makes one more of everything that a list shows."""
    readers = [filipa, goran, chen]

    def answer(project: Project, words: list[str]) -> Answer:
        lease = lease_task(project=project, person=ben, now=NOW)
        text = f"traducción {lease.pk}"
        made = submit_answer(assignment=lease, author=ben, client_id=uuid4(), now=NOW, text=text)
        for reader, word in zip(readers, words, strict=False):
            made.refresh_from_db()
            verdict(made, reader, word)
        made.refresh_from_db()
        return made

    def add(number: int) -> None:
        lines = "".join(f"frase {line} de {number}\n" for line in range(4))
        import_upload(
            community=furnished.community,
            imported_by=aroha,
            name="more.tsv",
            content=f"text\n{lines}".encode(),
            licence="CC0",
            title=f"Document {number}",
            language_tag="es",
            now=NOW,
        )
        project = open_project(
            community=furnished.community,
            created_by=aroha,
            sources=list(furnished.community.sources.order_by("-pk")[:1]),
            now=NOW,
            title=f"Project {number}",
            source_language_name="Spanish",
            source_language_tag="es",
        )
        answer(project, [])
        answer(project, ["approve", "approve"])
        answer(project, ["unsure"] * 3)
        decided = answer(project, ["unsure"] * 3)
        adjudicate(answer=decided, expert=chen, decision="accept", reason="fine", now=NOW)
        speaker = make_person(f"speaker-{number}")
        grant_role(person=speaker, community=furnished.community, role=Role.SPEAKER, granted_by=aroha, now=NOW)
        _train_again(furnished, ben, number)

    return add


def _train_again(rows: SimpleNamespace, person: Person, number: int) -> None:
    """One more release with a run, its adapter, and a sentence tried with it: copies under new numbers."""
    release = _copy(rows.release, number=100 + number, sha256=f"{number:064d}", folder=f"made/{number}")
    for state, offset in (("approved", 100), ("candidate", 200)):
        run = _copy(rows.run, number=offset + number, release=release)
        adapter = _copy(rows.adapter, run=run, state=state)
        Generation.objects.create(adapter=adapter, person=person, source="una", state="finished", created_at=NOW)


def _copy(row: Any, **changes: Any) -> Any:
    copied = type(row).objects.get(pk=row.pk)
    copied.pk = None
    for name, value in changes.items():
        setattr(copied, name, value)
    copied.save()
    return copied


def count_queries(people: dict[str, Person], release: int) -> dict[str, int]:
    """How often each list asks the database."""
    api = [f"/{address.path}" for address in addresses() if address.name.endswith("-list")]
    found = {}
    for username, pages in PAGES.items():
        client = Client()
        client.force_login(people[username])
        for page in [*(path.format(release=release) for path in pages), *(api if username in API_READERS else [])]:
            with CaptureQueriesContext(connection) as queries:
                response = client.get(page)
            assert response.status_code == 200, page
            found[f"{username} reads {page}"] = len(queries)
    return found


@pytest.mark.slow
def test_no_list_asks_more_often_when_it_grows(
    furnished: SimpleNamespace, add_row: Callable[[int], None], aroha: Person, ben: Person, chen: Person, esi: Person
) -> None:
    people = {"aroha": aroha, "ben": ben, "chen": chen, "esi": esi}
    for role in (Role.RESEARCHER, Role.STEWARD):
        grant_role(person=chen, community=furnished.community, role=role, granted_by=aroha, now=NOW)
    for number in range(3):
        add_row(number)
    few = count_queries(people, furnished.release.pk)

    for number in range(3, 12):
        add_row(number)
    many = count_queries(people, furnished.release.pk)

    grown = {page: f"{few[page]} queries, then {many[page]}" for page in few if few[page] != many[page]}
    assert not grown
    assert len(few) > 35
