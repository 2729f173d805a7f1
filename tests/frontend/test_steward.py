"""The stewards' desk: text, projects, members, consent, adapters, the record."""

from __future__ import annotations

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from annotation.answers.models import Answer
from annotation.corpora.models import Import, Source
from annotation.projects.models import Project
from care.models import Policy
from people.models import Community, Membership, Person, Role
from tests.conftest import NOW
from tests.frontend.made import make_adapter, make_release, make_run
from training.runs.models import Adapter, Run, Schedule
from training.runs.withdrawals import withdraw_answer


@pytest.fixture
def steward(client: Client, aroha: Person) -> Client:
    client.force_login(aroha)
    return client


@pytest.fixture
def run(validated_corpus: list[Answer], project: Project, esi: Person) -> Run:
    return make_run(make_release(project, esi), esi)


def url(name: str, community: Community, **more: int | str) -> str:
    return reverse(f"steward:{name}", kwargs={"slug": community.slug, **more})


def upload(content: str, name: str = "mine.tsv") -> dict[str, object]:
    return {
        "file": SimpleUploadedFile(name, content.encode()),
        "title": "Mine",
        "language_tag": "es",
        "licence": "CC0",
    }


def test_the_desk_says_what_is_missing_first(steward: Client, community: Community) -> None:
    text = steward.get(url("home", community)).text

    assert "Speakers cannot start yet." in text
    assert "No project yet" in text


def test_an_upload_tells_what_was_added_and_what_is_wrong_line_by_line(steward: Client, community: Community) -> None:
    response = steward.post(
        url("corpus", community), upload("text\tvariety\nuna frase\tote\nuna frase\tote\notra\txyz\n"), follow=True
    )

    record = Import.objects.get()
    assert (record.added, record.repeated) == (1, 1)
    assert "The variety xyz is not one of this community" in response.text
    assert '<td class="number">4</td>' in response.text


def test_an_unusable_file_is_explained_and_the_rest_of_the_form_stays(steward: Client, community: Community) -> None:
    response = steward.post(url("corpus", community), upload("a\tb\n1\t2\n"))

    assert response.status_code == 422
    assert "with one called text" in response.text
    assert 'value="CC0"' in response.text
    assert not Source.objects.exists()


def test_a_licence_is_needed(steward: Client, community: Community) -> None:
    response = steward.post(url("corpus", community), {**upload("text\nuna frase\n"), "licence": ""})

    assert response.status_code == 422
    assert not Source.objects.exists()


def test_the_packaged_corpus_is_imported_once(steward: Client, community: Community) -> None:
    steward.post(url("packaged", community))
    again = steward.post(url("packaged", community), follow=True)

    first, second = Import.objects.order_by("pk")
    assert first.added > 4000
    assert second.added == 0
    assert "0 sentences were added." in again.text


def test_a_project_is_opened_from_documents(steward: Client, community: Community, sources: list[Source]) -> None:
    form = {
        "title": "First words",
        "sources": [source.pk for source in sources[:2]],
        "source_language_name": "Spanish",
        "source_language_tag": "es",
        "lease_minutes": 10,
        "guidelines": "Write as you speak.",
        "answers": 1,
        "checking": "two",
    }

    response = steward.post(url("open_project_of", community, kind="translate"), form, follow=True)

    assert Project.objects.get().tasks.count() == 8
    assert "Write as you speak." in response.text


def test_a_project_of_another_kind_has_settings_of_its_own(
    steward: Client, community: Community, sources: list[Source]
) -> None:
    address = url("open_project_of", community, kind="classify")
    form = {
        "title": "Moods",
        "sources": [sources[0].pk],
        "source_language_name": "Spanish",
        "source_language_tag": "es",
        "lease_minutes": 10,
        "answers": 2,
        "setting_labels": "glad: somebody is happy\nsad\n",
        "setting_question": "How does it sound?",
    }
    twice = steward.post(address, {**form, "setting_labels": "glad\nglad"})
    assert (twice.status_code, "labels names glad twice" in twice.text) == (422, True)

    response = steward.post(address, form, follow=True)

    project = Project.objects.get()
    assert response.status_code == 200
    assert project.settings["labels"] == [{"name": "glad", "words": "somebody is happy"}, {"name": "sad", "words": ""}]
    assert (project.rule["stop"], project.rule["answers"]) == ("matching", 2)
    assert steward.get(url("open_project_of", community, kind="juggle")).status_code == 404


def test_a_project_of_another_communitys_documents_is_refused(
    steward: Client, community: Community, sources: list[Source]
) -> None:
    Source.objects.update(
        community=Community.objects.create(
            slug="other",
            name="Other",
            language_name="Other",
            language_tag="es",
            iso_639_3="spa",
            glottocode="stan1288",
            created_at=NOW,
        )
    )

    response = steward.post(
        url("open_project_of", community, kind="translate"),
        {
            "title": "Taken",
            "sources": [sources[0].pk],
            "source_language_name": "Spanish",
            "source_language_tag": "es",
            "lease_minutes": 10,
            "answers": 1,
            "checking": "two",
        },
    )

    assert response.status_code == 422
    assert not Project.objects.exists()


def test_a_project_is_closed_and_opened_again(steward: Client, community: Community, project: Project) -> None:
    for state in ("closed", "open"):
        steward.post(url("project_state", community, pk=project.pk), {"state": state})
        project.refresh_from_db()
        assert project.state == state


def test_a_schedule_is_set_and_shows_its_last_outcome(steward: Client, community: Community, project: Project) -> None:
    page = url("project", community, pk=project.pk)

    steward.post(page, {"is_allowed": "on", "minimum_new_items": 25, "cadence_hours": 24})
    Schedule.objects.update(last_outcome="3 of 25 new sentences are there.", last_checked_at=NOW)

    schedule = Schedule.objects.get()
    assert (schedule.is_allowed, schedule.minimum_new_items, schedule.cadence_hours) == (True, 25, 24)
    assert "3 of 25 new sentences are there." in steward.get(page).text


def test_a_schedule_set_elsewhere_survives_the_form(steward: Client, community: Community, project: Project) -> None:
    Schedule.objects.create(project=project, is_allowed=True, minimum_new_items=10, cadence_hours=5)
    page = url("project", community, pk=project.pk)
    form = steward.get(page).context["form"]

    response = steward.post(page, {name: form[name].value() for name in form.fields})

    assert response.status_code == 302
    assert Schedule.objects.get().cadence_hours == 5


def test_a_schedule_out_of_bounds_is_refused_beside_its_field(
    steward: Client, community: Community, project: Project
) -> None:
    response = steward.post(url("project", community, pk=project.pk), {"minimum_new_items": 0, "cadence_hours": 24})

    assert response.status_code == 422
    assert "At least one new sentence is needed." in response.text


def test_an_invitation_link_is_shown_once_and_works(steward: Client, community: Community, dana: Person) -> None:
    response = steward.post(url("invite", community), {"role": "speaker", "uses": 1})

    found = re.search(r"http://testserver(/join/[^<]+)", response.text)
    assert found is not None
    assert "no-store" in response["Cache-Control"]
    assert found.group(1) not in steward.get(url("members", community)).text
    steward.force_login(dana)
    assert steward.get(found.group(1)).status_code == 200


def test_a_role_is_given_by_username(steward: Client, community: Community, dana: Person) -> None:
    steward.post(url("grant", community), {"username": "dana", "role": "expert"})

    assert Membership.objects.live().filter(person=dana, role=Role.EXPERT).exists()


def test_an_unknown_username_is_said_beside_the_field(steward: Client, community: Community) -> None:
    response = steward.post(url("grant", community), {"username": "nobody", "role": "expert"})

    assert response.status_code == 422
    assert "Nobody here has this username" in response.text
    assert 'value="nobody"' in response.text


def test_a_membership_is_ended(steward: Client, community: Community, ben: Person) -> None:
    membership = Membership.objects.get(person=ben)

    steward.post(url("end", community, pk=membership.pk))

    membership.refresh_from_db()
    assert membership.ended_at is not None


def test_the_last_steward_stays(steward: Client, community: Community, aroha: Person) -> None:
    membership = Membership.objects.get(person=aroha)

    response = steward.post(url("end", community, pk=membership.pk))

    membership.refresh_from_db()
    assert response.status_code == 409
    assert "Name another steward first" in response.text
    assert membership.ended_at is None


def test_a_new_consent_text_replaces_the_old_one_which_stays_readable(
    steward: Client, community: Community, policy: Policy
) -> None:
    steward.post(
        url("consent", community),
        {"text": "A newer text.", "waiver": "Why.", "purposes": ["display_members", "peer_review"]},
    )

    old = steward.get(url("consent_version", community, version=1)).text
    new = steward.get(url("consent_version", community, version=2)).text
    assert "How your words are used." in old
    assert "replaced" in old
    assert "A newer text." in new
    assert "in force" in new


def test_a_policy_without_what_the_work_needs_is_refused_and_kept_in_the_form(
    steward: Client, community: Community
) -> None:
    response = steward.post(url("consent", community), {"text": "My long text.", "purposes": ["research"]})

    assert response.status_code == 422
    assert "My long text." in response.text
    assert not Policy.objects.exists()


def test_an_adapter_is_approved_and_taken_out_of_use(steward: Client, community: Community, run: Run) -> None:
    adapter = make_adapter(run)
    page = url("adapter", community, pk=adapter.pk)

    approved = steward.post(page, {"decision": "approve", "note": ""}, follow=True)
    adapter.refresh_from_db()
    assert adapter.state == Adapter.State.APPROVED
    assert "every member can try" in approved.text

    retired = steward.post(page, {"decision": "refuse", "note": "A better one is coming."}, follow=True)
    adapter.refresh_from_db()
    assert adapter.state == Adapter.State.RETIRED
    assert "A better one is coming." in retired.text


def test_a_worse_adapter_does_not_pass_the_gate_whatever_is_said(
    steward: Client, community: Community, run: Run
) -> None:
    adapter = make_adapter(run, better=False)

    response = steward.post(url("adapter", community, pk=adapter.pk), {"decision": "approve", "note": "All the same."})

    adapter.refresh_from_db()
    assert response.status_code == 409
    assert "its bits per byte may be 0.600 higher, and must be lower" in response.text
    assert "All the same." in response.text
    assert adapter.state == Adapter.State.CANDIDATE


def test_an_adapter_with_withdrawn_words_offers_no_approval(steward: Client, community: Community, run: Run) -> None:
    adapter = make_adapter(run)
    item = run.release.items.select_related("answer__author").first()
    assert item is not None
    withdraw_answer(answer=item.answer, author=item.answer.author, now=NOW)
    page = url("adapter", community, pk=adapter.pk)

    text = steward.get(page).text
    response = steward.post(page, {"decision": "approve", "note": "All the same."})

    assert "Words it learnt from were withdrawn." in text
    assert 'value="approve"' not in text
    assert response.status_code == 409
    assert "All the same." in response.text


@pytest.mark.parametrize("who", ["dana", "ben", "chen", "esi"])
@pytest.mark.parametrize("name", ["home", "corpus", "packaged", "open_project", "members", "grant", "invite",
                                  "consent", "adapters", "record", "record_file",
                                  "record_checkpoint"])  # fmt: skip
def test_the_desk_does_not_exist_for_others(
    client: Client, community: Community, who: str, name: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))

    assert client.get(url(name, community)).status_code == 404
    assert client.post(url(name, community)).status_code == 404
