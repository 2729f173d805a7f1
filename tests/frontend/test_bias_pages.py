"""Pairs of sentences on the speakers' pages, and what was found of an adapter on everybody's."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from annotation.answers.models import Answer
from care.harm import report_harm
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from tests.kinds.opening import answer_of, open_kind
from tests.runs.pairs import write_pairs
from training.evaluation.bias import PairRead, compare_groups
from training.runs import jobs
from training.runs.bias import pairs_for, sha256_of_pairs
from training.runs.models import Adapter, AdapterReading

pytestmark = pytest.mark.django_db
HOME = "/c/test-otomi"


def words_of(response: Any, status: int = 200) -> str:
    """The page's words, blanks as one."""
    assert response.status_code == status
    return " ".join(re.sub(r"<[^>]+>", " ", response.content.decode()).split())


def test_a_pair_is_written_refused_with_what_was_typed_and_stored(
    client: Client, community: Community, aroha: Person, ben: Person, consenting: Any
) -> None:
    consenting(ben)
    project = open_kind(community, aroha, "contrast", settings={"groups": ["ones", "others", "third ones"]})
    client.force_login(ben)
    address = f"{HOME}/speak/work/{project.pk}/"
    page = client.get(address).content.decode()
    assert page.count('name="about:') == 3
    assert "Write two sentences, each about another group." in page
    lease = re.search(r'name="assignment" value="(\d+)"', page)[1]
    sent = {"assignment": lease, "client_id": str(uuid4()), "about:ones": "ñä uno", "about:third ones": "ñä uno"}

    refused = client.post(address, sent)
    assert refused.status_code == 422
    assert "The two sentences are the same." in refused.content.decode()
    assert refused.content.decode().count("ñä uno</textarea>") == 2

    assert client.post(address, {**sent, "about:third ones": "ñä dos"}).status_code == 302
    answer = Answer.objects.get()
    assert answer.payload == {"about": {"ones": "ñä uno", "third ones": "ñä dos"}}
    edited = client.get(f"{HOME}/speak/words/{answer.pk}/").content.decode()
    assert edited.count("</textarea>") == 3
    assert "ñä dos</textarea>" in edited


def test_peers_check_a_pair_and_correct_it(
    client: Client, community: Community, aroha: Person, ben: Person, filipa: Person, consenting: Any
) -> None:
    for person in (ben, filipa):
        consenting(person)
    project = open_kind(community, aroha, "contrast")
    answer = answer_of(project, ben, payload={"about": {"ones": "ñä uno", "others": "ñä dos"}})
    client.force_login(filipa)
    address = f"{HOME}/speak/review/{project.pk}/"
    page = client.get(address).content.decode()
    assert "Somebody wrote this pair of sentences:" in page
    assert page.index("ones</span>") < page.index("ñä uno")
    sent = {"answer": str(answer.pk), "version": 1, "client_id": str(uuid4()), "verdict": "fix"}
    assert client.post(address, {**sent, "about:ones": "ñä uno", "about:others": "ñä tos"}).status_code == 302
    assert Answer.objects.get(fixes=answer).payload["about"]["others"] == "ñä tos"
    client.force_login(ben)
    assert "ñä uno" in words_of(client.get(f"{HOME}/speak/words/{answer.pk}/withdraw/"))


@pytest.fixture
def adapter(validated_corpus: list[Answer], esi: Person, aroha: Person) -> Adapter:
    """In use."""
    return make_adapter(make_run(make_release(validated_corpus[0].task.project, esi), esi), approved_by=aroha)


@pytest.fixture
def pages(adapter: Adapter) -> dict[str, str]:
    """Where its findings are, by who reads them."""
    return {
        "aroha": f"{HOME}/steward/adapters/{adapter.pk}/",
        "esi": f"{HOME}/train/runs/{adapter.run_id}/",
        "ben": f"{HOME}/try/",
        "filipa": f"{HOME}/transparency/",
    }


def read_as(client: Client, pages: dict[str, str]) -> dict[str, str]:
    """Each page's words."""
    found = {}
    for name, address in pages.items():
        client.force_login(Person.objects.get(username=name))
        found[name] = words_of(client.get(address))
    return found


def test_without_pairs_or_reports_each_page_says_so(client: Client, adapter: Adapter, pages: dict[str, str]) -> None:
    for words in read_as(client, pages).values():
        assert "The community has written no pairs of sentences yet." in words
        assert "Nobody has reported it, or what it wrote." in words
        assert "Measure bias" not in words


@pytest.fixture
def rung(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The readings that a worker would be rung for."""
    found: list[int] = []
    monkeypatch.setattr(jobs.read_adapter_job, "delay_on_commit", lambda *, reading_id: found.append(reading_id))
    return found


def test_researchers_and_stewards_have_it_measured_and_all_members_read_what_was_found(
    client: Client,
    adapter: Adapter,
    pages: dict[str, str],
    rung: list[int],
    community: Community,
    aroha: Person,
    ben: Person,
    filipa: Person,
    goran: Person,
) -> None:
    write_pairs(community, aroha, [ben, filipa, goran], number=3)
    before = read_as(client, pages)
    assert all("Not measured yet." in words for words in before.values())
    assert [name for name, words in before.items() if "Measure bias" in words] == ["aroha", "esi"]
    for name in ("aroha", "esi"):
        client.force_login(Person.objects.get(username=name))
        told = client.post(f"{pages[name]}bias/", follow=True)
        assert "A worker reads the pairs now." in words_of(told)
        assert "waiting for the training worker" in words_of(told)
    assert rung == [AdapterReading.objects.get().pk] * 2

    read = [PairRead(("ones", "others"), (20, 20), (30.0, 30.0), (20.0, 22.0 + n / 10)) for n in range(12)]
    report_harm(community=community, kind="adapter", key=str(adapter.pk), category="offensive", words="",
                reporter=None, now=NOW)  # fmt: skip
    AdapterReading.objects.update(
        found=compare_groups(read), pairs_sha256=sha256_of_pairs(pairs_for(adapter)), measured_at=NOW, state="finished"
    )
    for words in read_as(client, pages).values():
        assert "It leans further to sentences about “ones” than the base model." in words
        assert "12 pairs of sentences that the community wrote" in words
        assert "50 % 50 … 50" in words
        assert "100 % 100 … 100" in words
        assert "0.128 (" in words
        assert "1 received" in words or "received 1" in words
        assert "Pairs were added or taken back since then." not in words
    Community.objects.update(is_open=True)
    client.logout()
    assert "It leans further to sentences about “ones” than the base model." in words_of(client.get(pages["filipa"]))
    AdapterReading.objects.update(pairs_sha256="0" * 64)
    assert all("Pairs were added or taken back since then." in words for words in read_as(client, pages).values())


def test_members_cannot_ask_for_it(client: Client, adapter: Adapter, pages: dict[str, str], ben: Person) -> None:
    client.force_login(ben)
    for name in ("aroha", "esi"):
        assert client.post(f"{pages[name]}bias/").status_code == 404
    assert not AdapterReading.objects.exists()


def test_a_refusal_stands_on_the_page(client: Client, adapter: Adapter, pages: dict[str, str]) -> None:
    for name in ("aroha", "esi"):
        client.force_login(Person.objects.get(username=name))
        told = client.post(f"{pages[name]}bias/")
        assert "no pairs of sentences yet" in words_of(told, 422)
