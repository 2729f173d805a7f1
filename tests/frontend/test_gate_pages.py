"""The gate on the pages of researchers and stewards: what is passed, by how much it is not, and the buttons."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from care.models import Proposal
from people.models import Community, Person
from tests.care.deciding import adopt, make_stewards
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.releases.models import Release
from training.runs.models import Adapter, AdapterEvent, GateBounds
from training.runs.services import decide_adapter

pytestmark = pytest.mark.django_db


@pytest.fixture
def release(validated_corpus: list[object], project: object, esi: Person) -> Release:
    """The corpus, frozen."""
    return make_release(project, esi)  # type: ignore[arg-type]


@pytest.fixture
def steward(client: Client, aroha: Person) -> Client:
    """Aroha's browser."""
    client.force_login(aroha)
    return client


def page(name: str, community: Community, **key: int) -> str:
    return reverse(f"steward:{name}", kwargs={"slug": community.slug, **key})


def test_each_check_stands_with_its_number_its_bound_and_what_is_missing(
    steward: Client, release: Release, community: Community, esi: Person
) -> None:
    better = make_adapter(make_run(release, esi))
    text = steward.get(page("adapter", community, pk=better.pk)).text
    assert "Every check is passed." in text
    assert text.count('<span class="badge good">passed</span>') == 13
    assert "-0.400" in text
    assert "What it forgot" in text
    AdapterEvent.objects.all().delete()
    worse = make_adapter(make_run(release, esi), better=False)
    text = steward.get(page("adapter", community, pk=worse.pk)).text
    assert "Not every check is passed, so it cannot be approved." in text
    assert text.count('<span class="badge bad">not passed</span>') == 3
    assert "It saves -25.0 % of the base model’s bits per byte; 1.0 % are needed." in text


def test_a_researcher_reads_the_gate_and_recommends(
    client: Client, release: Release, community: Community, esi: Person
) -> None:
    adapter = make_adapter(make_run(release, esi))
    AdapterEvent.objects.all().delete()
    client.force_login(esi)
    run = reverse("researcher:run", kwargs={"slug": community.slug, "pk": adapter.run_id})
    assert "No researcher recommends it yet." in client.get(run).text
    told = client.post(reverse("researcher:recommend", args=[community.slug, adapter.run_id]), follow=True).text
    assert "You recommend this adapter. A steward decides on it." in told
    assert "I recommend this adapter" not in told
    again = client.post(reverse("researcher:recommend", args=[community.slug, adapter.run_id]))
    assert again.status_code == 409


def test_a_steward_recommends_nothing(steward: Client, release: Release, community: Community, esi: Person) -> None:
    adapter = make_adapter(make_run(release, esi))
    address = reverse("researcher:recommend", args=[community.slug, adapter.run_id])
    assert steward.post(address).status_code == 404


def test_bounds_are_set_in_the_units_that_people_read(steward: Client, community: Community) -> None:
    asked = steward.get(page("gate", community)).text
    assert 'value="0.035"' in asked
    sent = {"least_sentences": 50, "least_gain": "2.5", "most_score_loss": "0.25", "most_forgetting": "0.02"}
    sent |= {"most_bias": "0.04", "most_memorised": "1.5"}
    assert "stand in the record" in steward.post(page("gate", community), sent, follow=True).text
    row = GateBounds.objects.get()
    kept = (row.least_sentences, row.least_gain, row.most_score_loss, row.most_forgetting, row.most_bias)
    assert (*kept, row.most_memorised) == (50, 25, 25, 20, 40, 150)
    refused = steward.post(page("gate", community), {**sent, "least_gain": "80"})
    assert refused.status_code == 422
    assert 'value="80"' in refused.text


def test_where_the_community_votes_the_bounds_go_to_the_vote_in_words(
    steward: Client, community: Community, aroha: Person
) -> None:
    make_stewards(community)
    adopt(community, aroha)
    sent = {"least_sentences": 50, "least_gain": "2.5", "most_score_loss": "0.25", "most_forgetting": "0.02"}
    sent |= {"most_bias": "0.04", "most_memorised": "1.5"}
    refused = steward.post(page("gate", community), sent)
    assert refused.status_code == 403
    assert "subject=gate%3A50-25-25-20-40-150" in refused.text
    asked = {"matter": "adapter", "subject": "gate:50-25-25-20-40-150", "asked": "subject"}
    propose = page("propose", community)
    asked |= {"text": "More to measure.", "purposes": [], "harm": "None.", "benefit": "Surer.", "days": 7}
    steward.post(propose, asked)
    proposal = Proposal.objects.get(subject="gate:50-25-25-20-40-150")
    text = steward.get(page("proposal", community, pk=proposal.pk)).text
    assert "at least 50 sentences measured, at least 2.5 % of the bits saved" in text


def test_one_click_goes_back(
    steward: Client, release: Release, community: Community, esi: Person, aroha: Person
) -> None:
    first = make_adapter(make_run(release, esi), approved_by=aroha)
    assert "There is no adapter before this one" in steward.get(page("adapter", community, pk=first.pk)).text
    second = make_adapter(make_run(release, esi))
    found = {"with": first.sha256, "run": 1, "before": 1.6, "after": 1.4, "low": -0.3, "high": -0.1, "sentences": 40}
    Adapter.objects.filter(pk=second.pk).update(comparison=found)
    second = decide_adapter(adapter=Adapter.objects.get(pk=second.pk), approve=True, decided_by=aroha, note="", now=NOW)
    text = steward.get(page("adapter", community, pk=second.pk)).text
    assert f"Go back to the adapter of run {first.run.number}" in text
    assert "On 40 sentences that neither of them learnt from" in text
    told = steward.post(page("back", community, pk=second.pk), follow=True).text
    assert f"The adapter of run {first.run.number} is in service again." in told
    assert steward.post(page("back", community, pk=second.pk)).status_code == 409
