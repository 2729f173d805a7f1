"""Before the first word, and whenever one changes one's mind."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.answers.models import Answer
from annotation.projects.models import Project
from care.models import NEEDED, Policy, Purpose, Receipt
from care.services import current_receipt, publish_policy
from people.models import Community, Person
from tests.conftest import TRAINING
from tests.frontend.speaker.pages import DESK, text_of
from training.releases.services import freeze_release

pytestmark = pytest.mark.django_db


class TestConsent:
    """Before the first word, and whenever one changes one's mind."""

    def test_the_first_contribution_leads_to_consent_and_back(
        self, bens: Client, project: Project, policy: Policy
    ) -> None:
        wanted = f"{DESK}/work/{project.pk}/"

        response = bens.get(wanted, follow=True)
        assert response.redirect_chain[-1][0].startswith(f"{DESK}/consent/?next=")
        assert "read how your words are used" in text_of(response)

        sent = {"policy": policy.pk, "purposes": [purpose.value for purpose in NEEDED], "next": wanted}
        saved = bens.post(f"{DESK}/consent/", sent, follow=True)
        assert f'href="{wanted}">Go on' in text_of(saved)
        text_of(bens.get(wanted))

    def test_only_what_is_needed_is_ticked_at_first(self, bens: Client, policy: Policy) -> None:
        text = text_of(bens.get(f"{DESK}/consent/"))
        ticked = re.findall(r'value="(\w+)"[^>]* checked', text)
        required = re.findall(r'value="(\w+)"[^>]* required', text)
        assert set(ticked) == set(required) == {purpose.value for purpose in NEEDED}
        assert policy.text in text

    def test_the_receipt_is_shown_with_its_number_and_fingerprint(
        self, bens: Client, ben: Person, community: Community, policy: Policy
    ) -> None:
        sent = {"policy": policy.pk, "purposes": [*NEEDED, Purpose.RESEARCH]}
        text = text_of(bens.post(f"{DESK}/consent/", sent, follow=True))
        receipt = current_receipt(ben, community)
        assert receipt is not None
        assert str(receipt.pk) in text
        assert receipt.sha256 in text
        assert receipt.policy_sha256 in text
        assert set(receipt.grants.values_list("purpose", flat=True)) == {*NEEDED, Purpose.RESEARCH}

    def test_leaving_out_what_is_needed_is_refused_and_keeps_the_ticks(
        self, bens: Client, ben: Person, community: Community, policy: Policy
    ) -> None:
        response = bens.post(f"{DESK}/consent/", {"policy": policy.pk, "purposes": [Purpose.RESEARCH]})
        text = text_of(response, 422)
        assert re.search(r'value="research"[^>]* checked', text)
        assert current_receipt(ben, community) is None

    def test_another_site_is_no_place_to_go_on_to(
        self, bens: Client, policy: Policy, consenting: Any, ben: Any
    ) -> None:
        consenting(ben)
        for address in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"):
            page = text_of(bens.get(f"{DESK}/consent/", {"next": address}))
            # The form for the language, in the footer, leads back to this very address.
            assert "elsewhere" not in page.partition("<footer")[0]
            assert "Go on" not in text_of(bens.get(f"{DESK}/consent/", {"next": address}))

    def test_allowing_more_keeps_what_was_allowed(
        self, bens: Client, ben: Person, community: Community, policy: Policy, consenting: Callable[..., Receipt]
    ) -> None:
        consenting(ben)
        bens.post(f"{DESK}/consent/", {"policy": policy.pk, "purposes": [Purpose.RESEARCH]})
        receipt = current_receipt(ben, community)
        assert receipt is not None
        allowed = set(receipt.grants.filter(withdrawn_at__isnull=True).values_list("purpose", flat=True))
        assert allowed == {*TRAINING, Purpose.RESEARCH}

    def test_a_changed_text_is_announced_and_ticks_nothing_again(
        self,
        bens: Client,
        ben: Person,
        aroha: Person,
        community: Community,
        project: Project,
        consenting: Callable[..., Receipt],
    ) -> None:
        consenting(ben)
        publish_policy(
            waiver="For tests.",
            community=community,
            text="A newer text.",
            purposes=list(Purpose.values),
            published_by=aroha,
            now=timezone.now(),
        )
        text = text_of(bens.get(f"{DESK}/work/{project.pk}/", follow=True))
        assert "The text has changed since you agreed." in text
        assert "A newer text." in text
        assert "allowed before" in text
        assert set(re.findall(r'value="(\w+)"[^>]* checked', text)) == {purpose.value for purpose in NEEDED}

    def test_a_text_replaced_while_reading_is_not_agreed_to(
        self, bens: Client, ben: Person, aroha: Person, community: Community, policy: Policy
    ) -> None:
        publish_policy(
            waiver="For tests.",
            community=community,
            text="A newer text.",
            purposes=list(Purpose.values),
            published_by=aroha,
            now=timezone.now(),
        )
        response = bens.post(f"{DESK}/consent/", {"policy": policy.pk, "purposes": list(NEEDED)})
        assert "A newer text." in text_of(response, 409)
        assert current_receipt(ben, community) is None

    def test_what_a_new_receipt_leaves_out_marks_the_releases(
        self,
        bens: Client,
        aroha: Person,
        community: Community,
        project: Project,
        validated_corpus: list[Answer],
        now: datetime,
    ) -> None:
        release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=aroha, now=now)
        newer = publish_policy(
            waiver="For tests.",
            community=community,
            text="A newer text.",
            purposes=list(Purpose.values),
            published_by=aroha,
            now=timezone.now(),
        )
        bens.post(f"{DESK}/consent/", {"policy": newer.pk, "purposes": list(NEEDED)})
        release.refresh_from_db()
        assert release.contains_withdrawn

    def test_withdrawing_says_first_what_it_reaches(
        self, bens: Client, ben: Person, aroha: Person, project: Project, validated_corpus: list[Answer], now: datetime
    ) -> None:
        release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=aroha, now=now)
        address, sent = f"{DESK}/consent/withdraw/", {"purposes": [Purpose.TRAIN_NONCOMMERCIAL.value]}

        text = text_of(bens.get(address, sent))
        assert "Release 1 of Test project" in text
        assert "all 4 sentences" in text
        release.refresh_from_db()
        assert not release.contains_withdrawn

        bens.post(address, sent)
        release.refresh_from_db()
        assert release.contains_withdrawn
        assert not Answer.objects.filter(author=ben).usable_for(Purpose.TRAIN_NONCOMMERCIAL).exists()
        assert Answer.objects.filter(author=ben).usable_for(Purpose.PEER_REVIEW).count() == 4

    def test_a_purpose_that_no_release_was_made_for_reaches_none(
        self, bens: Client, aroha: Person, project: Project, validated_corpus: list[Answer], now: datetime
    ) -> None:
        release, _ = freeze_release(project=project, purpose=Purpose.TRAIN_NONCOMMERCIAL, created_by=aroha, now=now)
        sent = {"purposes": [Purpose.PEER_REVIEW.value]}
        text = text_of(bens.get(f"{DESK}/consent/withdraw/", sent))
        assert "No release and no adapter holds these words" in text
        assert "cannot translate or review" in text
        bens.post(f"{DESK}/consent/withdraw/", sent)
        release.refresh_from_db()
        assert not release.contains_withdrawn

    def test_withdrawing_nothing_asks_to_tick_something(
        self, bens: Client, policy: Policy, consenting: Any, ben: Any
    ) -> None:
        consenting(ben)
        for sent in ({}, {"purposes": ["research"]}, {"purposes": ["made-up"]}):
            response = bens.post(f"{DESK}/consent/withdraw/", sent, follow=True)
            assert "Tick what you would like to take back" in text_of(response)
