"""An expert looks a project over, changes many labels at once, and undoes it, in pages that work without scripts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from annotation.answers.models import Answer
from annotation.revision.batches import undo_batch
from annotation.revision.models import Batch, Inconsistency, Scan, place_of
from annotation.revision.services import ask_for_scan, scan_project
from care.models import Purpose
from care.services import withdraw_purposes
from frontend.expert.kwic import context_of
from tests.conftest import NOW
from tests.frontend.made import make_release

pytest_plugins = ["tests.revision.labelled"]
HOME = "/c/test-otomi/decide/consistency/"


@pytest.fixture
def desk(client: Client, chen: Any) -> Client:
    client.force_login(chen)
    return client


@pytest.fixture
def scanned(labelling: Any, labelled: Any, chen: Any) -> Inconsistency:
    scan_project(scan=ask_for_scan(project=labelling, expert=chen, now=NOW), now=NOW)
    return Inconsistency.objects.get(surface="texto")


def read(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def codes(page: str) -> list[str]:
    return re.findall(r'name="places" value="([^"]+)" checked', page)


def test_looking_over_is_asked_for_and_a_worker_is_rung(
    desk: Client, labelling: Any, labelled: Any, monkeypatch: Any
) -> None:
    rung: list[Scan] = []
    monkeypatch.setattr("frontend.expert.views.consistency.ring", rung.append)

    assert "Nobody has looked this project over yet." in read(desk, HOME)
    assert desk.post(HOME, {"project": labelling.pk}).status_code == 302

    assert rung == list(Scan.objects.all())
    assert "It is being looked over." in read(desk, HOME)


def test_groups_are_listed_with_what_they_say(desk: Client, scanned: Any) -> None:
    page = read(desk, HOME)

    assert "texto" in page
    assert "different labels" in page
    assert "12 places" in page
    assert f"{HOME}groups/{scanned.pk}/" in page


def test_a_batch_is_previewed_applied_and_undone(desk: Client, scanned: Any, labelled: Any) -> None:
    address = f"{HOME}groups/{scanned.pk}/"
    ticked = codes(read(desk, address))
    assert len(ticked) == 12

    preview = desk.post(address, {"label": "LOC", "places": ticked, "preview": "1"})
    assert "2 answers change, all of them or none. 10 say this already." in re.sub(
        r"\s+", " ", preview.content.decode()
    )
    assert not Batch.objects.exists()

    given = {"label": "LOC", "places": ticked, "apply": "1"}
    refused = desk.post(address, {**given, "reason": ""})
    assert (refused.status_code, "Give the reason" in refused.content.decode()) == (422, True)
    applied = desk.post(address, {**given, "reason": "A text is a place here."})

    batch = Batch.objects.get()
    assert applied["Location"] == f"{HOME}batches/{batch.pk}/"
    assert batch.changes.count() == 2
    assert "A text is a place here." in read(desk, applied["Location"])

    desk.post(applied["Location"])
    assert set(Answer.objects.filter(pk__in=[one.pk for one in labelled]).values_list("state", flat=True)) == {
        "validated"
    }
    assert "Undone by" in read(desk, applied["Location"])


def test_an_exception_stays_as_it_is(desk: Client, scanned: Any, labelled: Any) -> None:
    address = f"{HOME}groups/{scanned.pk}/"
    ticked = [code for code in codes(read(desk, address)) if not code.startswith(str(labelled[10].pk))]

    desk.post(address, {"label": "LOC", "places": ticked, "apply": "1", "reason": "A place."})

    labelled[10].refresh_from_db()
    assert labelled[10].state == "validated"
    assert Batch.objects.get().changes.get().answer == labelled[11]


def test_what_changed_meanwhile_is_said_and_nothing_is_changed(desk: Client, scanned: Any, labelled: Any) -> None:
    address = f"{HOME}groups/{scanned.pk}/"
    ticked = codes(read(desk, address))
    Answer.objects.filter(pk=labelled[10].pk).update(version=2)

    answer = desk.post(address, {"label": "LOC", "places": ticked, "preview": "1"})

    assert answer.status_code == 409
    assert "Something changed meanwhile." in answer.content.decode()


def test_places_of_people_who_show_their_words_no_more_are_not_shown(
    desk: Client, scanned: Any, community: Any, ben: Any
) -> None:
    withdraw_purposes(person=ben, community=community, purposes=[Purpose.DISPLAY_MEMBERS], now=NOW)

    assert "Nothing is left to look at" in read(desk, f"{HOME}groups/{scanned.pk}/")


def test_a_release_that_holds_replaced_translations_says_so_until_that_is_undone(
    client: Client, project: Any, validated_corpus: Any, chen: Any, esi: Any, consenting: Any
) -> None:
    consenting(chen)
    release = make_release(project, esi)
    places = [place_of(answer, 0, 5, 1.0) for answer in validated_corpus[:2]]
    group = Inconsistency.objects.create(
        project=project, cause="same_text", key="0" * 64, surface="x", entropy=1, estimate=1, places=places
    )
    address = f"{HOME}groups/{group.pk}/"
    client.force_login(chen)
    given = {"label": validated_corpus[0].text, "places": codes(read(client, address)), "reason": "The same."}
    batch = client.post(address, {**given, "apply": "1"})

    assert f"Release {release.number}" in read(client, batch["Location"])
    client.force_login(esi)
    frozen = f"/c/test-otomi/train/releases/{release.pk}/"
    assert "An expert has corrected 1 of its answers since." in read(client, frozen)
    assert Answer.objects.get(from_batch_changes__isnull=False).text == validated_corpus[0].text

    undo_batch(batch=Batch.objects.get(), expert=chen, now=NOW)
    assert "has corrected" not in read(client, frozen)


def test_doubts_are_counted_filtered_and_sent(
    desk: Client, scanned: Any, labelled: Any, labelling: Any, ben: Any
) -> None:
    address = f"{HOME}suspects/{labelling.pk}/"
    page = read(desk, address)
    assert "Annotator 1" in page
    assert ben.name not in page.split("<main")[1].split("</main>")[0]
    assert "another label" in page

    filtered = read(desk, f"{address}?fault=wrong_type&annotator=1")
    shown = re.findall(r'name="suspicion" value="(\d+)"', filtered)
    assert shown
    assert read(desk, f"{address}?annotator=9&dialect=x").count('name="suspicion"') == 0

    desk.post(f"{address}?fault=wrong_type", {"suspicion": shown})
    assert labelled[10] in Answer.objects.disputed()


def test_a_project_without_anything_to_look_over_says_so(desk: Client, community: Any) -> None:
    assert "Nothing to look over" in read(desk, HOME)


@pytest.mark.parametrize("text", ["עברית 1 אבג דהו", "กขคงจฉชซฌญ" * 9])
def test_contexts_keep_their_direction_and_are_cut_between_words(text: str) -> None:
    context = context_of(text, 3, 6)

    assert (context.before, context.words) == (text[:3], text[3:6])
    assert text.startswith(context.before + context.words + context.after)
    assert context.direction == ("rtl" if text[0] == "ע" else "ltr")
    assert context_of("uno dos " * 20, 80, 83).before.startswith("uno ")
