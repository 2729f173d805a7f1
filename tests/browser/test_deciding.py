"""Conflicts at the expert's desk in a real browser: by keys, by clicks, and into a frozen release."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from annotation.answers.models import Answer
from annotation.conflicts.models import Adjudication
from annotation.corpora.models import Source
from annotation.projects.models import Project
from annotation.projects.services import open_project
from care.models import Purpose, Receipt
from people.models import Community, Person
from tests.annotation.conflicting import THREE, contest
from tests.browser.visitor import DESK, HEIGHT, Visitor
from tests.kinds.opening import open_kind
from training.releases.models import ReleaseItem
from training.releases.services import freeze_release

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Thirty conflicts in ten minutes leave twenty seconds for reading and deciding; keys must not be what takes them.
MOST_KEYS = 6


@pytest.fixture
def speakers(
    ben: Person, filipa: Person, goran: Person, chen: Person, consenting: Callable[..., Receipt]
) -> list[Person]:
    for person in (ben, filipa, goran, chen):
        consenting(person)
    return [ben, filipa, goran]


@pytest.fixture
def project(community: Community, aroha: Person, speakers: list[Person]) -> Project:
    return open_kind(community, aroha, "label", rule=THREE, guidelines="Mark the whole name.")


@pytest.fixture
def at_desk(chromium: Browser, live_server: Any) -> Iterator[Callable[..., Visitor]]:
    """at_desk(person) sits somebody who is signed in before the queue."""
    visitors: list[Visitor] = []

    def sit_down(person: Person, *, scripts: bool = True) -> Visitor:
        context = chromium.new_context(viewport={"width": DESK, "height": HEIGHT}, java_script_enabled=scripts)
        client = Client()
        client.force_login(person)
        name = settings.SESSION_COOKIE_NAME
        context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": live_server.url}])
        visitor = Visitor(context.new_page(), live_server.url, DESK, person.username, scripts)
        visitors.append(visitor)
        visitor.open("/c/test-otomi/decide/")
        visitor.see("Decide")
        return visitor

    yield sit_down
    for visitor in visitors:
        visitor.page.context.close()
    assert [fault for visitor in visitors for fault in visitor.faults()] == []


def press(page: Page, keys: str) -> int:
    """Press these one after another; returns how many."""
    for key in keys.split():
        page.keyboard.press(key)
    return len(keys.split())


def test_a_conflict_of_three_is_decided_by_few_keys_and_released(
    community: Community,
    sources: list[Source],
    aroha: Person,
    speakers: list[Person],
    chen: Person,
    esi: Person,
    at_desk: Callable[..., Visitor],
) -> None:
    project = open_project(
        community=community,
        created_by=aroha,
        sources=sources,
        now=timezone.now(),
        title="Names",
        kind="label",
        settings={"labels": ["PER", "LOC"]},
        rule=THREE,
        source_language_name="Spanish",
        source_language_tag="es",
    )
    # One in each of three documents, so that a release can hold one out.
    firsts = [project.tasks.filter(item__source=source).order_by("pk")[0] for source in sources]
    conflicts = [contest(project, speakers, task) for task in sorted(firsts, key=lambda task: task.pk)]
    expert = at_desk(chen)
    expert.read("3 wait for a decision", "No majority among the answers")
    expert.page.get_by_role("link", name="Read and decide").first.click()
    expert.see("Which wording is right?")
    expert.read("Person A", "Person B", "Person C", "Both its edges and its name differ")
    assert not [person for person in speakers if person.username in expert.page.locator("main").inner_text()]

    for number in range(3):
        title = expert.page.url
        keys = press(expert.page, f"{number + 1} q a")
        assert keys <= MOST_KEYS
        expert.page.wait_for_url(lambda url, old=title: url != old)
        expect(expert.page.locator(".messages")).to_contain_text("Decided.")
        assert Adjudication.objects.count() == number + 1
    expert.see("Decide")
    expert.read("Nothing is disputed")

    taken = [rows[number] for number, rows in enumerate(conflicts)]
    states = Answer.objects.filter(pk__in=[row.pk for row in taken]).values_list("state", flat=True)
    assert set(states) == {Answer.State.VALIDATED}
    release, _ = freeze_release(
        project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=esi, now=timezone.now() + timedelta(seconds=1)
    )
    assert set(ReleaseItem.objects.filter(release=release).values_list("answer", flat=True)) == {
        row.pk for row in taken
    }
    written = "".join(_read(path) for path in Path(settings.RELEASES_DIR).rglob("*.jsonl*"))
    rows = [json.loads(line) for line in written.splitlines()]
    assert {(span["label"], span["words"]) for row in rows for span in row["spans"]} == {
        ("LOC", "frase 1"),
        ("LOC", "frase"),
        ("PER", "frase"),
    }


def _read(path: Path) -> str:
    content = path.read_bytes()
    return (gzip.decompress(content) if path.suffix == ".gz" else content).decode()


def test_labels_are_taken_one_by_one_from_the_lanes(
    project: Project, speakers: list[Person], chen: Person, at_desk: Callable[..., Visitor]
) -> None:
    rows = contest(project, speakers)
    expert = at_desk(chen)
    expert.click("Read and decide")
    expert.see("Which wording is right?")
    boxes = expert.page.locator("[name=fragment]")
    assert [box.is_checked() for box in boxes.all()] == [False] * 3

    # A click on a lane's mark ticks its box, and a second one on another builds up the answer.
    expert.page.locator(".lanes label.bar", has_text="PER").click()
    expert.page.locator(".lanes label.bar", has_text="A · LOC").click()
    assert [box.is_checked() for box in boxes.all()] == [True, False, True]
    expert.page.keyboard.press("e")
    expert.page.keyboard.press("Escape")
    press(expert.page, "r l")
    expert.see("Decide")

    made = Adjudication.objects.get()
    assert made.correction is not None
    assert {(one["start"], one["end"], one["label"]) for one in made.correction.payload["spans"]} == {
        (0, 7, "LOC"),
        (0, 5, "PER"),
    }
    assert set(made.correction.built_on.all()) == {rows[0].receipt, rows[2].receipt}


def test_without_scripts_a_tick_and_a_button_decide(
    project: Project, speakers: list[Person], chen: Person, at_desk: Callable[..., Visitor]
) -> None:
    rows = contest(project, speakers)
    expert = at_desk(chen, scripts=False)
    expert.click("Read and decide")
    expert.see("Which wording is right?")
    expert.click("Take the ticked labels")
    expert.read("Choose a reason, or write one.")
    expert.forgive(422)
    expert.look()
    expert.page.get_by_role("checkbox", name="Person C", exact=True).check()
    expert.page.get_by_role("textbox", name="Or in your own words").fill("It is a name.")
    expert.click("Take the ticked one")
    expert.see("Decide")
    assert Answer.objects.get(pk=rows[2].pk).state == Answer.State.VALIDATED
    expert.click("Read it")
    expert.see("Which wording is right?")
    expert.click("Open it again")
    expert.write("Why is it opened again?", "The guidelines changed.")
    expert.page.locator("details[open] button").click()
    expert.read("The decision is undone")
    expert.look()
    assert {row.state for row in Answer.objects.all()} == {Answer.State.DISPUTED}
