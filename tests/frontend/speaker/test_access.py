"""The desk is for those who belong to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from annotation.projects.models import Project
from annotation.projects.services import lease_task
from care.models import Policy
from people.models import Community, Person
from tests.frontend.speaker.pages import DESK, text_of

pytestmark = pytest.mark.django_db


class TestAccess:
    """Everybody else finds nothing here."""

    ADDRESSES = ("", "consent/", "consent/withdraw/", "work/{project}/", "review/{project}/", "words/")

    def addresses(self, project: Project) -> list[str]:
        """Every page of the desk that needs no id of its own."""
        return [f"{DESK}/{address.format(project=project.pk)}" for address in self.ADDRESSES]

    def test_an_outsider_finds_nothing(self, client: Client, dana: Person, project: Project, policy: Policy) -> None:
        client.force_login(dana)
        for address in self.addresses(project):
            text_of(client.get(address), 404)
            assert client.post(address).status_code in {404, 405}, address

    def test_whoever_is_not_signed_in_is_asked_to(self, client: Client, project: Project) -> None:
        for address in self.addresses(project):
            assert client.get(address)["Location"].startswith("/accounts/login/?next=")

    def test_a_researcher_does_not_translate(
        self, client: Client, esi: Person, project: Project, policy: Policy
    ) -> None:
        client.force_login(esi)
        text_of(client.get(f"{DESK}/work/{project.pk}/"), 404)
        text_of(client.get(f"{DESK}/review/{project.pk}/"), 404)

    def test_an_expert_reviews_but_does_not_translate(
        self, client: Client, chen: Person, project: Project, consenting: Any
    ) -> None:
        consenting(chen)
        client.force_login(chen)
        text_of(client.get(f"{DESK}/work/{project.pk}/"), 404)
        text_of(client.get(f"{DESK}/review/{project.pk}/"))

    def test_a_project_of_another_community_is_not_found(
        self, bens: Client, aroha: Person, ben: Person, project: Project, consenting: Any, now: datetime
    ) -> None:
        other = Community.objects.create(
            slug="other",
            name="Other",
            language_name="X",
            language_tag="x-y",
            iso_639_3="abc",
            glottocode="abcd1234",
            created_at=now,
        )
        Project.objects.filter(pk=project.pk).update(community=other)
        text_of(bens.get(f"{DESK}/work/{project.pk}/"), 404)

    def test_a_lease_of_mine_stays_mine(self, bens: Client, ben: Person, project: Project, consenting: Any) -> None:
        consenting(ben)
        lease = lease_task(project=project, person=ben, now=timezone.now())
        assert bens.get(f"{DESK}/work/{project.pk}/").context["assignment"] == lease
