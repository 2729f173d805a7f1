"""The main job in real browsers: six people, each with a browser of their own, from signing up to trying a model.

Everything is clicked and typed. Only the two jobs of the workers are called, because no worker runs in tests.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser import gathering, speaking, training
from tests.browser.gathering import PROJECT, SLUG
from tests.browser.speaking import answer_of
from tests.browser.visitor import DESK, Visitor

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

CORRECTED = "ñäʼ filipa one, corrected by ben"
REASON = "Both wordings are in use."
# Who says what to which wording; everything else is good. Ben's first becomes a dispute, his second goes to a third.
VERDICTS = {
    "filipa": {answer_of("goran", 1): "reject"},
    "goran": {
        answer_of("ben", 1): "reject",
        answer_of("ben", 2): "reject",
        answer_of("filipa", 1): "reject",
    },
    "ben": {answer_of("goran", 1): "reject", answer_of("filipa", 1): CORRECTED},
    "aroha": {answer_of("ben", 1): "unsure", answer_of("filipa", 1): "reject"},
}


def test_words_walk_from_a_phone_to_an_approved_adapter(
    visit: Callable[..., Visitor], worker: Callable[..., Future[Any]], base_model: Path
) -> None:
    aroha, chen, esi = (visit(name, width=DESK) for name in ("aroha", "chen", "esi"))
    ben, filipa, goran = speakers = [visit(name) for name in ("ben", "filipa", "goran")]

    gather(aroha, speakers, chen, esi)
    translate_everything(ben, filipa, goran)
    review_everything(aroha, speakers)
    speaking.decide(chen, answer_of("ben", 1), REASON)
    read_what_became_of_it(ben, goran)

    training.freeze(esi)
    training.train(esi, worker)
    training.read_evaluation(esi)
    training.recommend(esi)
    training.find_nothing_to_try(ben)
    training.ask_little(aroha)
    training.approve(aroha)
    training.try_it(ben, worker)


def gather(aroha: Visitor, speakers: list[Visitor], chen: Visitor, esi: Visitor) -> None:
    """Aroha founds the community and opens the work; the others join, by link or by name."""
    gathering.found_community(aroha)
    gathering.publish_consent_text(aroha)
    gathering.invite(aroha, "Speaker", *speakers)
    gathering.invite(aroha, "Expert", chen)
    esi.open("/accounts/signup/")
    gathering.sign_up(esi)
    esi.see("Hello, esi")
    esi.read("You are in no community yet.")
    esi.open(f"/c/{SLUG}/")
    esi.see("There is nothing here")
    esi.forgive(404)
    gathering.give_role(aroha, "Researcher", esi)
    gathering.give_role(aroha, "Speaker", aroha)
    gathering.bring_in_text(aroha)
    gathering.open_project(aroha)


def translate_everything(ben: Visitor, filipa: Visitor, goran: Visitor) -> None:
    """Each speaker translates one document; Ben meets everything that can happen on the way."""
    for speaker in (ben, filipa, goran):
        speaking.agree(speaker, "Translate (9 left)")
        speaker.see(f"Translate: {PROJECT}")
    for speaker in (filipa, goran):
        for number in (1, 2):
            speaking.translate(speaker, number)

    speaking.write_with_the_row_of_letters(ben)
    speaking.skip_and_take_it_back(ben)
    speaking.reload_send_and_edit(ben)
    speaking.send_twice_at_once(ben)
    speaking.send_without_a_connection(ben)
    for speaker in (filipa, goran):
        speaking.translate(speaker, 3)
        speaker.read("Nothing waits for you here now")
    for speaker in (ben, filipa, goran):
        speaking.words_of(speaker, 3)


def review_everything(aroha: Visitor, speakers: list[Visitor]) -> None:
    """Peers check each other until nothing waits for anybody; nobody is ever shown their own words."""
    _ben, filipa, goran = speakers
    speaking.agree(aroha, "Review 9")
    speaking.reject_only_with_a_reason(goran)
    seen: dict[str, list[str]] = {}
    for person in (filipa, goran, *speakers, aroha, goran):
        seen.setdefault(person.name, []).extend(speaking.review_all(person, VERDICTS[person.name]))

    for name, wordings in seen.items():
        assert wordings
        assert not [wording for wording in wordings if name in wording]
    # One against one goes to a third, and what two have settled does not.
    assert answer_of("ben", 2) in seen["aroha"]
    assert answer_of("ben", 3) not in seen["aroha"]
    assert CORRECTED in seen["goran"]
    assert CORRECTED not in seen["filipa"]


def read_what_became_of_it(ben: Visitor, goran: Visitor) -> None:
    """Authors read what peers and the expert said; what was reviewed is no longer edited."""
    speaking.words_of(ben, 4)
    first = ben.page.locator("article").filter(has_text=answer_of("ben", 1))
    expect(first).to_contain_text("An expert: Accept as it is")
    expect(first).to_contain_text(REASON)
    expect(ben.page.locator("article .badge.good")).to_have_count(4)
    expect(ben.page.get_by_role("link", name="Edit", exact=True)).to_have_count(0)
    speaking.words_of(goran, 3)
    refused = goran.page.locator("article").filter(has_text=answer_of("goran", 1))
    expect(refused).to_contain_text("not accepted")
    expect(refused).to_contain_text("Spelling")
