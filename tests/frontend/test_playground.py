"""The playground: asking both models, and the words on their way to the page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.restricting import put_label
from frontend.public import playground
from people.models import Community, Person
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.lineage.services import end_adapter
from training.playground import jobs
from training.playground.models import Generation
from training.playground.services import Side, end_generation, may_answer, request_generation
from training.runs.artefacts import adapter_folder
from training.runs.models import Adapter, Run
from training.runs.services import decide_adapter
from training.runs.withdrawals import withdraw_answer


@pytest.fixture
def run(validated_corpus: list[Answer], project: Project, esi: Person) -> Run:
    return make_run(make_release(project, esi), esi)


@pytest.fixture
def adapter(run: Run, aroha: Person) -> Adapter:
    """An approved adapter."""
    return make_adapter(run, approved_by=aroha)


@pytest.fixture
def generation(adapter: Adapter, ben: Person) -> Generation:
    """A sentence that Ben has asked for."""
    return request_generation(adapter=adapter, person=ben, source="una frase mía", now=NOW)


@pytest.fixture
def member(client: Client, ben: Person) -> Client:
    client.force_login(ben)
    return client


def url(name: str, community: Community, generation: Generation | None = None) -> str:
    more = {"pk": generation.pk} if generation else {}
    return reverse(f"public:{name}", kwargs={"slug": community.slug, **more})


def following(monkeypatch: pytest.MonkeyPatch, *events: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Put a Redis stream of these events in place; returns how it was asked."""
    asked: list[dict[str, Any]] = []

    def follow(generation_id: str, **how: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        asked.append({"id": generation_id, **how})
        yield from events

    monkeypatch.setattr(playground, "follow", follow)
    return asked


def body(response: Any) -> str:
    return b"".join(response.streaming_content).decode()


def data(text: str) -> list[dict[str, Any]]:
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: ")]


def test_without_an_adapter_the_page_says_what_must_happen(member: Client, community: Community) -> None:
    response = member.get(url("playground", community))

    assert response.status_code == 200
    assert "a steward must approve it" in response.text
    assert "<textarea" not in response.text


def test_a_candidate_is_listed_with_the_reason_but_not_offered(member: Client, community: Community, run: Run) -> None:
    make_adapter(run)

    text = member.get(url("playground", community)).text

    assert "A steward has not decided on it yet." in text
    assert "<textarea" not in text


def test_an_adapter_with_withdrawn_words_says_so(member: Client, community: Community, adapter: Adapter) -> None:
    item = adapter.run.release.items.select_related("answer__author").first()
    assert item is not None
    withdraw_answer(answer=item.answer, author=item.answer.author, now=NOW)

    text = member.get(url("playground", community)).text

    assert "Words it learnt from were withdrawn" in text
    assert "<textarea" not in text


def test_members_read_why_an_adapter_is_in_use_and_why_not_any_more(
    member: Client, community: Community, adapter: Adapter, aroha: Person
) -> None:
    address = reverse("public:community", kwargs={"slug": community.slug})
    assert "<q>Good.</q>" in member.get(address).text

    decide_adapter(adapter=adapter, approve=False, decided_by=aroha, note="Too hasty.", now=NOW)

    assert "<q>" not in member.get(address).text
    assert "<q>Too hasty.</q>" in member.get(url("playground", community)).text


def test_a_sentence_is_queued_and_the_bell_is_rung(
    member: Client, community: Community, adapter: Adapter, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    with django_capture_on_commit_callbacks() as bells:
        response = member.post(url("playground", community), {"adapter": adapter.pk, "source": "Buenos días"})

    generation = Generation.objects.get()
    assert response["Location"] == url("generation", community, generation)
    assert len(bells) == 1


def test_a_candidate_asked_for_by_hand_is_refused_with_its_reason(
    member: Client, community: Community, run: Run
) -> None:
    adapter = make_adapter(run)

    response = member.post(url("playground", community), {"adapter": adapter.pk, "source": "Buenos días"})

    assert response.status_code == 409
    assert "A steward has not approved this adapter" in response.text
    assert not Generation.objects.exists()


def test_a_second_sentence_waits_for_the_first_and_stays_in_the_form(
    member: Client, community: Community, adapter: Adapter, generation: Generation
) -> None:
    response = member.post(url("playground", community), {"adapter": adapter.pk, "source": "otra frase"})

    assert response.status_code == 409
    assert "otra frase" in response.text
    assert url("generation", community, generation) in response.text


def test_a_waiting_page_streams_and_works_without_javascript(
    member: Client, community: Community, generation: Generation
) -> None:
    text = member.get(url("generation", community, generation)).text

    assert f'data-stream="{url("stream", community, generation)}"' in text
    assert '<noscript><meta http-equiv="refresh"' in text
    assert "made by a machine and unverified" in text


def test_a_finished_page_shows_both_texts_and_stands_still(
    member: Client, community: Community, generation: Generation
) -> None:
    end_generation(generation=generation, texts={"base": "from base", "adapter": "from <adapter>"}, now=NOW)

    text = member.get(url("generation", community, generation)).text

    assert "from base" in text
    assert "from &lt;adapter&gt;" in text
    assert "http-equiv" not in text
    assert "data-stream" not in text
    assert "unverified" in text


def test_the_stream_passes_tokens_on_as_they_come_and_is_never_compressed(
    member: Client, community: Community, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    following(
        monkeypatch,
        ("1-0", {"which": "base", "text": "uno\ndos"}),
        ("2-0", {"which": "adapter", "text": "ñ"}),
        ("3-0", {"event": "finished"}),
    )

    response = member.get(url("stream", community, generation), headers={"accept-encoding": "gzip"})
    text = body(response)

    assert response["Content-Type"] == "text/event-stream"
    assert response["X-Accel-Buffering"] == "no"
    assert response["Content-Encoding"] == "identity"
    assert data(text) == [
        {"which": "base", "text": "uno\ndos"},
        {"which": "adapter", "text": "ñ"},
        {"event": "finished"},
    ]
    assert "id: 2-0\n" in text


def test_a_reconnecting_browser_goes_on_where_it_was(
    member: Client, community: Community, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = following(monkeypatch, ("9-0", {"event": "finished"}))

    body(member.get(url("stream", community, generation), headers={"last-event-id": "8-1"}))
    body(member.get(url("stream", community, generation), headers={"last-event-id": "8-1; DROP"}))

    assert [how["last_id"] for how in asked] == ["8-1", "0"]


def test_a_finished_generation_is_answered_from_its_row(
    member: Client, community: Community, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = following(monkeypatch)
    end_generation(generation=generation, texts={"base": "b", "adapter": "a"}, now=NOW)

    text = body(member.get(url("stream", community, generation)))

    assert data(text) == [{"event": "whole", "base": "b", "adapter": "a"}, {"event": "finished"}]
    assert not asked


def test_a_quiet_stream_sends_heartbeats_and_asks_the_row(
    member: Client, community: Community, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def follow(generation_id: str, **how: Any) -> Iterator[tuple[str, dict[str, Any]]]:
        yield "", {}
        end_generation(generation=generation, texts={}, failure="No worker.", now=NOW)
        while True:
            yield "", {}

    monkeypatch.setattr(playground, "follow", follow)

    text = body(member.get(url("stream", community, generation)))

    assert ": still writing" in text
    assert data(text)[-1] == {"event": "error", "message": "No worker."}


def test_a_stream_ends_after_its_longest_time(
    member: Client, community: Community, generation: Generation, monkeypatch: pytest.MonkeyPatch
) -> None:
    following(monkeypatch, *[("", {})] * 1000)
    monkeypatch.setattr(playground, "LONGEST_STREAM", -1.0)

    assert body(member.get(url("stream", community, generation))).count(": still writing") == 1


@pytest.mark.parametrize("who", ["dana", "filipa", "aroha"])
@pytest.mark.parametrize("name", ["generation", "stream"])
def test_what_somebody_tried_is_theirs_alone(
    client: Client,
    community: Community,
    generation: Generation,
    who: str,
    name: str,
    request: pytest.FixtureRequest,
) -> None:
    client.force_login(request.getfixturevalue(who))

    assert client.get(url(name, community, generation)).status_code == 404


def test_an_outsider_finds_no_playground(client: Client, community: Community, dana: Person) -> None:
    client.force_login(dana)

    assert client.get(url("playground", community)).status_code == 404
    assert client.post(url("playground", community)).status_code == 404


def test_two_adapters_and_ranks_stand_side_by_side_and_a_draw_is_repeated(
    member: Client, community: Community, adapter: Adapter, esi: Person, aroha: Person
) -> None:
    adapter.report |= {"ranks": {"measured": [{"rank": 1}, {"rank": 4}, {"rank": 16}]}}
    adapter.save()
    second = make_adapter(make_run(adapter.run.release, esi))
    asked = {"adapter": f"{adapter.pk}:4", "source": "Buenos días", "temperature": "0.5", "seed": "7"}
    text = member.get(url("playground", community)).text
    assert f'<option value="{adapter.pk}:4">' in text
    assert f'"{adapter.pk}:16"' not in text  # all of it
    for odd in (f"{adapter.pk}:3", f"{adapter.pk}:x", "0", "a:1"):
        assert member.post(url("playground", community), {**asked, "adapter": odd}).status_code == 422
    # A candidate answers nobody, not beside another one either.
    assert member.post(url("playground", community), {**asked, "beside": str(second.pk)}).status_code == 409
    Adapter.objects.filter(pk=second.pk).update(state="approved")
    assert member.post(url("playground", community), {**asked, "seed": "10000"}).status_code == 422
    assert not Generation.objects.exists()
    member.post(url("playground", community), {**asked, "beside": str(second.pk)})
    generation = Generation.objects.get()
    assert (generation.adapter, generation.rank, generation.beside) == (adapter, 4, second)
    assert (generation.temperature, generation.seed) == (0.5, 7)
    page = member.get(url("generation", community, generation)).text
    assert f"run {second.run.number}, learnt from release" in page
    assert "Rank 4" in page
    assert "Base model" not in page
    again = member.get(url("playground", community), {"again": str(generation.pk)}).text
    assert f'<option value="{adapter.pk}:4" selected>' in again
    assert f'<option value="{second.pk}" selected>' in again
    assert 'value="7"' in again
    assert "Buenos días" in again


def test_what_the_worker_is_asked_names_ranks_and_the_base_beside_which_each_learnt(
    adapter: Adapter, ben: Person, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapter.report |= {"ranks": {"measured": [{"rank": 2}, {"rank": 16}]}}
    adapter.save()
    generation = request_generation(
        adapter=adapter, rank=2, person=ben, source="a", now=NOW, beside=Side(adapter), temperature=1.0, seed=3
    )
    requests: list[dict[str, Any]] = []
    monkeypatch.setattr(jobs, "find_base_model", lambda name: name)
    monkeypatch.setattr(jobs.engine, "generate", lambda base, request: requests.append(request) or iter([]))
    list(jobs._events(generation))
    folder = str(adapter_folder(adapter))
    assert requests[0]["sides"] == [
        {"which": "base", "adapter": folder, "rank": None, "onto": "nf4"},
        {"which": "adapter", "adapter": folder, "rank": 2, "onto": "nf4"},
    ]
    assert (requests[0]["temperature"], requests[0]["seed"]) == (1.0, 3)
    adapter.run.method = "lora"
    assert jobs.side_of(adapter)["onto"] == "base"


def test_what_stands_beside_is_forgotten_with_its_adapter_and_hidden_while_it_is_held(
    adapter: Adapter, community: Community, aroha: Person, ben: Person, esi: Person
) -> None:
    second = make_adapter(make_run(adapter.run.release, esi))
    Adapter.objects.filter(pk=second.pk).update(state="approved")
    generation = request_generation(adapter=adapter, person=ben, source="a", now=NOW, beside=Side(second))
    assert may_answer(generation)
    held = put_label(
        **{"community": community, "kind": "adapter", "key": str(second.pk), "code": "tkss"},
        **{"placed_by": aroha, "now": NOW},
    )
    assert not may_answer(generation)
    assert not Generation.objects.visible_to(ben).exists()
    held.delete()
    Adapter.objects.filter(pk=second.pk).update(withdrawn_since=NOW)
    end_adapter(adapter=second, note="Enough.", ended_by=aroha, now=NOW)
    assert not Generation.objects.exists()


def test_a_steward_lets_people_answer_where_the_models_failed(
    client: Client, community: Community, adapter: Adapter, aroha: Person, ben: Person
) -> None:
    project = adapter.run.release.project
    generation = request_generation(adapter=adapter, person=aroha, source="Una frase nueva", now=NOW)
    end_generation(generation=generation, texts={"base": "ya", "adapter": "ye"}, now=NOW)
    client.force_login(aroha)
    address = url("generation_task", community, generation)
    assert address in client.get(url("generation", community, generation)).text
    assert client.post(address, {"licence": " "}).status_code == 422
    assert client.post(address, {"licence": "CC BY-ND 4.0"}).status_code == 422
    text = client.post(address, {"licence": "CC0"}, follow=True).text
    assert "Speakers are asked about this sentence now." in text
    task = project.tasks.get(item__text="Una frase nueva")
    assert (task.item.source.title, task.item.source.licence) == ("Playground", "CC0")
    assert "already" in client.post(address, {"licence": "CC0"}, follow=True).text
    mine = request_generation(adapter=adapter, person=ben, source="otra", now=NOW)
    end_generation(generation=mine, texts={"base": "", "adapter": ""}, now=NOW)
    client.force_login(ben)
    assert "task/" not in client.get(url("generation", community, mine)).text
    assert client.post(url("generation_task", community, mine), {"licence": "CC0"}).status_code == 403
