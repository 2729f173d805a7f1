"""The record page: what was done, the check of all of it, and the files that stewards keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from care.models import Policy
from ledger.checkpoints import checkpoint_now
from ledger.models import Entry
from ledger.services import erase_secrets
from ledger.verify import verify
from people.models import Community, Person
from tests.conftest import NOW


@pytest.fixture
def steward(client: Client, aroha: Person) -> Client:
    client.force_login(aroha)
    return client


def url(name: str, community: Community) -> str:
    return reverse(f"steward:{name}", kwargs={"slug": community.slug})


def test_the_record_is_newest_first_and_names_who_acted(steward: Client, community: Community, policy: Policy) -> None:
    text = steward.get(url("record", community)).text

    assert text.index("policy.published") < text.index("community.founded")
    assert "aroha" in text


def test_the_record_does_not_name_who_gave_or_took_back_consent(
    steward: Client, community: Community, ben: Person, consenting: Callable[..., object]
) -> None:
    consenting(ben)
    rows = steward.get(url("record", community)).context["lines"]

    consent = next(line for line in rows if line.entry.action == "consent.given")
    assert (consent.actor, consent.is_private) == ("", True)
    assert "a member" in steward.get(url("record", community)).text


def forge(community: str, **more: Any) -> Entry:
    last = Entry.objects.of_community(community).order_by("-sequence").first()
    sequence, previous = (last.sequence + 1, last.sha256) if last else (1, "0" * 64)
    return Entry.objects.create(
        sequence=sequence, community=community, at=NOW, previous_sha256=previous, sha256="f" * 64, **more
    )


def test_a_forged_entry_is_reported_when_the_record_is_verified(
    steward: Client, community: Community, policy: Policy
) -> None:
    forged = forge(community.slug, action="adapter.approved", subject="adapter:1")

    page = steward.get(url("record", community), {"check": 1})
    assert "not whole" in page.text
    assert f"entry {forged.sequence} was changed" in page.text


def test_verifying_says_what_was_checked_and_how_far(steward: Client, community: Community, policy: Policy) -> None:
    assert "no checkpoint yet" in steward.get(url("record", community), {"check": 1}).text
    checkpoint_now(community=community.slug, now=NOW)
    last = Entry.objects.of_community(community.slug).count()

    page = steward.get(url("record", community), {"check": 1}).text
    assert f"Its {last} entries" in page
    assert f"The newest covers the first {last} entries." in page
    assert "the server has checked itself" in page


def test_the_checkpoint_and_the_record_are_handed_out_and_agree(
    steward: Client, community: Community, ben: Person, consenting: Callable[..., object]
) -> None:
    assert steward.get(url("record_checkpoint", community)).status_code == 404
    receipt = consenting(ben)
    checkpoint_now(community=community.slug, now=NOW)

    note = steward.get(url("record_checkpoint", community)).content.decode()
    lines = b"".join(steward.get(url("record_file", community)).streaming_content).decode().splitlines()
    report = verify(lines, [note])
    assert report.checkpoints == [report.entries]
    assert report.withheld == 4
    # Neither who consented nor what anybody wrote leaves the server.
    assert not any(word in str(lines) for word in (str(receipt.pk), "Test community", '"secret"'))


def test_an_erased_part_is_shown_as_erased(steward: Client, community: Community) -> None:
    entry = Entry.objects.get(action="community.founded")
    assert "Test community" in steward.get(url("record", community)).context["lines"][-1].details[0][1]
    erase_secrets(entries=[entry], now=NOW)

    line = steward.get(url("record", community)).context["lines"][-1]
    assert (line.is_erased, line.details) == (True, [])
    assert (
        "1 sealed part was erased, and the record says so." in steward.get(url("record", community), {"check": 1}).text
    )


def test_the_record_shows_only_this_community(steward: Client, community: Community) -> None:
    forge("elsewhere", action="secret.act", subject="x:1")

    assert "secret.act" not in steward.get(url("record", community)).text
